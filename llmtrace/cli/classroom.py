"""A lesson on a terminal, page by page and key by key; in a pipe, straight through."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import ConsoleRenderable, Group
from rich.segment import Segment, Segments

from llmtrace.cli.keys import key
from llmtrace.errors import AddressError, LessonError
from llmtrace.lessons import Lesson, progress
from llmtrace.lessons.checking import Question, questions
from llmtrace.lessons.pages import WIDEST, Pages, marked
from llmtrace.render import renderable, terminal
from llmtrace.render.notebook import InAscii
from llmtrace.render.page import HEADING, QUIET, Hanging, Page, Part
from llmtrace.trace import Trace
from llmtrace.words import _

PATIENCE = 3
"""After so many wrong answers the solution is shown."""
BACK, QUIT, EXPLAIN = {"b", "B", "\x7f", "\x08", "\x1b[D", "\x1b[A", "\x1b[5~"}, {"q", "Q", "\x1b", "\x04"}, {"e", "E"}


class Classroom:
    """Shows one lesson, and notes in a file what has been done."""

    def __init__(self, lesson: Lesson, notes: Path, only_ascii: bool = False) -> None:
        self.lesson, self.notes = lesson, notes
        self.pages = Pages(lesson)
        self.console = terminal()
        self.ascii = only_ascii or self.console.options.ascii_only
        self.room = Page(min(self.console.width, WIDEST), self.ascii)
        self.interactive = self.console.is_terminal and sys.stdin.isatty()

    def run(self, seed: int, only_exercises: bool = False) -> None:
        """The pages, unless they are not wanted, then the exercises."""
        if only_exercises or self.read():
            self.practise(seed)

    # ---- pages ---------------------------------------------------------------------------------------------------------

    def read(self) -> bool:
        """Goes through the pages; whether to go on with the exercises."""
        number = 0
        while number < len(self.pages):
            with self._busy():
                page = self.pages[number]
            if not self.interactive:
                self._print(Group(page, ""))
                number += 1
                continue
            self._clear()
            pressed = self._show(page)
            progress.note(self.notes, self.lesson.name, pages=number + 1)
            if pressed in QUIT:
                return False
            number = max(0, number - 1) if pressed in BACK else number + 1
        return True

    def _show(self, page: ConsoleRenderable) -> str:
        """Prints a page, in parts where it is longer than the screen, and returns the key that leaves it."""
        lines = self.console.render_lines(self._plain(page), pad=False)
        room, keys = max(3, self.console.height - 1), _("Enter: go on   b: back   e: explain a number   q: quit")
        for start in range(0, len(lines), room):
            if start and (pressed := self._key(keys)) in BACK | QUIT:
                return pressed
            part = [segment for line in lines[start : start + room] for segment in (*line, Segment.line())]
            self.console.print(Segments(part), end="")
        while True:
            pressed = self._key(keys)
            if pressed not in EXPLAIN:
                return pressed
            self._ask_for_explanation()

    def _key(self, prompt: str) -> str:
        """One key; the line that asks for it is wiped out again. The end of the input is like q."""

        def ask() -> None:
            self.console.print(self.room.text((prompt, QUIET)), end="")
            self.console.file.flush()

        pressed = key(ask)
        self.console.file.write("\r" + " " * (self.console.width - 1) + "\r")
        self.console.file.flush()
        return pressed or "q"

    def _clear(self) -> None:
        if os.environ.get("TERM", "").lower() not in {"dumb", "emacs", ""}:
            click.clear()

    # ---- explaining ----------------------------------------------------------------------------------------------------

    def explain(self, text: str) -> None:
        """How one number was computed: `TRACE ADDRESS`, such as `leaf hidden.1.sum[0]`."""
        name, _space, address = text.strip().partition(" ")
        try:
            trace = self.lesson.trace(name)
        except LessonError as error:
            names = ", ".join(self._traces())
            raise LessonError(_("{error}; its traces are {names}").format(error=error, names=names)) from None
        if not address:
            steps = ", ".join(trace.names())
            raise LessonError(_("give a number of {trace}, such as {steps}").format(trace=name, steps=steps))
        self._print(renderable(trace.explain(address)))

    def _traces(self) -> list[str]:
        """The names of the lesson's traces, without computing any."""
        members = vars(type(self.lesson)).items()
        return [name for name, member in members if _returns_trace(member)]

    def _ask_for_explanation(self) -> None:
        self._say(_("Which number? A trace ({names}) and an address.").format(names=", ".join(self._traces())))
        try:
            self.explain(self._line())
        except (AddressError, LessonError) as error:
            self._say(str(error))

    # ---- exercises -----------------------------------------------------------------------------------------------------

    def practise(self, seed: int) -> None:
        """Asks every exercise; in a pipe, prints the questions with their answers."""
        found = list(questions(self.lesson, seed))
        if not self.interactive:
            self._say((_("Exercises"), HEADING))
            for n, question in enumerate(found, 1):
                self._say("")
                self._say(f"{n}. ", *marked(question.question), hang=3)
                self._say(_("Answer: "), *marked(f"{question.answer}. {question.solution}"), indent=3, hang=0)
            return
        self._clear()
        self._say((_("Exercises"), HEADING), "  ", (_("type a number; an empty line ends"), QUIET))
        for n, question in enumerate(found, 1):
            self._say("")
            self._say(f"{n}. ", *marked(question.question), hang=3)
            if not self._asked(question):
                return
        again = f"llmtrace learn {self.lesson.name} --exercises --seed {seed + 1}"
        self._say("")
        self._say(_("That was all. Others of their kind: {command}").format(command=again))

    def _asked(self, question: Question) -> bool:
        """Asks until the answer is right, or too often wrong; False where the reader has had enough."""
        for wrong in range(PATIENCE):
            answer = self._line()
            if not answer.strip() or answer.strip() in QUIT:
                return False
            reply = question.check(answer)
            self._say(*marked(reply.text), indent=3, hang=0)
            if reply.right:
                progress.note(self.notes, self.lesson.name, exercise=question.exercise.name)
                return True
            if wrong == PATIENCE - 1:
                self._say(_("Answer: "), *marked(f"{question.answer}. {question.solution}"), indent=3, hang=0)
        return True

    # ---- output --------------------------------------------------------------------------------------------------------

    def _line(self) -> str:
        """A line that is typed; the end of the input is like an empty one."""
        try:
            return self.console.input(self.room.text("> "))
        except EOFError:
            return ""

    def _say(self, *parts: Part, indent: int = 0, hang: int = 0) -> None:
        self._print(Hanging(self.room.text(*parts), indent, hang))

    def _print(self, shown: ConsoleRenderable) -> None:
        width = min(self.console.width, WIDEST)
        self.console.print(self._plain(shown), width=width)

    def _plain(self, shown: ConsoleRenderable) -> ConsoleRenderable:
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

            self.lesson.watch(tell)
            yield


def _returns_trace(member: object) -> bool:
    """Whether a member of a lesson's class is a property that gives a trace."""
    function = getattr(member, "func", None) or getattr(member, "fget", None)
    return getattr(function, "__annotations__", {}).get("return") in {"Trace", Trace}
