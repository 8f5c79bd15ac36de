r"""Text in the characters that an output has: llmtrace's own signs by plain names, all else that is missing as `\u4e2d`.

What users, models and files wrote must never look like another text, so a sign in quotes is not replaced but escaped. Here, too:
standard streams to which all of a text is written, whatever whoever started the command has done to them.
"""

from __future__ import annotations

import io
import os
import re
import sys
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
WRITTEN = ("stdout", "stderr")
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


def prepare_streams() -> None:
    """Makes the standard streams such that a command can write to them, and knows when it could not."""
    open_closed_streams()
    write_whole_texts()
    for name in WRITTEN:
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # what an encoding lacks is shown as an escape


def open_closed_streams() -> None:
    """A standard stream that whoever started the command has closed is one that nobody reads: cron and services do so."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # in the order of their numbers
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - until the process ends


def write_whole_texts() -> None:
    """With PYTHONUNBUFFERED, Python loses the rest of a text without a word where the system takes only its beginning.

    A write that is stopped and goes on, or a disk that becomes full, takes a part; only a buffered stream writes the rest, or
    fails. Lines still appear at once.
    """
    for name in WRITTEN:
        stream = getattr(sys, name)
        if isinstance(getattr(stream, "buffer", None), io.FileIO):
            how = {"encoding": stream.encoding, "errors": stream.errors}
            whole = open(stream.fileno(), "w", closefd=False, **how)  # noqa: SIM115 - until the process ends
            whole.reconfigure(line_buffering=True)
            setattr(sys, name, whole)


def discard_output() -> None:
    """Leaves nothing for Python to write, and fail at again, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
