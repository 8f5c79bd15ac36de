"""A lock on a folder: whoever works in it keeps others out, and however it ends, the system takes the lock away."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmtrace.errors import LlmtraceError
from llmtrace.storage.replace import refuse


@contextmanager
def locked(path: Path, busy: LlmtraceError) -> Iterator[None]:
    """Holds the lock that is this file; raises `busy` where another process holds it."""
    try:
        file = path.open("w")
    except OSError as error:
        refuse(path, error, type(busy))
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise busy from error
        yield
