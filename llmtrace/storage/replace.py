"""Writing files whole or not at all: under a temporary name beside the final one until everything is safely on disk.

A crash or a power cut leaves the old file or the new one; what it leaves of the temporary one, the next writer removes.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from llmtrace.errors import LlmtraceError, ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import reason, shown

ORDINARY = 0o666
"""Who may read and write a new file, less what the user's umask takes away."""
PRIVATE = 0o600
LONGEST = 100
SUFFIX = ".part"

Refusal = type[LlmtraceError]
"""The error that says in one line why a file can't be written."""


def write_whole(
    path: Path, parts: Iterable[bytes | memoryview], refusal: Refusal = ModelError, mode: int = ORDINARY
) -> None:
    """Writes a file, in place of one of that name, whole or not at all."""
    with replacing(path, refusal, mode) as temporary, temporary.open("wb") as file:
        for part in parts:
            file.write(part)


@contextmanager
def replacing(path: Path, refusal: Refusal = ModelError, mode: int = ORDINARY) -> Iterator[Path]:
    """A new empty file to write to, which then gets its real name; after an error nothing of it is left."""
    remove_leftovers(path)
    temporary = _beside(path)
    try:
        _expect_possible(path)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
    except OSError as error:
        refuse(path, error, refusal)
    finally:
        with suppress(OSError, ValueError):  # ValueError: such a name
            temporary.unlink(missing_ok=True)
    _sync_names(path.parent)


@contextmanager
def replacing_files_of(folder: Path) -> Iterator[Path]:
    """A temporary folder to write into, whose files then go to `folder`: at once where that is new, else one by one."""
    remove_leftovers(folder)
    temporary = _beside(folder)
    try:
        _expect_possible(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary
        written = sorted(temporary.iterdir())
        for path in written:
            sync(path)
        _sync_names(temporary)
        if folder.exists():
            for path in written:
                os.replace(path, folder / path.name)
            _sync_names(folder)
        else:
            os.replace(temporary, folder)
    except OSError as error:
        refuse(folder, error, ModelError)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    _sync_names(folder.parent)


def refuse(path: Path, error: Exception, refusal: Refusal) -> NoReturn:
    """Raises a failure to write as the caller's own error."""
    raise refusal(_("{path} can't be written: {why}", path=shown(path), why=reason(error))) from error


def sync(path: Path) -> None:
    """Waits until a file's content, or a folder's list of names, is on disk, so that a power cut can't take it back."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_names(folder: Path) -> None:
    with suppress(OSError):  # some file systems can't sync a folder; the files themselves are safe
        sync(folder)


def remove_leftovers(path: Path) -> None:
    """Removes what a writer of this very file or folder left behind when it was killed."""
    start = _start(path)
    with suppress(OSError, ValueError):
        for name in os.listdir(path.parent):
            writer, _dot, _random = name.removeprefix(start).removesuffix(SUFFIX).partition(".")
            if not (name.startswith(start) and name.endswith(SUFFIX) and _number(writer)) or _alive(int(writer)):
                continue
            leftover = path.parent / name
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                with suppress(OSError):  # another user's
                    leftover.unlink(missing_ok=True)


def _start(path: Path) -> str:
    """How the temporary names of a file begin: short enough, whatever its own name is."""
    return f".{path.name.encode('utf-8', 'ignore')[:LONGEST].decode('utf-8', 'ignore')}."


def _beside(path: Path) -> Path:
    return path.parent / f"{_start(path)}{os.getpid()}.{secrets.token_hex(8)}{SUFFIX}"


def _expect_possible(path: Path) -> None:
    """OSError for a name that no file can have: with a NUL, or half a character."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        pass
    except ValueError as error:
        raise OSError(str(error)) from error


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
