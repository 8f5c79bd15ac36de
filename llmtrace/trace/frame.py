"""A tensor of a trace as a table of pandas, with its tokens as the names of rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from llmtrace.errors import EditError
from llmtrace.i18n import _
from llmtrace.text import quoted
from llmtrace.trace.trace import Trace


def frame(trace: Trace, name: str) -> Any:
    """A DataFrame with a row for each place of all axes but the last; a Series where there is only one axis, or none."""
    try:
        import pandas as pd
    except ImportError:
        text = _('tables of pandas need pandas: pip install "llmtrace-exact[pandas]"')
        raise EditError(text) from None
    numbers, axes = trace.tensor(name), trace.axes(name)
    if not axes:
        return pd.Series([numbers[()]], name=name)
    if len(axes) == 1:
        places = [_label(trace, axes[0], i) for i in range(len(numbers))]
        return pd.Series(numbers, pd.Index(places, name=axes[0]), name=name, copy=True)
    rows = [
        tuple(
            _label(trace, axis, i, place[0] if axes[0] == "batch" else None)
            for axis, i in zip(axes[:-1], place, strict=True)
        )
        for place in np.ndindex(numbers.shape[:-1])
    ]
    index = pd.Index([row[0] for row in rows], name=axes[0]) if len(axes) == 2 else None
    if index is None:
        index = pd.MultiIndex.from_tuples(rows, names=axes[:-1])
    columns = pd.Index([_label(trace, axes[-1], i) for i in range(numbers.shape[-1])], name=axes[-1])
    return pd.DataFrame(numbers.reshape(-1, numbers.shape[-1]), index, columns, copy=True)


def _label(trace: Trace, axis: str, place: int, text: int | None = None) -> int | str:
    """`5 ' girl'` where the axis has tokens, else 5."""
    token = trace.label(axis, place, text)
    return place if token is None else f"{place} {quoted(token)}"
