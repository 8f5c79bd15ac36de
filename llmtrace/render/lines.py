"""The lines of an Explanation as worked calculations: `mean = sum ÷ C = 1.234 ÷ 48 = 0.02572`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.console import ConsoleRenderable

from llmtrace.arithmetic.lines import Constant, Line
from llmtrace.arithmetic.operations import DOTS, OPERATIONS, SUMS
from llmtrace.i18n import _, n_
from llmtrace.render.choices import ahead_title, first_above_view, keep_parts
from llmtrace.render.names import Names, axis_names, line_name
from llmtrace.render.numbers import DIGITS, column, gives, is_above, rounded
from llmtrace.render.sums import sum_view
from llmtrace.render.terminal.layout import NAME, QUIET, VALUE, Page

_BINARY = {"add", "subtract", "multiply", "divide"}


def line_views(lines: tuple[Line, ...], names: Names, page: Page) -> list[ConsoleRenderable]:
    """All lines of one explanation. Where several show many numbers, each shows fewer of them."""
    rows = sum(1 for line in lines if line.operation in SUMS or line.values.ndim)
    inner = page if rows < 2 else replace(page, count=max(1, page.count // 2))
    telling = [line.values for line in lines if line.values.ndim]
    places = _largest(telling[-1], inner.count) if telling else []  # the same places in every row
    return [view for line in lines for view in _line_view(line, names, inner, places)]


def folds(lines: tuple[Line, ...], page: Page) -> bool:
    """Whether something is left out of the lines."""
    rows = [o.values.size for line in lines for o in line.operands if o.values.ndim]
    return not page.every and max(rows, default=0) > (page.count if len(rows) < 2 else max(1, page.count // 2))


def _line_view(line: Line, names: Names, page: Page, places: list[int]) -> list[ConsoleRenderable]:
    if line.operation in SUMS:
        return [page.line(*_sum_title(line, names)), *sum_view(line, names, page)]
    if line.operation in {"maximum", "argmax"}:
        return [page.line(*_choice_title(line, names)), *_row_view(line, names, page, places)]
    if line.operation == "ahead":
        return [page.line(*ahead_title(line, names)), *_row_view(line, names, page, line.largest(page.count))]
    if line.operation == "keep":
        return [page.line(*keep_parts(line, names))]
    if line.operation == "first_above":
        return first_above_view(line, names, page)
    if line.values.ndim:
        return [page.line(*_row_title(line, names, page)), *_row_view(line, names, page, places)]
    return [page.line(*_scalar(line, names))]


def _title(line: Line) -> tuple[str, str]:
    return (line_name(line.name), NAME)


def _value(line: Line, digits: int = DIGITS) -> tuple[str, str]:
    return (rounded(line.values, digits), VALUE if line.name == "out" else "bold")


def _scalar(line: Line, names: Names) -> list[Any]:
    """One operation on single numbers: in letters, in numbers, and what it gives."""
    if line.operation == "masked":
        why = _("a token can't look at tokens that come after it, so nothing is computed here")
        return [_title(line), " = ", _value(line), f": {why}"]
    letters = [names.of(operand) for operand in line.operands]
    if line.operation == "take":
        return [_title(line), f" = {letters[0]} = ", _value(line), f" ({_('passed on as it is')})"]
    if line.operation == "look_up":
        row = rounded(line.operands[0].values)
        table, bracket, _place = letters[1].partition("[")
        if bracket:  # one number of a row that other lines use too
            return [_title(line), f" = {table}[{letters[0]}] = {letters[1]} = ", _value(line)]
        what = _("row {row} of the table {table}", row=row, table=table)
        return [_title(line), f" = {what} = ", _value(line)]
    digits = _telling_digits(line)
    numbers, sign = _numbers(line, digits)
    parts: list[Any] = [_title(line)]
    written = _written(line.operation, letters)
    if written != line_name(line.name):
        parts.append(f" = {written}")
    return [*parts, f" = {_written(line.operation, numbers)} {sign} ", _value(line, digits)]


def _written(operation: str, operands: list[str], bracket: bool = True) -> str:
    symbol = OPERATIONS[operation].symbol
    if operation in _BINARY:
        left, right = (f"({text})" if " " in text and _is_formula(text) else text for text in operands)
        return f"{left} {symbol} ({right})" if bracket and right.startswith("−") else f"{left} {symbol} {right}"
    if operation == "above":
        x, limit, then, otherwise = operands
        return _("{then} if {x} > {limit}, else {otherwise}", x=x, limit=limit, then=then, otherwise=otherwise)
    if operation == "absolute":
        return f"|{operands[0]}|"
    return f"{symbol}({operands[0]})"


def _is_formula(text: str) -> bool:
    return any(f" {sign} " in text for sign in "+−×÷·")


def _telling_digits(line: Line) -> int:
    """So many digits that a sum is not shown as one of its terms: a weight changes by little in one step."""
    if line.operation in {"add", "subtract"} and all(np.isfinite(o.values) and o.values for o in line.operands):
        for digits in range(DIGITS, 10):
            if all(
                rounded(line.values, digits).lstrip("−") != rounded(o.values, digits).lstrip("−") for o in line.operands
            ):
                return digits
    return DIGITS


def _numbers(line: Line, least: int = DIGITS) -> tuple[list[str], str]:
    """The operands with as many digits as a calculator needs to get the result that is shown, and `=`, or else `≈`."""

    def shown(digits: int) -> list[str]:
        return [rounded(o.values, max(digits, 6) if isinstance(o, Constant) else digits) for o in line.operands]

    finite = all(np.isfinite(o.values) for o in (line, *line.operands))
    if line.operation not in {*_BINARY, "above"} or not finite:
        return shown(DIGITS), "="
    full = 9 if line.values.dtype == np.float32 else 17
    for digits in range(least, full + 1):
        if line.operation == "above":
            if is_above(*shown(digits)[:2]) == bool(line.operands[0].values > line.operands[1].values):
                return shown(digits), "="
        elif gives(line.operation, shown(digits), rounded(line.values, least)):
            return shown(digits), "="
    return shown(full), "≈"


def _sum_title(line: Line, names: Names) -> list[Any]:
    letters = [names.of(operand) for operand in line.rows]
    count = line.operands[0].values.size
    if line.operation in DOTS:
        what = n_("{count} product", "{count} products, added in order", count, count=f"{count:,}")
    else:
        what = n_("{count} number", "{count} numbers, added in order", count, count=f"{count:,}")
    begin = "" if line.start is None else f"{names.of(line.start)} + "
    return [_title(line), f" = {begin}Σ {' × '.join(letters)} = ", _value(line), (f"   {what}", QUIET)]


def _choice_title(line: Line, names: Names) -> list[Any]:
    letter = names.of(line.operands[0])
    count = f"{line.operands[0].values.size:,}"
    place = int(np.argmax(line.operands[0].values))
    where = f"{axis_names(names.origin(line))} {names.label(names.origin(line), place)}"
    if line.operation == "argmax":
        what = _("where the largest of {count} numbers {a} stands: {where}", count=count, a=letter, where=where)
    else:
        what = _("the largest of {count} numbers {a}, at {where}", count=count, a=letter, where=where)
    return [_title(line), " = ", _value(line), (f"   {what}", QUIET)]


def _row_title(line: Line, names: Names, page: Page) -> list[Any]:
    letters = [names.of(operand) for operand in line.operands]
    size = line.values.size
    text = _("for each of {count} numbers", count=f"{size:,}")
    if size > page.count and not page.every:
        text = _("for each of {count} numbers, such as:", count=f"{size:,}")
    return [_title(line), f" = {_written(line.operation, letters)}", (f"   {text}", QUIET)]


def _row_view(line: Line, names: Names, page: Page, places: list[int]) -> list[ConsoleRenderable]:
    """Examples of what is done with each element of a row: at `places`, if these fit, or the largest."""
    choice = line.operation in {"maximum", "argmax", "ahead"}
    row = line.operands[0].values if choice else line.values
    shown = [i for i in places if i < row.size] or line.largest(page.count)
    if page.every:
        shown = list(range(row.size))
    if choice:
        cells = [[text] for text in column(row[shown])]
    else:
        operands = [column(np.broadcast_to(operand.values, row.shape)[shown]) for operand in line.operands]
        results = column(row[shown])
        cells = [
            [_written(line.operation, [text[n] for text in operands], bracket=False), " = ", results[n]]
            for n in range(len(shown))
        ]
    labels = [page.plain(names.label(names.origin(line), i)) for i in shown]
    width = max(map(cell_len, labels), default=0)
    return [
        page.line((" " * (width - cell_len(label)) + label, NAME), "  ", *parts, indent=2, hang=4)
        for label, parts in zip(labels, cells, strict=True)
    ]


def _largest(row: Any, count: int) -> list[int]:
    order = np.argsort(-np.nan_to_num(np.abs(row), nan=np.inf), kind="stable")
    return sorted(int(i) for i in order[:count])
