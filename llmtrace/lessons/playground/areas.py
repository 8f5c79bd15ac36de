"""The seven areas of the playground, as a picture with labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.i18n import _, listed
from llmtrace.lessons.playground.board import output_picture, points_picture, result_text
from llmtrace.lessons.playground.data import EDGE, features, grid
from llmtrace.lessons.playground.net import Play
from llmtrace.views.document import Group, Space, Text, paragraph
from llmtrace.views.figures import Picture, Pictures

ROWS = 5
"""The rows of its pictures."""


def areas(play: Play, epochs: float) -> Group:
    """Where everything stands on the screen: what is set, the data, the first feature and neuron, the output, the losses."""
    c = play.choices
    pull = _("regularisation rate {rate}", rate=f"{max(c.l1, c.l2):g}")
    settings = [c.activation, _("learning rate {rate}", rate=f"{c.rate:g}"), pull]
    controls = (
        paragraph(Text(_("1 play"), "name"), "  ", _("until epoch {epoch}", epoch=f"{epochs:g}")),
        paragraph(Text(_("2 how it learns"), "name"), "  ", listed(settings)),
    )
    surfaces = play.surfaces(ROWS)
    shown = {_("3 data"): points_picture(play.train_points, ROWS)}
    shown[_("4 features")] = _surface(_feature(c.features[0]) / EDGE)
    if c.hidden:
        shown[_("5 hidden")] = _surface(surfaces["hidden.1"][0])
    shown[_("6 output")] = output_picture(play, ROWS)
    losses = paragraph(Text(_("7 loss"), "name"), "  ", play.stopped or result_text(play.evaluate()))
    return Group((*controls, Space(), Pictures(shown), losses))


def _surface(values: Array) -> Picture:
    return Picture(values, -1, 1)


def _feature(name: str) -> Array:
    """A feature everywhere on the plane."""
    found: Any = features(grid(ROWS), [name]).tensor(name)
    return np.asarray(found).reshape(ROWS, 2 * ROWS)
