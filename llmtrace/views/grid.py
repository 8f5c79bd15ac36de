"""Sizes in words, and a few numbers of a big tensor as a small grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array, Axes
from llmtrace.explain.not_finite import counted
from llmtrace.i18n import N_, NN_, _, listed, n_
from llmtrace.views.document import Inline, said
from llmtrace.views.figures import Grid, axis
from llmtrace.views.numbers import number
from llmtrace.views.places import Label
from llmtrace.views.terms import letter_word

SIZES = {
    "batch": NN_("{n} text", "{n} texts"),
    "position": NN_("{n} position", "{n} positions"),
    "feature": NN_("{n} feature", "{n} features"),
    "head": NN_("{n} head", "{n} heads"),
    "query": NN_("{n} query", "{n} queries"),
    "key": NN_("{n} key", "{n} keys"),
    "source": NN_("{n} token of the source", "{n} tokens of the source"),
    "source_key": NN_("{n} token of the source", "{n} tokens of the source"),
    "vocabulary": NN_("{n} token of the vocabulary", "{n} tokens of the vocabulary"),
    "in": NN_("{n} input", "{n} inputs"),
    "out": NN_("{n} output", "{n} outputs"),
}
SETTINGS = (
    N_("transposed = True"), N_("beta"), N_("count"), N_("decay"), N_("epsilon"), N_("first"), N_("heads"),
    N_("mean_correction"), N_("rows"), N_("seed"), N_("square_correction"),
)  # fmt: skip
"""What ops call their settings, where that is not a letter of their formula."""


def sizes(shape: Sequence[int], axes: Axes) -> str:
    """`3 heads × 6 queries × 6 keys`."""
    words = []
    for size, axis_name in zip(shape, axes, strict=True):
        known = SIZES.get(axis_name)
        words.append(n_(*known, size, n=f"{size:,}") if known else f"{size:,} {axis_name}")
    return " × ".join(words) or _("one number")


def summary(values: Array) -> Inline:
    """Smallest, largest and mean of the finite numbers; nothing of whole numbers, which are names of tokens and places."""
    if values.dtype.kind != "f":
        return ""
    finite = values[np.isfinite(values)]
    if values.size and not finite.size:
        return _("no finite numbers: {counts}", counts=counted(values))
    if not finite.size:
        return _("no numbers")
    low, high, mean = (number(each) for each in (finite.min(), finite.max(), finite.mean(dtype=np.float64)))
    text = said(_("smallest {low}, largest {high}, mean {mean}"), low=low, high=high, mean=mean)
    if values.size == finite.size:
        return text
    more = _("{text}; besides, {counts}")
    if np.isneginf(values).any():
        more = _("{text}; besides, {counts} (masked places are −∞)")
    return said(more, text=text, counts=counted(values))


def grid(values: Array, axes: Axes, label: Label, tensor: str = "", rows: int = 6, columns: int = 12) -> Grid:
    """The last two axes of a tensor, with the tokens of their places; the axes before them stand at 0."""
    lead = dict.fromkeys(axes[:-2], 0)
    table = np.atleast_2d(values[(0,) * len(lead)])
    across = axes[-1] if axes else ""
    down = axes[-2] if len(axes) > 1 else ""
    corner = listed(f"{name}=0" for name in lead)
    inner = [corner, *([f"{down}={{row}}"] if down else []), *([f"{across}={{column}}"] if across else [])]
    return Grid(
        table,
        axis(down, table.shape[0], lambda i: label(down, i) if down else None, rows),
        axis(across, table.shape[1], lambda i: label(across, i) if across else None, columns),
        corner,
        f"{tensor}[{', '.join(filter(None, inner))}]" if tensor and axes else tensor,
    )


def shown_numbers(values: Array, axes: Axes, rows: int, columns: int = 12) -> dict[str, Any]:
    """The numbers of such a grid as plain data, with the places where they stand."""
    if not values.size:
        return {"at": {}, "places": {}, "values": []}
    made = grid(values, axes, lambda axis, i: None, rows=rows, columns=columns)
    places = {each.name: each.indices() for each in (made.rows, made.columns) if each.name}
    shown = made.values[np.ix_(made.rows.indices(), made.columns.indices())]
    return {
        "at": dict.fromkeys(axes[:-2], 0),
        "places": places,
        "values": shown.reshape([len(each) for each in places.values()]),
    }


def settings(values: Mapping[str, Any], op: str) -> str:
    """The settings of a step of an op: `epsilon = 0.00001`."""
    return listed(_setting(name, value, op) for name, value in values.items())


def _setting(name: str, value: Any, op: str) -> str:
    text = f"{name} = {value}"
    return _(text) if text in SETTINGS else f"{letter_word(name, op)} = {value}"
