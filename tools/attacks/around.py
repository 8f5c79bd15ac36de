"""What is around a command: places to write to, streams, signals, sizes, others that write, too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import llmtrace
from attacks.stage import PROMPT, SMALL, Attack, Stage, holds, no_file

WRITERS: dict[str, tuple[str, ...]] = {
    "trace": ("trace", PROMPT, "-o"),
    "html": ("ledger", PROMPT, "-o"),
    "svg": ("explain", "logits[-1, 0]", "--prompt", PROMPT, "-o"),
    "png": ("show", "block.0.attn.pattern", "--prompt", PROMPT, "-o"),
    "txt": ("generate", PROMPT, "--steps", "2", "-o"),
    "json": ("tokenize", PROMPT, "-o"),
}


LINES = holds("p.jsonl", b'{"text": "The king"}\n' * 40)


def outputs(stage: Stage) -> Iterator[Attack]:
    """Places to write to that are none, that are full, that belong to others: what was there stays as it was."""
    for ending, command in WRITERS.items():
        name = f"precious.{ending}"
        keep, to = holds(name, b"mine"), (*command, name)
        for kind in ["pipe", "folder", "loop", "link to a pipe", "socket"]:
            make = partial(_no_file_at, f"x.{ending}", kind)
            yield Attack("outputs", f"{ending}: {kind}", (*command, f"x.{ending}"), True, prepare=make)
        yield Attack("outputs", f"{ending}: no folder", (*command, f"none/x.{ending}"), True)
        yield Attack("outputs", f"{ending}: long name", (*command, "x" * 300 + f".{ending}"), True)
        for size in stage.some([0, 1, 100, 500], 2):
            yield Attack("outputs", f"{ending}: full at {size}", to, True, file_size=size, prepare=keep)
        yield Attack("outputs", f"{ending}: read-only", to, True, prepare=partial(_read_only, name))
    train = ("train", stage.diary, "-o", "m", *SMALL)
    for size in [0, 500, 5000]:
        yield Attack("outputs", f"train: full at {size}", train, True, file_size=size)
        export = ("export", "two-files", "m")
        yield Attack("outputs", f"export: full at {size}", export, True, file_size=size, prepare=_foreign)
    yield Attack("outputs", "train: into a foreign folder", train, prepare=_foreign)  # beside what is there, as it is
    yield Attack("outputs", "train: into a file", ("train", stage.diary, "-o", "precious", *SMALL), True, prepare=_file)
    yield Attack("outputs", "no room for what was traced last", ("trace", PROMPT), file_size=0)


_file = holds("precious", b"mine")


def _no_file_at(name: str, kind: str, folder: Path) -> None:
    no_file(folder / name, kind)


def _read_only(name: str, folder: Path) -> None:
    """A file in a folder that nothing can be written to."""
    (folder / name).write_bytes(b"mine")
    (folder / name).chmod(0o400)
    folder.chmod(0o500)


def _foreign(folder: Path) -> None:
    """A folder m with what somebody else has written."""
    (folder / "m").mkdir()
    (folder / "m" / "precious.json").write_bytes(b"mine")


def streams(stage: Stage) -> Iterator[Attack]:
    """Closed streams, readers that go away, standard input that is no text."""
    commands: list[tuple[str, ...]] = [("trace", PROMPT, "--all"), ("generate", PROMPT, "--steps", "5")]
    commands += [("learn", "perceptron"), ("--help",), ("tokenize", PROMPT)]
    for command in commands:
        for closed in [(0,), (1,), (2,), (0, 1, 2), (1, 2)]:
            yield Attack("streams", f"{command[0]} without {closed}", command, closed=closed)
        for reads in [0, 1, 2000]:
            yield Attack("streams", f"{command[0]} read until {reads}", command, reads=reads)
    typed = [b"", b"\xff\xfe", b"\0" * 100, b"\x1b[31m", b"\n" * 10, "\u202e\ud800".encode("utf-8", "surrogatepass")]
    for content in typed:
        yield Attack("streams", f"stdin {content[:9]!r}", ("trace", "-", "--layer", "0"), stdin=content)
        yield Attack("streams", f"exercises {content[:9]!r}", ("learn", "perceptron", "--exercises"), stdin=content)


def signals(stage: Stage) -> Iterator[Attack]:
    """Ctrl-C at random moments: from the first import to the last page."""
    commands: list[tuple[str, ...]] = [
        ("trace", PROMPT, "-o", "x.trace"),
        ("generate", PROMPT, "--steps", "200"),
        ("train", stage.diary, "-o", "m", *SMALL, "--steps", "5000"),
        ("learn", "words", "-o", "x.html"),
        ("verify", str(stage.trace)),
        ("corpus", "p.jsonl", "-o", "index", "--workers", "2"),
    ]
    for command in commands:
        for _ in range(7):
            moment = stage.chance.uniform(0.1, 2.5)
            yield Attack("signals", f"{command[0]} at {moment:.2f} s", command, interrupted=moment, prepare=LINES)


def sizes(stage: Stage) -> Iterator[Attack]:
    """Requests for more than there is: refused before it is tried, or a line that says so, in 600 MB."""
    train = ("train", stage.diary, "-o", "m")
    commands: dict[str, tuple[str, ...]] = {
        "text": ("trace", "The king " * 12_000),
        "ids": ("trace", "--ids", "1 " * 60_000),
        "width": (*train, "--width", "1000000", "--heads", "1"),
        "layers": (*train, "--layers", "10000000"),
        "batch": (*train, "--batch", "1000000000"),
        "context": (*train, "--context", "1000000000"),
        "step": (*train, "--trace-step", "x.trace", "--width", "2000", "--heads", "1", "--layers", "90"),
        "address": ("explain", f"logits[{'9' * 4000}, 0]", "--prompt", PROMPT),
        "workers": ("corpus", "p.jsonl", "-o", "index", "--workers", "1000000"),
    }
    for name, command in commands.items():
        yield Attack("sizes", name, command, name != "workers", memory=600 << 20, prepare=LINES)


def writers(stage: Stage) -> Iterator[Attack]:
    """Several processes that write to one place: in the end, what is there is whole."""
    train = ("train", stage.diary, "-o", "m", *SMALL)
    for _ in range(2):
        yield Attack("writers", "trace", ("trace", PROMPT, "-o", "x.trace"), at_once=5, after=_opens)
        yield Attack("writers", "train", train, at_once=4, after=_loads)
        yield Attack("writers", "corpus", ("corpus", "p.jsonl", "-o", "index"), at_once=4, prepare=LINES)
        yield Attack("writers", "export", ("export", "two-files", "m"), at_once=4)


def _opens(folder: Path) -> bool:
    """Whether a whole trace is there."""
    return bool(llmtrace.open(folder / "x.trace").tokens)


def _loads(folder: Path) -> bool:
    """Whether a whole model is there."""
    return bool(llmtrace.load(folder / "m").weights)
