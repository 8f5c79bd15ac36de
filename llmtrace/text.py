r"""Text that comes from prompts, models and files, made harmless and visible: nothing in it can steer a terminal.

Whatever Unicode does not count as printable (controls, ESC, bidirectional marks, lone surrogates, odd spaces) is
written as Python writes it, `\x1b` or `\u202e`. The result always goes into `rich.text.Text`, never into markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from unicodedata import category

BYTE = re.compile("<0x([0-9A-F]{2})>")
"""How a byte that is only a part of a character is written."""
MOSTBYTES = 4
"""Of a character in UTF-8."""


def inert(text: str) -> str:
    """`text` with every unprintable character written out, line breaks included: always one line."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def flowing(text: str) -> str:
    """A text that a model has written, to be read or kept in a file: its lines, tabs, spaces and joiners are themselves, and all
    that could steer a terminal or hide something is written out.
    """
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t\u200c\u200d" or category(c) == "Zs" else inert(c) for c in text)


def shown(text: object, room: int = 200) -> str:
    """A text from outside as an error may print it: one line, nothing that steers a terminal, at most `room` characters."""
    whole = inert(str(text))
    return whole if len(whole) <= room else f"{whole[: room // 2]}…{whole[1 - room + room // 2 :]}"


def cited(text: object, room: int = 80) -> str:
    """The same in quotes: a name or a value that somebody typed, or that stands in a file. A number, or what else is no text,
    stands without them.
    """
    said = shown(text, room)
    return said if text is None or isinstance(text, (int, float, list, tuple, dict)) else f"'{said}'"


def as_size(count: float) -> str:
    """A number of bytes to read: `1.2 kB`."""
    size, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.0f} {units[0]}" if units[0] == "B" or size >= 99.5 else f"{size:.1f} {units[0]}"


def quoted(text: str, room: int = 0) -> str:
    """A token as it is shown: in quotes, so that its spaces can be seen; only its beginning where there is no room."""
    whole = repr(text)
    if not room or len(whole) * 2 <= room:
        return whole
    from rich.cells import cell_len, set_cell_size  # Rich only where something is shown

    if cell_len(whole) <= room:
        return whole
    return f"{set_cell_size(whole, room - 1).rstrip()}…"


def split_characters(tokens: Sequence[str]) -> list[tuple[int, int, str]]:
    """The characters that are split over several tokens: from which token to which, and the text of those tokens."""
    found, start = [], 0
    while start < len(tokens):
        data, end = b"", start
        while end < len(tokens) and BYTE.search(tokens[end]):
            data, end = data + _bytes(tokens[end]), end + 1
            with suppress(UnicodeDecodeError):
                found.append((start, end, data.decode()))
                break
            if end - start > MOSTBYTES:
                break
        start = found[-1][1] if found and found[-1][0] == start else start + 1
    return found


def token_words(tokens: Sequence[str], room: int = 0) -> list[str]:
    """Tokens in quotes; those that a character is split over together: `'中' (E4 B8 AD)`."""
    split = {start: (end, text) for start, end, text in split_characters(tokens)}
    words, place = [], 0
    while place < len(tokens):
        end, text = split.get(place, (place + 1, tokens[place]))
        parts = " ".join(map(token_bytes, tokens[place:end]))
        words.append(f"{quoted(text, room)} ({parts})" if place in split else quoted(text, room))
        place = end
    return words


def token_bytes(token: str) -> str:
    """The hexadecimal digits of a token that is a part of a character, such as E4; any other as it is."""
    return _bytes(token).hex().upper() if BYTE.search(token) else token


def token_label(token: str, room: int = 0) -> str:
    """A token at a row or column: in quotes, or the hexadecimal digits of a part of a character."""
    return token_bytes(token) if BYTE.search(token) else quoted(token, room)


def _bytes(token: str) -> bytes:
    parts = BYTE.split(token)  # text, digits, text, digits, text
    return b"".join(bytes.fromhex(part) if n % 2 else part.encode("utf-8", "replace") for n, part in enumerate(parts))
