"""Writing files whole or not at all: under a temporary name beside the final one until everything is safely on disk.

A crash or a power cut leaves the old file or the new one; what it leaves of the temporary one, the next writer removes.
Only regular files are replaced: a link stays a link, and what it leads to is written; a device, a pipe, a folder or a file
that may not be written is refused. The new file has the mode of the old one.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from llmtrace.errors import LlmtraceError, ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import reason
from llmtrace.text import shown

ORDINARY = 0o666
"""Who may read and write a new file, less what the user's umask takes away."""
PRIVATE = 0o600
WRITABLE = 0o222
"""A file that nobody may write is left alone, by root as well."""
LONGEST = 100
SUFFIX = ".part"

WRITING: set[str] = set()
"""The names of temporary files and folders that this process is writing."""

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
    named, temporary = path, path
    try:
        path = _behind_links(named)
        remove_leftovers(path)
        temporary = _beside(path)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        _like_the_old(temporary, path)
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
    except OSError as error:
        refuse(named, error, refusal)
    finally:
        if temporary != named:
            WRITING.discard(temporary.name)
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    _sync_names(path.parent)


@contextmanager
def replacing_files_of(folder: Path) -> Iterator[Path]:
    """A temporary folder to write into, whose files then go to `folder`: at once where that is new, else one by one."""
    remove_leftovers(folder)
    temporary = _beside(folder)
    try:
        _expect_possible(folder)
        folder = Path(os.path.realpath(folder))
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary
        written = sorted(temporary.iterdir())
        for path in written:
            sync(path)
        _sync_names(temporary)
        if folder.exists():
            targets = [_behind_links(folder / path.name) for path in written]
            for path, target in zip(written, targets, strict=True):
                _like_the_old(path, target)
                os.replace(path, target)
            _sync_names(folder)
        else:
            os.replace(temporary, folder)
    except OSError as error:
        refuse(folder, error, ModelError)
    finally:
        WRITING.discard(temporary.name)
        _remove(temporary)
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
            if not (name.startswith(start) and name.endswith(SUFFIX) and _number(writer)):
                continue
            if _writes(int(writer), name):
                continue
            leftover = path.parent / name
            if leftover.is_dir() and not leftover.is_symlink():
                _remove(leftover)
            else:
                with suppress(OSError):  # another user's
                    leftover.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    import shutil  # for folders only: most writers write one file

    shutil.rmtree(folder, ignore_errors=True)


def _start(path: Path) -> str:
    """How the temporary names of a file begin: short enough, whatever its own name is."""
    return f".{path.name.encode('utf-8', 'ignore')[:LONGEST].decode('utf-8', 'ignore')}."


def _beside(path: Path) -> Path:
    temporary = path.parent / f"{_start(path)}{os.getpid()}.{os.urandom(8).hex()}{SUFFIX}"
    WRITING.add(temporary.name)
    return temporary


def _expect_possible(path: Path) -> None:
    """OSError for a name that no file can have: with a NUL, or half a character."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        pass
    except ValueError as error:
        raise OSError(str(error)) from error


def _behind_links(path: Path) -> Path:
    """The file that a name leads to; OSError where that is there and can't be replaced by a new file."""
    _expect_possible(path)
    if path.is_symlink():
        path = Path(os.path.realpath(path))
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return path
    if stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(there.st_mode):
        raise OSError(_("it is not a regular file"))
    if not there.st_mode & WRITABLE or not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return path


def _like_the_old(new: Path, old: Path) -> None:
    """The mode of the file that is replaced, and its owner where that can be."""
    try:
        there = os.lstat(old)
    except FileNotFoundError:
        return
    if hasattr(os, "chown") and (there.st_uid, there.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(OSError):  # not everybody may
            os.chown(new, there.st_uid, there.st_gid)
    os.chmod(new, stat.S_IMODE(there.st_mode))


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _writes(process: int, temporary: str) -> bool:
    """Whether a process may still write this; in a container the one that was killed had the same number."""
    return temporary in WRITING if process == os.getpid() else _alive(process)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
