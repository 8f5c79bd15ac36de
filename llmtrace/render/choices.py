"""Lines of an Explanation that choose: what stays in play, and where a running total passes a limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from rich.console import ConsoleRenderable

from llmtrace.arithmetic.lines import Elements, Line
from llmtrace.i18n import _
from llmtrace.render.names import Names, line_name
from llmtrace.render.numbers import rounded
from llmtrace.render.sums import sum_view
from llmtrace.render.terminal.layout import NAME, QUIET, VALUE, Page


def ahead_title(line: Line, names: Names) -> list[Any]:
    """How many numbers of a row come before one."""
    count = f"{line.operands[0].values.size:,}"
    text = _("so many of {count} numbers {a} come before it, in order from the largest on")
    said = text.format(count=count, a=names.of(line.operands[0]))
    return [(line_name(line.name), NAME), " = ", (rounded(line.values), "bold"), (f"   {said}", QUIET)]


def keep_parts(line: Line, names: Names) -> list[Any]:
    """What becomes of one number: `result = x = 1.5   stays in play: ahead = 2 is less than k = 40`."""
    own, measure, limit = line.operands
    written = [f"{names.of(o)} = {rounded(o.values)}" for o in (measure, limit)]
    written = [
        rounded(o.values) if names.of(o) == rounded(o.values) else text
        for o, text in zip((measure, limit), written, strict=True)
    ]
    kept = not measure.values >= limit.values
    text = _("stays in play: {a} is less than {b}") if kept else _("is left out: {a} is not less than {b}")
    said = text.format(a=written[0], b=written[1])
    value = (rounded(line.values), VALUE)
    source = f" = {names.of(own)} = " if kept else " = "
    return [(line_name(line.name), NAME), source, value, (f"   {said}", QUIET)]


def first_above_view(line: Line, names: Names, page: Page) -> list[ConsoleRenderable]:
    """The running total of a row up to the place where it is above a limit."""
    row, limit = line.operands
    place = int(line.values)
    where = names.label(names.origin(line), place)
    text = _("the first place where the running total of {a} is above {b} = {limit}: {where}")
    said = text.format(a=names.of(row), b=names.of(limit), limit=rounded(limit.values), where=where)
    title = page.line((line_name(line.name), NAME), " = ", (rounded(line.values), VALUE), (f"   {said}", QUIET))
    if not isinstance(row, Elements):
        return [title]
    upto = np.arange(place + 1)
    index = tuple(part[upto] if isinstance(part, np.ndarray) else part for part in row.index)
    cut = replace(row, index=index, values=row.values[upto])
    total = np.asarray(row.values[upto].sum())  # not shown: the view adds up by itself
    return [title, *sum_view(Line(line.name, "sum", (cut,), total), names, page, (place,))]
