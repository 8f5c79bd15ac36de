r"""Text in the characters that an output has: llmtrace's own signs by plain names, all else that is missing as `\u4e2d`.

What users, models and files wrote must never look like another text, so a sign in quotes is not replaced but escaped.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

SIGNS = {
    **{
        "−": "-",
        "×": "*",
        "·": "*",
        "÷": "/",
        "–": "-",
        "—": "-",
        "√": "sqrt",
        "Σ": "sum",
        "½": "1/2",
        "∞": "inf",
        "≈": "~",
    },
    **{
        "π": "pi",
        "ε": "eps",
        "φ": "phi",
        "β": "beta",
        "α": "alpha",
        "γ": "gamma",
        "δ": "delta",
        "η": "eta",
        "λ": "lambda",
        "ᵀ": "^T",
        "→": "->",
        "←": "<-",
        "…": "...",
        "✓": "OK",
        "✗": "WRONG",
    },
    **{"“": '"', "”": '"', "‘": "'", "’": "'", "│": "|", "├": "|", "└": "`", "─": "-", "█": "#", "•": "*"},
    **dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)),
}
"""Signs that llmtrace draws and writes, and what stands for each where there are only letters, digits and a few marks."""
POWER = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
ROOT = re.compile(r"√(Σ?)(\w[\w.]*)")
SUM = re.compile(r"Σ(?=[^\W\d_])")
TYPED = re.compile(r"""(?<!\w)'(?:[^'\n…]|…(?=[\w']))*(?:'(?!\w)|…)|"[^"'\n]*'[^"\n]*\"""")
"""What stands in quotes, and is somebody else's; without the second quote where its end is left out."""


@lru_cache(maxsize=1 << 12)
def writable(text: str, encoding: str) -> bool:
    """Whether an encoding has all these characters."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def in_encoding(text: str, encoding: str, plain_signs: bool = False, typed: bool = False) -> str:
    """The text as it can be written. `plain_signs`: no signs but those of ASCII, while letters stay as they are.

    `typed`: all of it is somebody else's, as what stands in single quotes is.
    """
    if text.isascii() or (not plain_signs and writable(text, encoding)):
        return text
    if typed:
        return "".join(_typed(character, encoding, plain_signs) for character in text)
    done, end = [], 0
    for found in TYPED.finditer(text):
        quote, cut = found[0], found[0].endswith("…")
        done.append(_own(text[end : found.start()], encoding, plain_signs))
        done.append(in_encoding(quote[:-1] if cut else quote, encoding, plain_signs, typed=True))
        done.append(_own("…", encoding, plain_signs) if cut else "")
        end = found.end()
    return "".join([*done, _own(text[end:], encoding, plain_signs)])


def _own(text: str, encoding: str, plain_signs: bool) -> str:
    """Words and signs of llmtrace."""

    def missing(part: str) -> bool:
        return plain_signs or not writable(part, encoding)

    if missing("√"):
        text = ROOT.sub(lambda root: f"√({root[1]}{root[2]})", text)
    if missing("Σ"):
        text = SUM.sub("Σ ", text)
    text = POWER.sub(lambda power: f"^{power[0].translate(RAISED)}" if missing(power[0]) else power[0], text)
    return "".join(
        SIGNS[character] if character in SIGNS and missing(character) else _typed(character, encoding, plain_signs)
        for character in text
    )


def _typed(character: str, encoding: str, plain_signs: bool) -> str:
    """A character as it is, or escaped."""
    if character.isascii():
        return character
    letter = character.isalpha() or unicodedata.east_asian_width(character) in "WF" or unicodedata.combining(character)
    if writable(character, encoding) and (letter or not plain_signs):
        return character
    return character.encode("ascii", "backslashreplace").decode("ascii")
