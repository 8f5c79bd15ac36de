"""Reading files that others made: only regular ones, never more than is sane, and every failure as one line."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from llmtrace.errors import ModelError
from llmtrace.i18n import N_, _
from llmtrace.storage.foreign import HEAD, TAIL, kind_of
from llmtrace.text import cited, shown

LARGEST_JSON = 64 << 20
"""config.json has a few kilobytes, the index of the largest models a few megabytes."""

SYSTEM = (
    N_("No such file or directory"),
    N_("Not a directory"),
    N_("Is a directory"),
    N_("Permission denied"),
    N_("File name too long"),
    N_("No space left on device"),
    N_("Read-only file system"),
)
"""What operating systems say, to be said in other languages too."""


def reason(error: Exception) -> str:
    """Why reading or writing failed, without the path, which the sentence already names."""
    return _((error.strerror if isinstance(error, OSError) else None) or "") or shown(error)


def refuse(path: Path | str, error: Exception) -> NoReturn:
    """Raises a failure of the system as ModelError."""
    raise ModelError(_("{path} can't be read: {why}", path=shown(path), why=reason(error))) from error


def open_regular(path: Path | str) -> BinaryIO:
    """Opens a file for reading; a folder, a pipe or a device, which could block or never end, is refused."""
    try:
        # Without O_NONBLOCK, opening a named pipe waits until somebody writes to it.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        refuse(path, error)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise ModelError(_("{path} can't be read: it is not a regular file", path=shown(path)))


def read_json(path: Path) -> Any:
    """What a JSON file says."""
    with open_regular(path) as file:
        try:
            content = file.read(LARGEST_JSON + 1)
        except OSError as error:
            refuse(path, error)
    if len(content) > LARGEST_JSON:
        raise ModelError(
            _("{path} can't be read: it has more than {limit} MB", path=shown(path), limit=LARGEST_JSON >> 20)
        )
    try:
        return parse_json(content)
    except ValueError as error:
        kind = kind_of(content[:HEAD], content[-TAIL:])
        raise ModelError(
            _("{path} is {what}", path=shown(path), what=_(kind.what))
            if kind
            else _("{path} is not valid JSON: {why}", path=shown(path), why=error)
        ) from error


def parse_json(content: bytes) -> Any:
    """JSON, strictly: UTF-8, no name twice in one object, no NaN; ValueError says in one line what is wrong."""
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError(_("it is nested too deeply")) from None
    except UnicodeDecodeError as error:
        raise ValueError(_("byte {place} is not UTF-8", place=error.start)) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(_("{name} is there twice", name=cited(name)))
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(_("{name} is not a number of JSON", name=name))
