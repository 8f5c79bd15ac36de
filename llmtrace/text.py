r"""Text that comes from prompts, models and files, made harmless and visible: nothing in it can steer a terminal.

Whatever Unicode does not count as printable (controls, ESC, bidirectional marks, lone surrogates, odd spaces) is
written as Python writes it, `\x1b` or `\u202e`. The result always goes into `rich.text.Text`, never into markup.
"""

from __future__ import annotations

import re

_ASCII = str.maketrans(
    {
        **{"−": "-", "×": "*", "·": "*", "÷": "/", "–": "-", "—": "-", "√": "sqrt", "Σ": "sum", "π": "pi", "ε": "eps"},
        **{
            "½": "1/2",
            "→": "->",
            "←": "<-",
            "…": "...",
            "✓": "OK",
            "✗": "WRONG",
            "∞": "inf",
            "≈": "~",
        },
        **{"“": '"', "”": '"', "‘": "'", "’": "'", "│": "|", "├": "|", "└": "`", "─": "-", "█": "#"},
    }
)
_POWER = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def inert(text: str) -> str:
    """`text` with every unprintable character written out, line breaks included: always one line."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def shown(text: object, room: int = 200) -> str:
    """A text from outside as an error may print it: one line, nothing that steers a terminal, at most `room` characters."""
    whole = inert(str(text))
    return whole if len(whole) <= room else f"{whole[: room // 2]}…{whole[1 - room + room // 2 :]}"


def cited(text: object, room: int = 80) -> str:
    """The same in quotes: a name or a value that somebody typed, or that stands in a file."""
    return f"'{shown(text, room)}'"


def quoted(text: str, room: int = 0) -> str:
    """A token as it is shown: in quotes, so that its spaces can be seen; only its beginning where there is no room."""
    whole = repr(text)
    if not room or len(whole) * 2 <= room:
        return whole
    from rich.cells import cell_len, set_cell_size  # Rich only where something is shown

    if cell_len(whole) <= room:
        return whole
    return f"{set_cell_size(whole, room - 1).rstrip()}…"


def to_ascii(text: str) -> str:
    r"""The same in ASCII: signs by their plain names, everything else as `\xe9` or `\u4e2d`."""
    text = _POWER.sub(lambda power: f"^{power[0].translate(_DIGITS)}", text)
    return text if text.isascii() else text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")
