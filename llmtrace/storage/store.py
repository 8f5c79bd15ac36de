"""Writing: whole or not at all. A file has a temporary name beside its final one until it is safely on disk."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.ops.op import Array
from llmtrace.storage.files import reason, shown
from llmtrace.words import _


def save(tensors: Mapping[str, Array], path: Path | str, metadata: Mapping[str, str] | None = None) -> None:
    """Writes a safetensors file, in place of one of that name. Arrays may lie in memory in any way."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path = Path(path)
    # The library silently misplaces the numbers of arrays that are not C-contiguous (turned, stepped): all are made so.
    plain = {n: np.asarray(a, dtype=a.dtype.newbyteorder("<"), order="C") for n, a in tensors.items()}
    with replacing(path) as temporary:
        temporary.touch()
        mode = temporary.stat().st_mode
        try:
            save_file(plain, temporary, dict(metadata or {}))
            temporary.chmod(mode)  # the library makes files that only their owner may read
        except (SafetensorError, KeyError, TypeError) as error:
            raise ModelError(_("{path} can't be written: {why}").format(path=shown(path), why=shown(error))) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name to write a file to, which then gets its real name; after an error nothing of it is left."""
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    except OSError as error:
        raise ModelError(_("{path} can't be written: {why}").format(path=shown(path), why=reason(error))) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_files_of(folder: Path) -> Iterator[Path]:
    """A temporary folder to write into, whose files then go to `folder`: at once where that is new, else one by one."""
    temporary = folder.with_name(f".{folder.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary
        written = sorted(temporary.iterdir())
        for path in written:
            sync(path)
        sync(temporary)
        if folder.exists():
            for path in written:
                os.replace(path, folder / path.name)
            sync(folder)
        else:
            os.replace(temporary, folder)
        sync(folder.parent)
    except OSError as error:
        raise ModelError(
            _("{folder} can't be written: {why}").format(folder=shown(folder), why=reason(error))
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sync(path: Path) -> None:
    """Waits until a file's content, or a folder's list of names, is on disk, so that a power cut can't take it back."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
