"""Which lessons have been read, and which exercises solved: noted beside what was traced last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from llmtrace.errors import LlmtraceError
from llmtrace.storage.replace import PRIVATE, write_whole


@dataclass(frozen=True)
class Done:
    """What has been done of one lesson."""

    pages: int = 0
    """The pages that have been seen, from the first on."""
    exercises: tuple[str, ...] = ()
    """The exercises that have been answered right."""


def read(path: Path) -> dict[str, Done]:
    """What has been done, by lesson; nothing where the file says nothing sensible."""
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): Done(int(n["pages"]), tuple(map(str, n["exercises"]))) for name, n in notes.items()}
    except (OSError, RuntimeError, ValueError, OverflowError, KeyError, TypeError, AttributeError):
        return {}


def note(path: Path, name: str, pages: int = 0, exercise: str = "") -> None:
    """Adds to what has been done. It is not important enough to fail."""
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
