"""Inlines as words."""

from __future__ import annotations

import re
from contextvars import ContextVar

from llmtrace.i18n import N_, _, listed, n_
from llmtrace.text import inert, quoted, token_words
from llmtrace.views.document import Bar, Histogram, Inline, Number, Phrase, Ref, Run, Text, Token, Tokens

MOST: ContextVar[int | None] = ContextVar("MOST", default=None)
"""So many rows are said at most; None: all."""
LONG = 8
"""Of what has more rows, their number is said first."""

OPERATORS = {"×": N_("times"), "÷": N_("divided by"), "+": N_("plus"), "−": N_("less"), "→": N_("then")}
"""Signs between numbers, as they are said."""
OPERATOR = re.compile(r" ([×÷+−→]) ")
POWER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?:e([+−-]?)0*(\d+)|×10(⁻?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+))(?!\w)")
"""A number with a power of ten, in either form: 8.061e−06, 8.061×10⁻⁶."""
NEGATIVE = re.compile(r"−(?=[\d∞.])")
LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
LESS = re.compile(r"(?<=\S )−(?= \S)")
AIR = re.compile(r" {2,}")


def said(*inlines: Inline) -> str:
    """Inlines in one line; a bar says nothing that the number beside it does not say."""
    return AIR.sub(" ", "".join(_words(inline) for inline in inlines)).strip()


def rows_said(count: int, size: str) -> tuple[int, list[str]]:
    """How many of some rows are said, and what comes before the first of many, such as their number and `size`."""
    most = MOST.get()
    if most is not None and count > most + most // 2:
        text = _("{count} rows{size}, of which {most} are read; {hint} reads them all")
        return most, [text.format(count=f"{count:,}", size=size, most=most, hint="--all")]
    return count, [_("{count} rows{size}", count=f"{count:,}", size=size)] if count > LONG else []


def calculated(*inlines: Inline) -> str:
    """The same of a calculation, its signs as words."""
    text = OPERATOR.sub(lambda sign: f" {_(OPERATORS[sign[1]])} ", said(*inlines))
    return spoken(text)


def spoken(number: str) -> str:
    """A number, or a text with numbers, with powers of ten and the sign of negative ones as words: readers pass over signs."""
    return NEGATIVE.sub(f"{_('minus')} ", POWER.sub(_power, number))


def _heard(text: str) -> str:
    """The same without a minus sign that is not said: readers pass over U+2212."""
    return spoken(LESS.sub(_(OPERATORS["−"]), text)).replace("−", f"{_('minus')} ")


def _power(found: re.Match[str]) -> str:
    """`8.061e−06` in words."""
    digits, sign, plain, raised_sign, raised = found.groups()
    power = int(plain or raised.translate(LOWERED))
    if (sign or raised_sign) in ("−", "-", "⁻"):
        return _("{digits} times 10 to the minus {power}", digits=digits, power=power)
    return _("{digits} times 10 to the {power}", digits=digits, power=power)


def _words(inline: Inline) -> str:
    match inline:
        case str():
            return _heard(inert(inline))
        case Text() | Number():
            return _heard(inert(inline.text))
        case Token():
            return quoted(inline.text)
        case Ref():
            return inert(inline.address)
        case Phrase():
            return "".join(map(_words, inline.parts))
        case Run():
            return _heard(inert(inline.between.join(inline.items)))
        case Tokens():
            return " ".join(token_words(inline.tokens))
        case Histogram():
            return _histogram(inline)
        case Bar():
            return ""


def _histogram(histogram: Histogram) -> str:
    steps = len(histogram.counts)
    text = n_(
        "how many numbers lie in {steps} step from the smallest to the largest: {counts}",
        "how many numbers lie in each of {steps} equal steps from the smallest to the largest: {counts}",
        steps,
        steps=steps,
        counts=listed(histogram.counts),
    )
    return text if any(histogram.counts) else ""
