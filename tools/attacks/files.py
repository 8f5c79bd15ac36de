"""What is read: hostile contents, and things that are no files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from helpers import hostile

from attacks.stage import DIARY, NO_FILES, PROMPT, SMALL, Attack, Stage, Step, holds, no_file

MODEL = ("trace", "a cat", "--model", "model")


def parts(stage: Stage, folder: Path, **changed: Step) -> None:
    """The good model at `folder`/model, as links, with some parts made by others."""
    (folder / "model").mkdir()
    for path in stage.model.iterdir():
        if path.name not in changed:
            (folder / "model" / path.name).symlink_to(path)
    for name, make in changed.items():
        make(folder / "model" / name)


def part(stage: Stage, name: str, content: bytes) -> Step:
    """The good model with this in one of its files."""
    return partial(parts, stage, **{name: lambda path: path.write_bytes(content)})


def damaged(stage: Stage, name: str, content: bytes, folder: Path) -> None:
    """The good training at `folder`/m, with this in one of its files."""
    shutil.copytree(stage.trained, folder / "m")
    (folder / "m" / "training" / name).write_bytes(content)


def files(stage: Stage) -> Iterator[Attack]:
    """Hostile contents, each in a file of a model, a trace, a training, a recipe, a list of prompts."""
    yield from _models(stage)
    yield from _beside(stage)
    yield from _damaged(stage)
    for ending in ["gguf", "bin"]:
        for content in [b"", b"GGUF", b"GGUF" + b"\xff" * 60, bytes(4096), stage.chance.randbytes(3000)]:
            command = ("trace", "a", "--model", f"m.{ending}")
            yield Attack("files", f".{ending} {content[:6]!r}", command, True, prepare=holds(f"m.{ending}", content))


def _models(stage: Stage) -> Iterator[Attack]:
    weights = [(name, content) for name, content in hostile.weight_files() if len(content) < 1 << 22]
    for name, content in stage.some(weights, 16):
        yield Attack("files", f"weights: {name}", MODEL, True, prepare=part(stage, "model.safetensors", content))
    for file in ("config.json", "tokenizer.json"):
        for name, content in stage.some(list(hostile.JSON.items()), 8):
            yield Attack("files", f"{file}: {name}", MODEL, True, prepare=part(stage, file, content))


def _beside(stage: Stage) -> Iterator[Attack]:
    for name, content in stage.some(list(hostile.trace_files(stage.trace)), 16):
        command = stage.chance.choice([("verify", "x.trace"), ("show", "x.trace"), ("show", "x.trace", "logits")])
        yield Attack("files", f"trace: {name}", command, True, prepare=holds("x.trace", content))
    for name, content in stage.some(list(hostile.JSON.items()), 6):
        recipe, prompts = ("trace", PROMPT, "--recipe", "x.json"), ("corpus", "x.jsonl", "-o", "index")
        yield Attack("files", f"recipe: {name}", recipe, True, prepare=holds("x.json", content))
        yield Attack("files", f"prompts: {name}", prompts, name != "a text", prepare=holds("x.jsonl", content))
        state = stage.chance.choice(["plan.json", "log.jsonl", "tokens", "state.safetensors"])
        resume = ("train", "-o", "m", "--resume")
        yield Attack("files", f"{state}: {name}", resume, prepare=partial(damaged, stage, state, content))
    texts = {"no UTF-8": b"\xff" * 500, "empty": b"", "UTF-16": DIARY.encode("utf-16"), "zeros": bytes(5000)}
    for name, content in texts.items():
        must = name != "zeros"
        command = ("train", "d.txt", "-o", "m", *SMALL)
        yield Attack("files", f"text: {name}", command, must, prepare=holds("d.txt", content), after=nothing_left(must))


def nothing_left(failed: bool) -> Step:
    """Whether a training that failed has left no folder."""
    return lambda folder: not failed or not (folder / "m").exists()


def _damaged(stage: Stage) -> Iterator[Attack]:
    """A few bytes changed, or an end that is missing: a trace is refused, a model may be another one."""
    good = {path.name: path.read_bytes() for path in [*stage.model.iterdir(), stage.trace] if path.is_file()}
    for name in ["model.safetensors", "tokenizer.json", stage.trace.name]:
        for _ in range(6):
            content = bytearray(good[name])
            for _ in range(stage.chance.choice([1, 3, 30])):
                content[stage.chance.randrange(len(content))] ^= stage.chance.randrange(1, 256)
            if stage.chance.random() < 0.3:
                content = content[: stage.chance.randrange(len(content))]
            if name == stage.trace.name:
                other = bytes(content) != good[name]
                put = holds("x.trace", bytes(content))
                yield Attack("files", f"damaged {name}", ("verify", "x.trace"), other, prepare=put)
            else:
                yield Attack("files", f"damaged {name}", MODEL, prepare=part(stage, name, bytes(content)))


def special(stage: Stage) -> Iterator[Attack]:
    """Pipes, folders, links in circles, sockets and endless files where a file belongs that is read."""
    commands = {
        "trace": ("verify", "x.trace"),
        "json": ("trace", PROMPT, "--recipe", "x.json"),
        "jsonl": ("corpus", "x.jsonl", "-o", "index"),
        "txt": ("train", "x.txt", "-o", "m", *SMALL),
        "gguf": ("trace", "a", "--model", "x.gguf"),
        "npz": ("compare", "a", "x.npz"),
        "md": ("surprise", "x.md"),
        "bin": ("trace", "a", "--model", "x.bin"),
    }
    for kind in NO_FILES:
        for file in stage.some(["model.safetensors", "config.json", "tokenizer.json"], 2):
            make = partial(parts, stage, **{file: partial(no_file, kind=kind)})
            yield Attack("special", f"{file}: {kind}", MODEL, True, prepare=make)
        for ending, command in stage.some(list(commands.items()), 6):
            if (ending, kind) == ("txt", "a terabyte"):
                continue  # a text is read piece by piece, however long, and what is read of it is shown
            yield Attack("special", f"x.{ending}: {kind}", command, True, prepare=_instead(f"x.{ending}", kind))


def _instead(name: str, kind: str) -> Step:
    return lambda folder: no_file(folder / name, kind)
