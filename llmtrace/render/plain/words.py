"""Inlines as words."""

from __future__ import annotations

import re

from llmtrace.i18n import N_, _, listed, n_
from llmtrace.text import inert, quoted, token_words
from llmtrace.views.document import Bar, Histogram, Inline, Number, Phrase, Ref, Run, Text, Token, Tokens

OPERATORS = {"×": N_("times"), "÷": N_("divided by"), "+": N_("plus"), "−": N_("less"), "→": N_("then")}
"""Signs between numbers, as they are said."""
OPERATOR = re.compile(r" ([×÷+−→]) ")
POWER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?:e([+−-]?)0*(\d+)|×10(⁻?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+))(?!\w)")
"""A number with a power of ten, in either form: 8.061e−06, 8.061×10⁻⁶."""
NEGATIVE = re.compile(r"−(?=[\d∞.])")
LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
AIR = re.compile(r" {2,}")


def said(*inlines: Inline) -> str:
    """Inlines in one line; a bar says nothing that the number beside it does not say."""
    return AIR.sub(" ", "".join(_words(inline) for inline in inlines)).strip()


def calculated(*inlines: Inline) -> str:
    """The same of a calculation, its signs as words."""
    text = OPERATOR.sub(lambda sign: f" {_(OPERATORS[sign[1]])} ", said(*inlines))
    return spoken(text)


def spoken(number: str) -> str:
    """A number, or a text with numbers, with powers of ten and the sign of negative ones as words: readers pass over signs."""
    return NEGATIVE.sub(f"{_('minus')} ", POWER.sub(_power, number))


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
            return inert(inline)
        case Text():
            return inert(inline.text)
        case Number():
            return spoken(inert(inline.text))
        case Token():
            return quoted(inline.text)
        case Ref():
            return inert(inline.address)
        case Phrase():
            return "".join(map(_words, inline.parts))
        case Run():
            return inert(inline.between.join(inline.items))
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
