"""Numbers as text: rounded for reading, or in the shortest form that reads back to the same bits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from operator import add, mul, sub
from typing import Any

import numpy as np

from llmtrace.arithmetic.bits import exact
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import _
from llmtrace.views.document import Number, Role

DIGITS = 4
"""How many significant digits a rounded number shows."""
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
LOWERED = {raised: plain for plain, raised in RAISED.items()}


def rounded(value: Any, digits: int = DIGITS) -> str:
    """A number to read: about `digits` significant digits; one that is short anyway is shown as it is."""
    number: Any = np.asarray(value)[()]
    if number.dtype.kind != "f" or not np.isfinite(number):
        return _minus(exact(number).replace("inf", "∞").replace("nan", "NaN"))
    if number == 0:
        return _minus(exact(number).removesuffix(".0"))
    if 1e-7 <= abs(number) < 1e7:
        whole = np.format_float_positional(number, unique=True, trim="-")
        if len(whole.replace(".", "").lstrip("-0")) <= digits:
            return _minus(whole)
    return _minus(_shortened(float(number), digits))


def _shortened(number: float, digits: int) -> str:
    exponent = _exponent(number)
    if not -5 <= exponent < 7:
        return _power(*f"{number:.{digits - 1}e}".split("e"))
    fewest = max(0, digits - 1 - exponent)
    text = f"{number:.{fewest}f}"
    for decimals in range(fewest, 10):
        text = f"{number:.{decimals}f}"
        if number.is_integer() or not float(text).is_integer() or abs(number) >= 10 ** (digits - 1):
            break  # but 0.99998 is not shown as 1.0000
    return text


def _power(digits: str, exponent: str) -> str:
    """A number with a power of ten: `8.061e-06`, or as the reader's language writes it."""
    sign = _("e")
    if sign == "e":
        return f"{digits}e{exponent}"
    return f"{digits}{sign}{str(int(exponent)).translate(RAISED)}"


def decimal(text: str) -> Decimal:
    """A shown number, to calculate with."""
    digits, _sign, exponent = text.replace("−", "-").partition("×10")
    return Decimal(f"{digits}e{exponent.translate(LOWERED)}" if exponent else digits)


def gives(operation: str, operands: Sequence[str], result: str) -> bool:
    """Whether `add`, `subtract`, `multiply` or `divide` of two shown numbers, rounded to its digits, is `result`."""
    a, b, wanted = (decimal(text) for text in (*operands, result))
    with localcontext() as context:
        context.prec = 60
        if operation == "divide" and not b:
            return False
        exact = a / b if operation == "divide" else _DECIMAL[operation](a, b)
        unit = min(int(wanted.as_tuple().exponent), wanted.adjusted() - DIGITS + 1)
        return abs(exact - wanted) <= Decimal((0, (5,), unit - 1)) if wanted else not exact


def is_above(a: str, b: str) -> bool:
    """Whether a shown number is larger than another."""
    return decimal(a) > decimal(b)


def bracketed(text: str) -> str:
    """A number behind a sign of arithmetic: one below 0 stands in brackets."""
    return f"({text})" if text.startswith("−") else text


_DECIMAL: dict[str, Callable[[Decimal, Decimal], Decimal]] = {"add": add, "subtract": sub, "multiply": mul}


def column(values: Array | Sequence[Any], digits: int = DIGITS) -> list[str]:
    """Numbers to stand under each other: with the same number of decimals wherever that leaves two digits to see."""
    numbers = np.asarray(values)
    finite = np.abs(numbers[np.isfinite(numbers)].astype(np.float64))
    top = float(finite.max()) if finite.size else 0.0
    if numbers.dtype.kind != "f" or top == 0 or not -5 <= _exponent(top) < 7:
        return right([rounded(number, digits) for number in numbers])
    decimals = max(0, digits - _exponent(top))
    plain = all(float(number).is_integer() for number in numbers if np.isfinite(number))

    def text(number: Any) -> str:
        if plain or not np.isfinite(number) or (number != 0 and abs(float(number)) < 10.0 ** (1 - decimals)):
            return rounded(number, digits)
        return _minus(f"{float(number):.{decimals}f}") if number != 0 else "0"

    return right([text(number) for number in numbers])


def right(texts: Sequence[str]) -> list[str]:
    """Texts without wide characters, padded on the left to one width."""
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def _exponent(number: float) -> int:
    return math.floor(math.log10(abs(number))) if number else 0


def _minus(text: str) -> str:
    return text.replace("-", "−")


def number(value: Any, digits: int = DIGITS, role: Role = "", address: str = "") -> Number:
    """A number of a document, in about `digits` significant digits."""
    return Number(np.asarray(value)[()], rounded(value, digits), role, address)


def numbers(
    values: Array | Sequence[Any], digits: int = DIGITS, role: Role = "", addresses: Sequence[str] = ()
) -> tuple[Number, ...]:
    """Numbers of a document that stand under each other: with the same number of decimals."""
    texts = column(values, digits)
    where = addresses or [""] * len(texts)
    return tuple(Number(v, text.strip(), role, a) for v, text, a in zip(values, texts, where, strict=True))


def percent(probability: Any, digits: int = DIGITS, role: Role = "", address: str = "") -> Number:
    """A probability as a percentage."""
    if not np.isfinite(probability):
        return number(probability, role=role, address=address)
    return Number(probability, f"{rounded(np.float64(probability) * 100, digits)} %", role, address)
