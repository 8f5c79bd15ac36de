"""The reader's progress: which lessons have been read and which exercises solved, kept in a file of the reader's state."""

from __future__ import annotations

import json
from pathlib import Path

from llmtrace.errors import LlmtraceError
from llmtrace.frozen import frozen
from llmtrace.storage.files import read_json
from llmtrace.storage.replace import PRIVATE, write_whole


@frozen
class Done:
    """The progress in one lesson."""

    pages: int = 0
    """How many pages have been read, from the first on."""
    exercises: tuple[str, ...] = ()
    """The names of the exercises that have been solved."""


def read(path: Path) -> dict[str, Done]:
    """The progress in all lessons, by name; empty where the file is missing or damaged."""
    try:
        notes = read_json(path)
        return {str(name): Done(int(n["pages"]), tuple(map(str, n["exercises"]))) for name, n in notes.items()}
    except (LlmtraceError, OSError, RuntimeError, ValueError, OverflowError, KeyError, TypeError, AttributeError):
        return {}


def note(path: Path, name: str, pages: int = 0, exercise: str = "") -> None:
    """Adds to the progress in the file. An error is ignored: it is not important enough."""
    done = read(path)
    old = done.get(name, Done())
    solved = dict.fromkeys([*old.exercises, exercise] if exercise else old.exercises)
    done[name] = Done(max(old.pages, pages), tuple(solved))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({key: {"pages": d.pages, "exercises": list(d.exercises)} for key, d in done.items()})
        write_whole(path, [text.encode()], mode=PRIVATE)
    except (OSError, RuntimeError, LlmtraceError):
        pass
