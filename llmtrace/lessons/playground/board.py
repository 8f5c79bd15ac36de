"""What is shown of the playground: the board, in words and pictures, and the command that leads to the same place."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import input_text
from llmtrace.lessons.playground.data import EDGE, Points
from llmtrace.lessons.playground.net import Look, Play
from llmtrace.views.figures import Board, Picture
from llmtrace.views.training import Point, curves

Marks = Mapping[tuple[int, int], str]
"""What is written at some places of a picture, by row and column."""
CURVES = 4
"""The rows of the loss curves."""
WORDS = 4
"""The rows of a board that are neither picture nor curve: two above, the legend, the keys."""
HIGH, LOW = "o", "x"
"""What stands for a point where 1 is wanted, or more than 0, and for one where −1 is."""


def board(play: Play, rows: int, epochs: float, with_points: bool = True, keys: str = "") -> Board:
    """The playground as it is, its picture so many rows high."""
    surfaces = play.surfaces(rows)
    output = surfaces.pop("output")[0]
    marks = marked(play.train_points, rows) if with_points else {}
    looks = [
        Point(n + 1, look.train, look.test)
        for n, look in enumerate(play.looks)
        if math.isfinite(look.train + look.test)
    ]
    chart = curves(looks, CURVES, _("{mark} loss in the test"))
    return Board(titled(play, epochs), said(play), Picture(output, -1, 1, marks), surfaces, chart, keys)


def picture_rows(width: int, height: int) -> int:
    """How many rows the picture of the output has on a screen: it is twice as wide, and the neurons stand beside it."""
    return max(4, min(height - WORDS - CURVES, (width - 30) // 2, 32))


def surface(play: Play, rows: int) -> Picture:
    """The output alone."""
    return Picture(play.surfaces(rows)["output"][0], -1, 1)


def said(play: Play) -> str:
    """How well it does, or why it stopped."""
    return play.stopped or outcome(play.look())


def titled(play: Play, epochs: float) -> str:
    """What is being trained, and how far it is."""
    c = play.choices
    whole = _("{data}: epoch {epoch}, step {step}; {activation}, learning rate {rate}")
    if play.epoch <= epochs:
        whole = _("{data}: epoch {epoch} of {epochs}, step {step}; {activation}, learning rate {rate}")
    return whole.format(
        data=c.data,
        epoch=f"{math.floor(play.epoch):,}",
        epochs=f"{epochs:g}",
        step=f"{play.step:,}",
        activation=c.activation,
        rate=f"{c.rate:g}",
    )


def outcome(look: Look) -> str:
    """How well it does, in one line."""
    train, test = (f"{loss:.4f}" if loss < 1e4 else f"{loss:.3g}" for loss in (look.train, look.test))
    said = _("loss in training {train}, in the test {test}", train=train, test=test)
    if math.isnan(look.right):
        return said
    return said + _("; {right:.1f} % of the test right", right=look.right)


def marked(points: Points, rows: int) -> Marks:
    """The points as marks on a picture so many rows high; of several in one place the first."""
    found: dict[tuple[int, int], str] = {}
    down = np.floor((EDGE - points.x2) / (2 * EDGE) * rows).astype(int)
    across = np.floor((points.x1 + EDGE) / EDGE * rows).astype(int)
    for row, column, wanted in zip(down.tolist(), across.tolist(), points.wanted.tolist(), strict=True):
        if wanted and 0 <= row < rows and 0 <= column < 2 * rows:
            found.setdefault((row, column), HIGH if wanted > 0 else LOW)
    return found


def dots(points: Points, rows: int) -> Picture:
    """The points alone."""
    nothing: Array = np.zeros((rows, 2 * rows), np.float32)
    return Picture(nothing, -1, 1, marked(points, rows), empty=True)


def command(name: str, inputs: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """The command line that begins a lesson with these inputs: only those that differ from the defaults are named."""
    changed = [
        f"--set {shlex.quote(f'{key}={input_text(inputs[key])}')}" for key in inputs if inputs[key] != defaults[key]
    ]
    return " ".join([f"llmtrace learn {name}", *changed])
