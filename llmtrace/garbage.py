"""Python's search for circles of references, left out where none are: it goes through all that is new, again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

PATIENT = 100_000
"""New objects before the next search, for a process that runs a command: neither runs nor training make circles."""


@contextmanager
def no_collections() -> Iterator[None]:
    """No search meanwhile."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def collect_seldom() -> None:
    """Searches seldom from now on: a short command ends before the first."""
    gc.set_threshold(PATIENT)
