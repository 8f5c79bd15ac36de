"""What an attack is, and what all attacks share."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import llmtrace

ROOT = Path(__file__).resolve().parents[2]
LLMTRACE = str(Path(sys.executable).parent / "llmtrace")
PROMPT = "The king had a child"
DIARY = "The king had a child, a girl. The girl had a lamp. "
SMALL = ("--layers", "1", "--heads", "1", "--width", "4", "--context", "8", "--steps", "2", "--vocabulary", "260")
NO_FILES = ["pipe", "folder", "loop", "dangling link", "link to a pipe", "socket", "a terabyte", "unreadable"]
T = TypeVar("T")
Step = Callable[[Path], object]
"""What is done in the folder of an attack."""


@dataclass(frozen=True)
class Attack:
    """A command, and what is the matter around it."""

    kind: str
    name: str
    arguments: tuple[str | bytes, ...]
    refused: bool = False
    """Whether exit code 0 would be wrong."""
    environment: dict[str, str | bytes] = field(default_factory=dict)
    stdin: bytes | None = None
    closed: tuple[int, ...] = ()
    reads: int | None = None
    """Bytes after which whoever reads the output goes away."""
    interrupted: float | None = None
    """Seconds until Ctrl-C."""
    file_size: int | None = None
    memory: int | None = None
    encoding: str = "utf-8"
    at_once: int = 1
    prepare: Callable[[Path], object] = lambda folder: None
    after: Callable[[Path], bool] = lambda folder: True


@dataclass(frozen=True)
class Stage:
    """What all attacks share: a folder to work in, a model, a trace and a training that are right, and the chance."""

    scratch: Path
    model: Path
    trace: Path
    trained: Path
    chance: random.Random

    @classmethod
    def built(cls, scratch: Path, chance: random.Random) -> Stage:
        """A stage in a new folder."""
        model, trained, diary = scratch / "model", scratch / "trained", scratch / "diary.txt"
        shutil.copytree(ROOT / "llmtrace" / "data" / "tiny", model)
        llmtrace.load(model).trace("a cat").save(scratch / "good.trace", with_weights=True)
        diary.write_text(DIARY * 20, encoding="utf-8")
        subprocess.run([LLMTRACE, "train", diary, "-o", trained, *SMALL], check=True, capture_output=True)
        return cls(scratch, model, scratch / "good.trace", trained, chance)

    @property
    def diary(self) -> str:
        """The path of a text to train on."""
        return str(self.scratch / "diary.txt")

    def some(self, what: list[T], count: int) -> list[T]:
        """That many of them, drawn at random."""
        return self.chance.sample(what, min(count, len(what)))


def holds(name: str, content: bytes) -> Step:
    """A file of the attack's folder with this content."""
    return lambda folder: (folder / name).write_bytes(content)


def no_file(path: Path, kind: str) -> None:
    """Something at `path` that is no regular file, or one of a terabyte."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "dangling link":
        path.symlink_to("nowhere")
    elif kind == "link to a pipe":
        os.mkfifo(path.with_name("pipe"))
        path.symlink_to("pipe")
    elif kind == "socket":
        here = os.open(path.parent, os.O_PATH)
        socket.socket(socket.AF_UNIX).bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)
    elif kind == "unreadable":
        path.symlink_to("/proc/self/mem")
    elif kind == "a terabyte":
        with path.open("wb") as file:
            file.truncate(1 << 40)
