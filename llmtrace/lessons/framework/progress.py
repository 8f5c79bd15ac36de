"""The reader's progress: which lessons have been read and which exercises solved, kept in a file of the reader's state."""

from __future__ import annotations

import json
from pathlib import Path

from llmtrace.errors import LlmtraceError
from llmtrace.frozen import frozen
from llmtrace.storage.files import parse_json, read_bytes
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
        return _parsed(read_bytes(path))
    except (LlmtraceError, OSError, RuntimeError, ValueError):
        return {}


def _parsed(content: bytes) -> dict[str, Done]:
    try:
        notes = parse_json(content)
        return {str(name): Done(int(n["pages"]), tuple(map(str, n["exercises"]))) for name, n in notes.items()}
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError):
        return {}


def note(path: Path, name: str, pages: int = 0, exercise: str = "") -> None:
    """Adds to the progress in the file. An error is ignored: it is not important enough; nothing is then written."""
    try:
        done = _parsed(read_bytes(path)) if path.exists() else {}
    except (LlmtraceError, OSError, RuntimeError, ValueError):
        return  # what can't be read now is not lost
    old = done.get(name, Done())
    solved = dict.fromkeys([*old.exercises, exercise] if exercise else old.exercises)
    done[name] = Done(max(old.pages, pages), tuple(solved))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({key: {"pages": d.pages, "exercises": list(d.exercises)} for key, d in done.items()})
        write_whole(path, [text.encode()], mode=PRIVATE)
    except (OSError, RuntimeError, LlmtraceError):
        pass
