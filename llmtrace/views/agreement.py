"""Arithmetic on numbers as they are shown: whether a calculator gets the shown result from the shown operands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal, localcontext
from itertools import chain
from operator import add, mul, sub

import numpy as np

from llmtrace.arithmetic.lines import Elements, Line, Operand
from llmtrace.views.document import Number
from llmtrace.views.numbers import DIGITS, column, decimal, numbers

MOST = 24
"""So many digits show any difference of two numbers that a calculation could have rounded away."""
TINY = Decimal("1e-37")
"""What is less may be 0 in float32."""

_EXACT: dict[str, Callable[..., Decimal]] = {
    "add": add,
    "subtract": sub,
    "multiply": mul,
    "divide": lambda a, b: a / b,
    "sum": lambda *row: sum(row, Decimal(0)),
    "negate": lambda x: -x,
    "absolute": abs,
    "relu": lambda x: max(x, Decimal(0)),
    "above": lambda x, limit, then, otherwise: then if x > limit else otherwise,
    "root": lambda x: x.sqrt(),
    "exp": lambda x: x.exp(),
    "log": lambda x: x.ln(),
    "tanh": lambda x: Decimal(math.tanh(x)),
    "erf": lambda x: Decimal(math.erf(x)),
    "sin": lambda x: Decimal(math.sin(x)),
    "cos": lambda x: Decimal(math.cos(x)),
}
BY_CALCULATOR = frozenset(_EXACT)
"""The operations that a calculator does on single numbers; `sum` on any number of them."""
_ROUNDED = {"exp", "tanh", "erf", "sin", "cos"}


def agrees(operation: str, operands: Sequence[str], result: str, units: float = 1) -> bool:
    """Whether an operation on shown numbers gives the shown result, to so many units of its last digit.

    Numbers that are not finite agree with everything.
    """
    values = [decimal(text) for text in (*operands, result)]
    if not all(value.is_finite() for value in values):
        return True
    *known, wanted = values
    with localcontext() as context:
        context.prec = 40
        try:
            exact = _EXACT[operation](*known)
        except ArithmeticError:
            return False
        if not wanted:
            return abs(exact) < TINY if operation in _ROUNDED else not exact
        unit = (
            min(int(wanted.as_tuple().exponent), wanted.adjusted() - DIGITS + 1)
            if units < 1
            else wanted.as_tuple().exponent
        )
        return abs(exact - wanted) <= Decimal(units) * Decimal((0, (1,), int(unit)))


def operands_for(
    operation: str, columns: Callable[[int], list[Sequence[Number]]], results: Sequence[Number]
) -> list[Sequence[Number]]:
    """Columns of operands with as few digits as the shown results need; `columns` makes them with so many digits.

    Results that no digits give (what underflows, what was rounded in its first digits) need none.
    """

    def agree(shown: list[Sequence[Number]], n: int) -> bool:
        return agrees(operation, [each[n].text for each in shown], results[n].text)

    rows, shown = range(len(results)), columns(DIGITS)
    if all(agree(shown, n) for n in rows):
        return shown
    most = columns(MOST)
    needed = [n for n in rows if agree(most, n)]
    for digits in range(DIGITS, MOST):
        shown = columns(digits)
        if all(agree(shown, n) for n in needed):
            return shown
    return most


def operand_numbers(
    operand: Operand, shown: list[int], shape: tuple[int, ...] | None = None, digits: int = DIGITS
) -> tuple[Number, ...]:
    """Some elements of a row, or of a single number as often."""
    values = operand.values if shape is None else np.broadcast_to(operand.values, shape)
    single = operand.values.ndim == 0
    addresses = [operand.address(0 if single else i) for i in shown] if isinstance(operand, Elements) else []
    return numbers(values[shown], digits, addresses=addresses)


def row_operands(line: Line, shown: list[int], digits: int) -> list[Sequence[Number]]:
    """The operands of some elements of a row; what is added or subtracted has the same number of decimals."""
    columns = [operand_numbers(operand, shown, line.values.shape, digits) for operand in line.operands]
    if line.operation not in {"add", "subtract"}:
        return list(columns)
    texts = iter(column([each.value for each in chain(*columns)], digits))
    return [[replace(each, text=next(texts).strip()) for each in one] for one in columns]
