#!/usr/bin/env python
"""The hash of everything that a run computes, for every way of running it. Prints one JSON object.

    python tools/run_hash.py              # all ways, all models
    python tools/run_hash.py --small      # fewer, in a few seconds
    python tools/run_hash.py --small --once  # fewest, in a second or two
    python tools/run_hash.py --functions 1048576  # elementary functions too, over so many floats

This is what tools/hash_matrix.py, tools/check_aarch64.py and tests/csrc/test_determinism.py have in common. Models and
sequences come from integers, so they are the same on every machine. A hash is taken over names, shapes and bytes; only
a NaN's sign and payload, which IEEE 754 leaves open, are made alike.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import train_hash

import llmtrace
from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.encodings import write_whole_texts
from llmtrace.models import GPT, GPTConfig, KVCache
from llmtrace.weights.gpt import GPT2

SEQUENCES = 8
THREADS = (1, 2, 3)
BATCHES = (1, 3, 8)
CACHE_ONLY = (".keys", ".values", ".past")
MASKED = {"scores": -np.inf, "pattern": 0.0}  # what stands at keys that a query does not see


class Case(NamedTuple):
    """A model, the length of what it reads, and whether its head is tied to its embedding."""

    config: GPTConfig
    tokens: int
    tied: bool = False
    overflows: bool = False


CASES = {
    "odd": Case(GPTConfig(vocabulary=97, context=64, width=60, heads=5, blocks=2, hidden=253), 37),
    "full panels": Case(GPTConfig(vocabulary=300, context=48, width=128, heads=2, blocks=2, hidden=512), 40, tied=True),
    "overflowing": Case(
        GPTConfig(vocabulary=31, context=32, width=20, heads=4, blocks=2, hidden=50), 21, overflows=True
    ),
}


def integers(seed: int, count: int) -> Array:
    """Well-mixed 64-bit integers: SplitMix64 (Steele, Lea & Flood 2014), a function of seed and place alone."""
    z = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(seed << 32)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def numbers(seed: int, shape: tuple[int, ...], size: float) -> Array:
    """float32 numbers from −size to size: an integer of 24 bits, times a power of two, times `size`, rounded once."""
    whole = (integers(seed, int(np.prod(shape))) >> np.uint64(40)).astype(np.int64) - 2**23
    return (whole.astype(np.float32) * np.float32(2.0**-23) * np.float32(size)).reshape(shape)


def build_model(case: Case) -> GPT:
    """The model of a case. One that overflows has an embedding so large that the layer norms after it give NaN."""
    shapes = GPT2.shapes(case.config)
    if not case.tied:
        shapes["lm_head.weight"] = shapes["wte.weight"]
    stored = {}
    for seed, (name, shape) in enumerate(shapes.items()):
        stored[name] = numbers(seed, shape, 0.1 if len(shape) == 1 else 0.3)
        if "ln_" in name and name.endswith(".weight"):
            stored[name] += np.float32(1)
    if case.overflows:
        stored["wte.weight"][0] = np.float32(3e38)
    return GPT(case.config, GPT2.weights(case.config, stored, "made of integers"))


def sequences(case: Case) -> Array:
    """Different texts as token ids. Where the model overflows, every other one has the token that makes it do so."""
    ids = integers(999, SEQUENCES * case.tokens).reshape(SEQUENCES, case.tokens) % np.uint64(case.config.vocabulary)
    if case.overflows:
        ids[ids == 0] = 1
        ids[::2, case.tokens // 2] = 0
    return ids.astype(np.int64)


# ---- ways of running -------------------------------------------------------------------------------------------------


class Way(NamedTuple):
    """How to run the same sequences."""

    threads: int
    batch: int
    reading: str
    traced: bool

    def __str__(self) -> str:
        kept = "traced" if self.traced else "untraced"
        return f"{self.threads} threads, {self.batch} at once, {self.reading}, {kept}"


def whole(tokens: int) -> list[int]:
    return [tokens]


def one_by_one(tokens: int) -> list[int]:
    return [1] * tokens


def in_chunks(tokens: int) -> list[int]:
    """1 to 9 tokens at once, by lot."""
    sizes: list[int] = []
    for lot in integers(tokens, tokens):
        sizes.append(min(int(lot % np.uint64(9)) + 1, tokens - sum(sizes)))
        if sum(sizes) == tokens:
            break
    return sizes


READINGS: dict[str, Callable[[int], list[int]]] = {
    "prefill": whole,
    "token by token": one_by_one,
    "chunks": in_chunks,
}


def ways(small: bool = False, once: bool = False) -> Iterator[Way]:
    """All combinations; or few, with any two settings together in at least one; or fewer, with each setting in one,
    of which the last is both traced and untraced. The first is what the others are compared with.
    """
    for way in itertools.starmap(Way, itertools.product(THREADS, BATCHES, READINGS, (True, False))):
        places = (THREADS.index(way.threads), BATCHES.index(way.batch), list(READINGS).index(way.reading))
        if once:
            kept = len({*places}) == 1 and (way.traced or places[0]) and not (way.traced and places[0] == 1)
        else:
            kept = not small or sum(places) % 3 == 0
        if kept:
            yield way


def run(model: GPT, ids: Array, way: Way) -> dict[str, Array]:
    """What `model` computes for `ids`, run in one way: [sequence, …] by name; only the logits where not traced."""
    llmtrace.set_threads(way.threads)
    groups = [ids[i : i + way.batch] for i in range(0, len(ids), way.batch)]
    parts = [_run_group(model, group[0] if way.batch == 1 else group, way) for group in groups]
    if way.batch == 1:
        parts = [{name: array[None] for name, array in part.items()} for part in parts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _run_group(model: GPT, ids: Array, way: Way) -> dict[str, Array]:
    ends = list(itertools.accumulate(READINGS[way.reading](ids.shape[-1])))
    cache = None if way.reading == "prefill" else KVCache()
    found: dict[str, list[Array]] = {}
    names: dict[str, Axes] = {}
    for begin, end in itertools.pairwise([0, *ends]):
        piece = ids[..., begin:end].tolist()
        if not way.traced:
            found.setdefault("logits", []).append(model.logits(piece, cache))
            names["logits"] = ("position", "vocabulary")
            continue
        trace = model.trace(piece, cache)
        for name in [*trace.leaves, *trace]:
            if not name.endswith(CACHE_ONLY):
                found.setdefault(name, []).append(np.array(trace.tensor(name)))
                names[name] = trace.axes(name)
    return {name: _joined(name, pieces, names[name]) for name, pieces in found.items()}


def _joined(name: str, pieces: list[Array], axes: Axes) -> Array:
    """Pieces one behind the other along positions; rows of early queries filled up to as many keys as the last has."""
    place = next(axis - len(axes) for axis, kind in enumerate(axes) if kind in {"position", "query"})
    if axes[-1] == "key":
        keys = pieces[-1].shape[-1]
        fill = MASKED[name.rpartition(".")[2]]
        pieces = [np.pad(p, [(0, 0)] * (p.ndim - 1) + [(0, keys - p.shape[-1])], constant_values=fill) for p in pieces]
    return np.concatenate(pieces, axis=place)


# ---- hashes ----------------------------------------------------------------------------------------------------------


def digest(name: str, array: Array) -> str:
    """SHA-256 of a name, a shape, a type and little-endian bytes, all NaN alike."""
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
    data = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return hashlib.sha256(f"{name} {array.shape} {array.dtype.name}\n".encode() + data.tobytes()).hexdigest()


def digests(tensors: Mapping[str, Array]) -> dict[str, str]:
    """The hash of each tensor."""
    return {name: digest(name, array) for name, array in tensors.items()}


def together(each: Mapping[str, str]) -> str:
    """One hash of all of them, in their order."""
    return hashlib.sha256("\n".join(f"{name} {value}" for name, value in each.items()).encode()).hexdigest()


def differing(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """The names whose hashes are not the same; of an untraced run only those that it has."""
    names = list(expected) if len(found) > 1 else list(found)
    names += [name for name in found if name not in expected]
    return [name for name in names if expected.get(name) != found.get(name)]


def hash_case(case: Case, small: bool = False, once: bool = False) -> dict[str, Any]:
    """The hash of one case, the number of runs, and what came out differently in which."""
    model, ids = build_model(case), sequences(case)
    expected: dict[str, str] = {}
    wrong: dict[str, list[str]] = {}
    count = 0
    for way in ways(small, once):
        found = digests(run(model, ids, way))
        expected = expected or found
        if names := differing(expected, found):
            wrong[str(way)] = names
        count += 1
    return {"hash": together(expected), "runs": count, "tensors": expected, "differing": wrong}


def hash_training(name: str, small: bool = False) -> dict[str, Any]:
    """The same of a training of a few steps."""
    expected, wrong, count = train_hash.hash_case(train_hash.CASES[name], integers, digests, small)
    return {"hash": together(expected), "runs": count, "tensors": expected, "differing": wrong}


def hash_functions(count: int) -> dict[str, str]:
    """The hash of every elementary function over `count` floats from all bit patterns, and over fewer doubles."""
    result = {}
    for dtype, kind, many in (("float32", "uint32", count), ("float64", "uint64", count // 64)):
        step = 2 ** (8 * np.dtype(kind).itemsize) // many + 1
        x = np.multiply(np.arange(many, dtype=kind), step, dtype=kind).view(dtype)
        for name in (
            name for name, (inputs, settings, _) in _kernels.ELEMENTWISE.items() if (inputs, settings) == (1, 0)
        ):
            out = np.empty_like(x)
            _kernels.elementwise(name, (x,), out)
            result[f"{name} {x.dtype}"] = digest(name, out)
    return result


def everything(small: bool = False, functions: int = 0, once: bool = False, paired: str = "") -> dict[str, Any]:
    """All that this process can say: which package it runs, its instruction set and the hashes.

    paired: the case that is run in all ways of `small` even so.
    """
    before = llmtrace.get_threads()
    try:
        cases = {name: hash_case(case, small, once and name != paired) for name, case in CASES.items()}
        cases |= {f"training: {name}": hash_training(name, small) for name in train_hash.CASES}
    finally:
        llmtrace.set_threads(before)
    return {
        "package": str(Path(llmtrace.__file__).parent),
        "instruction set": _kernels.instruction_set(),
        "cases": cases,
        "functions": hash_functions(functions) if functions else {},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--once", action="store_true", help="each setting in one way")
    parser.add_argument("--functions", type=int, default=0, metavar="COUNT")
    arguments = parser.parse_args()
    write_whole_texts()  # whoever started it reads all of it, or nothing
    print(json.dumps(everything(arguments.small, arguments.functions, arguments.once)))
