"""A lesson on a terminal, page by page and key by key; in a pipe, straight through."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.cells import cell_len
from rich.console import ConsoleRenderable
from rich.segment import Segment, Segments

from llmtrace.cli import player
from llmtrace.cli.command import signs_are_wide
from llmtrace.cli.keys import BACK, ON, QUIT, key
from llmtrace.cli.output import Look
from llmtrace.display import plain_wanted
from llmtrace.errors import AddressError, LessonError
from llmtrace.i18n import _, listed
from llmtrace.lessons import Lesson
from llmtrace.lessons.framework import progress
from llmtrace.lessons.framework.pages import WIDEST, Pages, PageView, marked
from llmtrace.lessons.framework.questions import Question, questions
from llmtrace.lessons.matrices_as_projections.matrix import EXAMPLE
from llmtrace.near import near
from llmtrace.render import Sheet
from llmtrace.render.terminal.asciicast import asciicast
from llmtrace.render.terminal.blocks import InAscii, Printed
from llmtrace.render.terminal.console import output_console
from llmtrace.render.terminal.inlines import rich_text
from llmtrace.render.terminal.layout import Page
from llmtrace.text import cited
from llmtrace.trace import Trace
from llmtrace.views.document import Block, Document, Inline, Space, heading, paragraph, quiet
from llmtrace.views.explanation import view

FILM = 1 / 12
"""Seconds from frame to frame of what is played."""
PATIENCE = 3
"""After so many wrong answers the solution is shown."""
EXPLAIN, TELL, ANIMATE, LIVE = {"e", "E"}, {"?", "？"}, {"a", "A"}, {"l", "L"}


class Classroom:
    """Shows one lesson, and notes in a file what has been done."""

    def __init__(self, lesson: Lesson, notes: Path, look: Look) -> None:
        self.lesson, self.notes = lesson, notes
        self.pages = Pages(lesson)
        self.console = output_console(look.width)
        self.ascii = look.only_ascii or signs_are_wide()
        page = Page.of(self.console, self.console.options)
        self.room = replace(page, width=min(self.console.width, WIDEST), plain_signs=self.ascii)
        self.plain = plain_wanted()
        self.interactive = sys.stdout.isatty() and sys.stdin.isatty()
        self.live = self.pages.live and self.interactive and not (self.plain or self.console.is_dumb_terminal)

    def run(self, seed: int, only_exercises: bool = False) -> None:
        """The pages, unless they are not wanted, then the exercises."""
        if only_exercises or self.read():
            self.practise(seed)

    # ---- pages ---------------------------------------------------------------------------------------------------------

    def read(self) -> bool:
        """Goes through the pages; whether to go on with the exercises."""
        number = self._first()
        while number < len(self.pages):
            with self._busy():
                page = self.pages[number]
            if not self.interactive:
                self._print(*page.document().blocks, Space())
                number += 1
                continue
            self._clear()
            pressed = self._show(replace(page, still=not self.live), number)
            if pressed in LIVE:
                self._play()
                continue
            if pressed in ANIMATE:
                self._animate(number)
                continue
            if pressed in QUIT:
                return False
            number = max(0, number - 1) if pressed in BACK else number + 1
        return True

    def document(self) -> Document:
        """All pages below one another."""
        found = (self.pages[number].document() for number in range(len(self.pages)))
        return Document(tuple(block for page in found for block in (*page.blocks, Space())))

    def film(self) -> bytes:
        """What is played in the lesson, else its first animation, as an asciicast; LessonError where it has none."""
        sheet = Sheet(self.room.width, self.ascii)
        played = list(self.lesson.film())
        if played:
            return asciicast(played, sheet, FILM)
        pages = (self.pages[number] for number in range(len(self.pages)))
        found = next((page.animation for page in pages if page.animation is not None), None)
        if found is None:
            raise LessonError(_("there is nothing to play in this lesson"))
        frames = [found.frame(n) for n in range(len(found) + 1)]
        return asciicast(frames, sheet, player.PACE)

    def _first(self) -> int:
        """The page to begin with: the last one that was read, unless that was the end."""
        read = progress.read(self.notes).get(self.lesson.name, progress.Done()).pages
        return max(0, read - 1) if self.interactive and read < len(self.pages) else 0

    def _show(self, page: PageView, number: int) -> str:
        """Shows a page, notes that it has been read to its end, and returns the key that leaves it."""
        if pressed := self._in_parts(page.document()):
            return pressed
        progress.note(self.notes, self.lesson.name, pages=number + 1)
        more = EXPLAIN | (ANIMATE if self._plays(page) else set()) | (LIVE if self.live else set())
        while (pressed := self._key(more)) in EXPLAIN:
            self._ask_for_explanation(number)
        return pressed

    def _in_parts(self, shown: Document) -> str:
        """Prints a document, a screen at a time; the key with which the reader leaves it before its end, if so."""
        if self.plain:
            self._print(*shown.blocks)
            return ""
        width = min(self.console.width, WIDEST)
        lines = self.console.render_lines(
            self._plain(*shown.blocks), self.console.options.update_width(width), pad=False
        )
        room = max(3, self.console.height - 1)
        for start in range(0, len(lines), room):
            if start and (pressed := self._key()) in BACK | QUIT:
                return pressed
            part = [segment for line in lines[start : start + room] for segment in (*line, Segment.line())]
            self.console.print(Segments(part), end="")
        return ""

    def _key(self, more: Set[str] = frozenset()) -> str:
        """One of the keys that go on, back or out, or of `more`; the line that asks is wiped again. End of input is q."""
        words = {
            "l": _("l: live"),
            "a": _("a: animate"),
            "\r": _("Enter: go on"),
            "b": _("b: back"),
            "e": _("e: explain a number"),
            "q": _("q: quit"),
        }
        known = ON | BACK | QUIT | more
        offered = [word for letter, word in words.items() if letter in known]
        wide = (gap.join(offered) for gap in ("   ", "  "))
        prompt = next((line for line in wide if cell_len(line) < self.console.width), " ".join(offered))

        def ask() -> None:
            self.console.print(rich_text(self.room, quiet(prompt)), end="")
            self.console.file.flush()

        while True:
            pressed = key(ask) or "q"
            wiped = "\n" if self.plain else "\r" + " " * (self.console.width - 1) + "\r"
            self.console.file.write(wiped)
            self.console.file.flush()
            if pressed in known:
                return pressed

    def _clear(self) -> None:
        if not self.plain and os.environ.get("TERM", "").lower() not in {"dumb", "emacs", ""}:
            click.clear()

    def _play(self) -> None:
        """Shows the playground live."""
        from llmtrace.cli.playground_live import LiveView
        from llmtrace.lessons.playground.lesson import Playground

        assert isinstance(self.lesson, Playground)
        LiveView(self.console, self.lesson, self.ascii).run()

    # ---- animations ----------------------------------------------------------------------------------------------------

    def _plays(self, page: PageView) -> bool:
        """Whether there is something to play, and a terminal that can redraw it."""
        return page.animation is not None and not (self.plain or self.console.is_dumb_terminal)

    def _animate(self, number: int) -> None:
        """Plays a page's animation; where the reader types other matrices, the whole lesson goes on with them."""
        while (animation := self.pages[number].animation) is not None:
            self._clear()
            names = [name for name in animation.operands if name in self.lesson.inputs()]
            if player.play(self.console, animation, bool(names), self.ascii) not in player.TYPE:
                return
            self._clear()
            self._ask_for_matrices(names)

    def _ask_for_matrices(self, names: Sequence[str]) -> None:
        said = _("Type row after row, such as {example}; an empty line changes nothing.")
        self._say(said.format(example=EXAMPLE))
        while True:
            inputs = {name: getattr(self.lesson, name) for name in self.lesson.inputs()}
            inputs |= {name: typed for name in names if (typed := self._line(f"{name} = ").strip())}
            try:
                self.lesson = type(self.lesson).with_inputs(inputs)
            except LessonError as error:
                self._say(str(error))
                continue
            self.pages = Pages(self.lesson)
            return

    # ---- explaining ----------------------------------------------------------------------------------------------------

    def explanation(self, text: str, usual: str = "") -> Document:
        """How one number was computed: `TRACE ADDRESS`, such as `leaf hidden.1.sum[0]`.

        usual: the trace that is meant where none is named.
        """
        name, _space, address = text.strip().partition(" ")
        if usual and name not in self._traces():
            name, address = usual, text
        try:
            trace = self.lesson.trace(name)
        except LessonError as error:
            told = _("{error}; its traces are {names}; an example: {example}")
            names, example = listed(self._traces()), self.pages.example()
            raise LessonError(told.format(error=error, names=names, example=example)) from None
        steps = trace.names()
        if not near(address.partition("[")[0], steps):
            place = ", ".join(f"{axis}=0" for axis in trace.axes(steps[0]))
            told = _("there is no {name} here; there are {steps}; an example: {example}")
            if not address.strip():
                told = _("which number? There are {steps}; an example: {example}")
            example = f"{name} {steps[0]}[{place}]"
            raise LessonError(told.format(name=cited(address.strip()), steps=listed(steps), example=example))
        return view(trace.explain(address), ending=False)

    def _traces(self) -> list[str]:
        """The names of the lesson's traces, without computing any."""
        members = vars(type(self.lesson)).items()
        return [name for name, member in members if _returns_trace(member)]

    def _ask_for_explanation(self, number: int) -> None:
        """Until there is one, or an empty line; without the name of a trace, that of the page is meant."""
        example = self.pages.example(number)
        self._say(_("Which number? For example: {example} (an empty line goes back)", example=example))
        self._say(_("The first word may also be one of these: {names}", names=listed(self._traces())))
        while text := self._line().strip():
            try:
                shown = self.explanation(text, example.partition(" ")[0])
            except (AddressError, LessonError) as error:
                self._say(str(error))
            else:
                self._in_parts(shown)
                return

    # ---- exercises -----------------------------------------------------------------------------------------------------

    def practise(self, seed: int) -> None:
        """Asks every exercise; in a pipe, prints the questions with their answers."""
        found = list(questions(self.lesson, seed))
        if not self.interactive:
            self._say(heading(_("Exercises")))
            for n, question in enumerate(found, 1):
                self._say("")
                self._say(f"{n}. ", *marked(question.question), hang=3)
                self._say(*marked(question.full_answer), indent=3, hang=0)
            return
        self._clear()
        hint = _("type a number; ? shows the answer; an empty line ends")
        self._say(heading(_("Exercises")), "  ", quiet(hint))
        for n, question in enumerate(found, 1):
            self._say("")
            self._say(f"{n}. ", *marked(question.question), hang=3)
            if not self._asked(question):
                return
        self._say("")
        self._say(_("That was all. Others of their kind:"))
        self._say(f"llmtrace learn {self.lesson.name} --exercises --seed {seed + 1}", indent=2)

    def _asked(self, question: Question) -> bool:
        """Asks until the answer is right, or too often wrong; False where the reader has had enough."""
        wrong = 0
        while wrong < PATIENCE and (answer := self._line().strip()) not in TELL:
            if not answer or answer in QUIT:
                return False
            reply = question.check(answer)
            self._say(*marked(reply.text), indent=3, hang=0)
            if reply.right:
                progress.note(self.notes, self.lesson.name, exercise=question.exercise.name)
                return True
            wrong += reply.is_answer
        self._say(*marked(question.full_answer), indent=3, hang=0)
        return True

    # ---- output --------------------------------------------------------------------------------------------------------

    def _line(self, prompt: str = "> ") -> str:
        """A line that is typed; the end of the input is like an empty one."""
        try:
            return self.console.input(rich_text(self.room, prompt))
        except EOFError:
            return ""

    def _say(self, *inlines: Inline, indent: int = 0, hang: int = 0) -> None:
        self._print(paragraph(*inlines, indent=indent, hang=hang))

    def _print(self, *blocks: Block) -> None:
        width = self.console.width if self.plain else min(self.console.width, WIDEST)
        self.console.print(self._plain(*blocks), width=width)

    def _plain(self, *blocks: Block) -> ConsoleRenderable:
        shown = Printed(blocks)
        return InAscii(shown) if self.ascii else shown

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """While something takes long, shows on a terminal how far it is."""
        from rich.progress import Progress, TaskID

        with Progress(console=self.console, transient=True, disable=not self.console.is_terminal) as bar:
            tasks: list[TaskID] = []

            def tell(done: int, whole: int) -> None:
                if not tasks:
                    tasks.append(bar.add_task(_("computing"), total=whole))
                bar.update(tasks[0], completed=done, total=whole)

            self.lesson.report_to(tell)
            yield


def _returns_trace(member: object) -> bool:
    """Whether a member of a lesson's class is a property that gives a trace."""
    function = getattr(member, "func", None) or getattr(member, "fget", None)
    return getattr(function, "__annotations__", {}).get("return") in {"Trace", Trace}
