"""The playground live on a terminal: it is drawn while the net learns, and obeys keys."""

from __future__ import annotations

import time

from rich.console import Console, ConsoleRenderable
from rich.live import Live

from llmtrace.cli.keys import QUIT, key, unbuffered
from llmtrace.errors import AddressError
from llmtrace.i18n import _, listed
from llmtrace.lessons.playground.board import board, picture_rows
from llmtrace.lessons.playground.lesson import Playground
from llmtrace.render.terminal.blocks import InAscii, Printed
from llmtrace.render.terminal.palette import in_colour
from llmtrace.trace import Trace
from llmtrace.views.document import Block, Role, Space, Text, paragraph
from llmtrace.views.explanation import view

FRAMES, FRAME = 60, 1 / 12
"""A training is spread over so many pictures at least, each at least so many seconds, or nobody could watch it."""
BREATH, IDLE = 0.01, 0.3
"""So many seconds at least a key is waited for; and while it stands still, another size of the screen is seen so soon."""
EXPLAIN, COMMAND = "e", "c"


class LiveView:
    """One playground on one terminal, until q is pressed."""

    def __init__(self, console: Console, lesson: Playground, ascii_only: bool = False) -> None:
        self.console, self.lesson, self.ascii = console, lesson, ascii_only
        self.running = True
        self.with_points = in_colour(console, console.options) and not ascii_only

    def run(self) -> None:
        """Draws and trains; between two pictures of the whole screen, whatever is asked for is printed below what was there."""
        while (asked := self._watch()) not in QUIT:
            self.running = False
            self._print(Space())
            if asked == COMMAND:
                self._say(_("This command begins at the start, and stops where it is now:"), "name")
                self.console.print(self.lesson.command(self.lesson.play.epoch), soft_wrap=True)
            else:
                self._explain()
            key(lambda: self._say(_("any key: go back")))

    def _watch(self) -> str:
        """Draws and trains until something is asked for that needs the ordinary screen: q, e or c."""
        screen = Live(console=self.console, screen=True, auto_refresh=False)
        with unbuffered(stops=False), screen:
            return self._until_asked(screen)

    def _until_asked(self, screen: Live) -> str:
        play, drawn = self.lesson.play, None
        while True:
            begun = time.perf_counter()
            if self.running:
                self._learn(begun + FRAME)
            if drawn != (now := (play.step, self.running, self.with_points, self.console.size)):
                drawn = now
                screen.update(self._board(), refresh=True)
            wait = max(BREATH, begun + FRAME - time.perf_counter()) if self.running else IDLE
            typed = key(lambda: None, wait)
            if typed is None:
                continue
            typed = typed.lower()
            if typed in {EXPLAIN, COMMAND} | QUIT:
                return typed
            if typed == " ":
                self.running = not self.running and not play.stopped
            elif typed == "s":
                self.running = False
                play.train()
            elif typed == "r":
                play.reset()
            elif typed == "p":
                self.with_points = not self.with_points

    def _learn(self, until: float) -> None:
        """Some steps; it pauses where all epochs are done, and goes on where it is told to."""
        play, whole = self.lesson.play, self.lesson.steps
        for _step in range(-(-whole // FRAMES)):
            play.train()
            if play.stopped or play.step == whole:
                self.running = False
                break
            if time.perf_counter() > until:
                break

    def _board(self) -> ConsoleRenderable:
        width, height = self.console.size
        go = _("space: pause") if self.running else _("space: go")
        keys = f"{_('q: quit')}  {go}  {_('s: step  r: reset  p: points  e: explain  c: command')}"
        rows = picture_rows(width, height)
        return self._plain(board(self.lesson.play, rows, self.lesson.epochs, self.with_points, keys))

    # ---- on the ordinary screen ----------------------------------------------------------------------------------------

    def _explain(self) -> None:
        """How the last step made a weight: its gradient, added up over the batch, and the step against it."""
        play = self.lesson.play
        trace = play.last_step()
        usual = play.most_moved(trace).removeprefix("new.")
        names = listed(trace.weights)
        self._say(_("Which weight? The net has {names}.", names=names))
        self._say(_("An empty line: {address}, which the last step moved furthest.", address=usual))
        try:
            address = self.console.input("> ").strip() or usual
        except EOFError:
            address = usual
        try:
            for part in parts(trace, address):
                if part.startswith("new."):
                    key(lambda: self._say(_("any key: go on")))
                    self._say(_("The weight goes against this slope, as far as the learning rate says:"), "name")
                self._print(*view(trace.explain(part), ending=False).blocks)
                self._say("")
        except AddressError as error:
            self._say(str(error))

    def _say(self, text: str, role: Role = "quiet") -> None:
        self._print(paragraph(Text(text, role)))

    def _print(self, *blocks: Block) -> None:
        self.console.print(self._plain(*blocks))

    def _plain(self, *blocks: Block) -> ConsoleRenderable:
        shown = Printed(blocks)
        return InAscii(shown) if self.ascii else shown


def parts(trace: Trace, address: str) -> list[str]:
    """What is explained for a weight: its gradient, with the pull towards 0 where there is one, and the weight after the step."""
    name, bracket, index = address.partition("[")
    if name not in trace.weights:
        return [address]
    kinds = [kind for kind in ("d", "penalised", "new") if f"{kind}.{name}" in trace]
    return [f"{kind}.{name}{bracket}{index}" for kind in kinds]
