"""Numbers as text: rounded for reading, or in the shortest form that reads back to the same bits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
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
    if 1e-7 <= abs(number) < 1e7 and digits <= np.finfo(number.dtype).precision + 3:
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
    digits, _sign, exponent = text.strip(" ()").replace("−", "-").replace("∞", "inf").partition("×10")
    return Decimal(f"{digits}e{exponent.translate(LOWERED)}" if exponent else digits)


def bracketed(text: str) -> str:
    """A number behind a sign of arithmetic: one below 0 stands in brackets."""
    return f"({text})" if text.startswith("−") else text


def column(values: Array | Sequence[Any], digits: int = DIGITS) -> list[str]:
    """Numbers to stand under each other: with the same number of decimals wherever that leaves two digits to see."""
    numbers = np.asarray(values)
    finite = np.abs(numbers[np.isfinite(numbers)].astype(np.float64))
    top = float(finite.max()) if finite.size else 0.0
    if numbers.dtype.kind != "f" or top == 0 or not -5 <= _exponent(top) < 7:
        return right([rounded(number, digits) for number in numbers])
    decimals = max(0, digits - _exponent(top))
    plain = all(number.is_integer() for number in finite.tolist())

    def text(given: Any, number: float) -> str:
        if plain or not math.isfinite(number) or 0 < abs(number) < 10.0 ** (1 - decimals):
            return rounded(given, digits)
        return _minus(f"{number:.{decimals}f}") if number else "0"

    return right(list(map(text, numbers, numbers.astype(np.float64).tolist())))


def to_unit(values: Sequence[Any], digits: int = DIGITS) -> list[str]:
    """Numbers that are added up: none shows a digit below the last one of the largest, where those are rounded."""
    numbers = np.asarray(values, np.float64)
    finite = np.abs(numbers[np.isfinite(numbers)])
    top = float(finite.max()) if finite.size else 0.0
    whole = all(number.is_integer() for number in finite.tolist())
    if not -5 <= _exponent(top) < 7:
        unit = _exponent(top) - digits + 1
        return [_at_power(float(number), unit) for number in numbers]
    decimals = 0 if whole else max(0, digits - _exponent(top))
    texts = (
        f"{number:.{decimals}f}" if math.isfinite(number) and number else rounded(number) for number in numbers.tolist()
    )
    return [_minus(text) for text in texts]


def _at_power(number: float, unit: int) -> str:
    """A number with a power of ten, rounded to the digit that counts 10^unit."""
    if not math.isfinite(number):
        return rounded(np.float64(number))
    with localcontext() as context:
        context.prec = 400
        kept = Decimal(number).quantize(Decimal((0, (1,), unit)))
    return _minus(_power(*f"{kept:.{kept.adjusted() - unit}e}".split("e"))) if kept else "0"


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
    return Number(probability, _("{number} %", number=rounded(np.float64(probability) * 100, digits)), role, address)
