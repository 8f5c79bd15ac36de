"""What is shown of the playground: the board, in words and pictures, and the command that leads to the same state."""

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
"""The marks on a picture, by row and column."""
CURVES = 4
"""The rows of the loss curves."""
WORDS = 4
"""The rows of a board that are neither picture nor curve: two above, the legend, the keys."""
HIGH, LOW = "o", "x"
"""The marks of points with a positive and with a negative target."""


def board(play: Play, rows: int, epochs: float, with_points: bool = True, keys: str = "") -> Board:
    """The board of a playground, with a picture of the output in so many rows."""
    surfaces = play.surfaces(rows)
    output = surfaces.pop("output")[0]
    marks = marks_of(play.train_points, rows) if with_points else {}
    evaluations = [
        Point(n + 1, each.train, each.test)
        for n, each in enumerate(play.evaluations)
        if math.isfinite(each.train + each.test)
    ]
    chart = curves(evaluations, CURVES, _("{mark} loss in the test"))
    return Board(title(play, epochs), status(play), Picture(output, -1, 1, marks), surfaces, chart, keys)


def picture_rows(width: int, height: int) -> int:
    """How many rows the picture of the output has on a screen: it is twice as wide, and the neurons stand beside it."""
    return max(4, min(height - WORDS - CURVES, (width - 30) // 2, 32))


def output_picture(play: Play, rows: int) -> Picture:
    """The output of the net on the plane."""
    return Picture(play.surfaces(rows)["output"][0], -1, 1)


def status(play: Play) -> str:
    """How well the net does, or why it stopped."""
    return play.stopped or result_text(play.evaluate())


def title(play: Play, epochs: float) -> str:
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


def result_text(found: Look) -> str:
    """An evaluation in one line."""
    train, test = (f"{loss:.4f}" if loss < 1e4 else f"{loss:.3g}" for loss in (found.train, found.test))
    said = _("loss in training {train}, in the test {test}", train=train, test=test)
    if math.isnan(found.right):
        return said
    return said + _("; {right:.1f} % of the test right", right=found.right)


def marks_of(points: Points, rows: int) -> Marks:
    """Points as marks on a picture of so many rows; of several in one place the first."""
    found: dict[tuple[int, int], str] = {}
    down = np.floor((EDGE - points.x2) / (2 * EDGE) * rows).astype(int)
    across = np.floor((points.x1 + EDGE) / EDGE * rows).astype(int)
    for row, column, wanted in zip(down.tolist(), across.tolist(), points.wanted.tolist(), strict=True):
        if wanted and 0 <= row < rows and 0 <= column < 2 * rows:
            found.setdefault((row, column), HIGH if wanted > 0 else LOW)
    return found


def points_picture(points: Points, rows: int) -> Picture:
    """A picture of points alone."""
    nothing: Array = np.zeros((rows, 2 * rows), np.float32)
    return Picture(nothing, -1, 1, marks_of(points, rows), empty=True)


def command(name: str, inputs: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """The command line that begins a lesson with these inputs: only those that differ from the defaults are named."""
    changed = [
        f"--set {shlex.quote(f'{key}={input_text(inputs[key])}')}" for key in inputs if inputs[key] != defaults[key]
    ]
    return " ".join([f"llmtrace learn {name}", *changed])
