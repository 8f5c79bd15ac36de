"""Reading files that others made: only regular ones, never more than is sane, and every failure as one line."""

from __future__ import annotations

import io
import json
import math
import os
import re
import stat
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from llmtrace.errors import ModelError
from llmtrace.garbage import no_collections
from llmtrace.i18n import N_, _
from llmtrace.storage.foreign import HEAD, TAIL, kind_of
from llmtrace.text import cited, shown

LARGEST_JSON = 64 << 20
"""config.json has a few kilobytes, the index of the largest models a few megabytes, tokenizer.json up to 40."""
MOST_DIGITS = 1000
"""So many digits of a number are more than any file means; to read one takes time with the square of them."""
STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""The texts of JSON, one that nothing ends included."""
HALVES = re.compile(rb"\\u[dD][89a-fA-F]")
"""How JSON writes half a character (a surrogate)."""

SYSTEM = (
    N_("No such file or directory"),
    N_("Not a directory"),
    N_("Is a directory"),
    N_("Permission denied"),
    N_("File name too long"),
    N_("No space left on device"),
    N_("Read-only file system"),
    N_("Cannot allocate memory"),
)
"""What operating systems say, to be said in other languages too."""


def reason(error: Exception) -> str:
    """Why reading or writing failed, without the path, which the sentence already names."""
    if isinstance(error, MemoryError):
        return _("Cannot allocate memory")
    return _((error.strerror if isinstance(error, OSError) else None) or "") or shown(error)


def refuse(path: Path | str, error: Exception) -> NoReturn:
    """Raises a failure of the system as ModelError."""
    raise ModelError(_("{path} can't be read: {why}", path=shown(path), why=reason(error))) from error


class _Regular(io.FileIO):
    """A file whose failures are those of reading it, whoever reads: a bad disk, a file of the system that only looks like one."""

    path: Path | str = ""

    def readinto(self, buffer: Any) -> int | None:
        """Like that of io.FileIO, but for the error."""
        try:
            return super().readinto(buffer)
        except OSError as error:
            refuse(self.path, error)

    def readall(self) -> bytes | None:  # type: ignore[override]  # None where nothing is there yet, as of io.FileIO
        """Like that of io.FileIO, but for the error."""
        try:
            return super().readall()
        except OSError as error:
            refuse(self.path, error)


def open_regular(path: Path | str) -> BinaryIO:
    """Opens a file for reading; a folder, a pipe or a device, which could block or never end, is refused."""
    handle = -1
    try:
        if stat.S_ISREG(os.stat(path).st_mode):  # what only opening it can do to a device is not done to it
            # Without O_NONBLOCK, opening a named pipe that has come there meanwhile waits until somebody writes to it.
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        refuse(path, error)
    if handle >= 0 and stat.S_ISREG(os.fstat(handle).st_mode):
        file = _Regular(handle, "rb")
        file.path = path
        return io.BufferedReader(file)
    if handle >= 0:
        os.close(handle)
    raise ModelError(_("{path} can't be read: it is not a regular file", path=shown(path)))


def read_bytes(path: Path, limit: int = LARGEST_JSON) -> bytes:
    """The whole of a regular file that has at most `limit` bytes; a larger one is refused before anything is read."""
    with open_regular(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            content = file.read(size + 1) if size <= limit else b""  # Python takes memory for all that is asked for
            if len(content) > size:  # it has grown meanwhile
                content += file.read(limit + 1 - len(content))
        except (OSError, MemoryError) as error:
            refuse(path, error)
    if max(size, len(content)) > limit:
        raise ModelError(_("{path} can't be read: it has more than {limit} MB", path=shown(path), limit=limit >> 20))
    return content


def read_text(path: Path, limit: int = LARGEST_JSON) -> str:
    """The text of a file, which is UTF-8."""
    content = read_bytes(path, limit)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(path, ValueError(_("byte {place} is not UTF-8", place=error.start)))


def read_json(path: Path, limit: int = LARGEST_JSON, values: int | None = None) -> Any:
    """What a JSON file of at most `limit` bytes and `values` values says."""
    content = read_bytes(path, limit)
    try:
        return parse_json(content, values)
    except ValueError as error:
        kind = kind_of(content[:HEAD], content[-TAIL:])
        raise ModelError(
            _("{path} is {what}", path=shown(path), what=kind.said())
            if kind
            else _("{path} is not valid JSON: {why}", path=shown(path), why=error)
        ) from error


def parse_json(content: bytes, values: int | None = None, *, halves: bool = False) -> Any:
    """JSON, strictly: UTF-8, no name twice in one object, no NaN or infinity, no number of thousands of digits, not more
    than `values` values, and unless they are allowed no halves of characters; ValueError says in one line what is wrong.
    """
    if values is not None and _most_values(content) > values and _most_values(STRINGS.sub(b"", content)) > values:
        raise ValueError(_("it says more than {count} things", count=values))
    try:
        with no_collections():  # JSON has no circles, and among millions of lists the search takes most of the time
            found = _DECODER.decode(content.decode("utf-8-sig"))
            if not halves and HALVES.search(content):
                json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError(_("it is nested too deeply")) from None
    except UnicodeDecodeError as error:
        raise ValueError(_("byte {place} is not UTF-8", place=error.start)) from None
    except UnicodeEncodeError as error:
        half = f"U+{ord(error.object[error.start]):04X}"
        raise ValueError(_("{half} in it is half a character", half=half)) from None
    return found


def _most_values(content: bytes) -> int:
    """At least as many as there are values: before each stands a comma or a bracket, but for the first and behind a name."""
    return sum(map(content.count, (b",", b"[", b"{"))) + 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _times), *_others = Counter(name for name, _value in pairs).most_common(1)
        raise ValueError(_("{name} is there twice", name=cited(twice)))
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(_("{name} is not a number of JSON", name=name))


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(_("it has a number of {count} digits", count=len(digits)))
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > MOST_DIGITS:
        raise ValueError(_("it has a number of {count} digits", count=len(digits)))
    if math.isinf(float(digits)):
        raise ValueError(_("{number} is beyond all numbers that can be read", number=digits))
    return float(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_whole, parse_float=_float)
