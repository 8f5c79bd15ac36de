#!/usr/bin/env python
"""Edits runs at random and compares all their numbers, bit for bit, with full runs that do the same edits by another way.

    python tools/check_edits.py [--edits 10000] [--seed 0]

Over models of several shapes, prompts, batches and the bundled model: whole tensors and weights, slices, single numbers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

import llmtrace
from llmtrace.arithmetic.bits import same_bits
from llmtrace.experiments import what_if
from llmtrace.experiments.edits import resolved
from llmtrace.models import GPT, GPTConfig
from llmtrace.ops import Tensor
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.sampling.argmax import argmax
from llmtrace.trace import Run, Trace
from llmtrace.weights.gpt import GPT2


class EditedRun(Run):
    """A run that puts numbers into results as soon as they are there."""

    edits: Any = ()

    def do(self, name: str, op: Any, operands: Any, settings: Any, axes: Any = None) -> Tensor:
        """The op, and then the edits of what it made."""
        made = super().do(name, op, operands, settings, axes)
        mine = [each for each in self.edits if each.name == name]
        if not mine:
            return made
        data = made.data.copy()
        for each in mine:
            data[each.index] = each.value
        assert self._trace is not None
        self._trace._arrays[name] = data
        return Tensor(name, data, made.axes)


def full_run(model: Any, before: Trace, edits: Mapping[str, Any]) -> dict[str, Any]:
    """All tensors of the edited run, by name, computed from the beginning."""
    found = resolved(before, edits)
    weights = dict(model.weights)
    for each in found:
        if each.name in weights:
            old = weights[each.name]
            data = old.data.copy()
            data[each.index] = each.value  # type: ignore[union-attr]
            weights |= dict.fromkeys([name for name, other in weights.items() if other is old], old.with_data(data))
    after = Trace(weights)
    with EditedRun(weights, after) as run:
        run.edits = found
        logits = model._run(run, before.tensor("tokens"), None)
        run("next_token", argmax, run("probabilities", softmax, logits))
    return {name: after.tensor(name) for name in after}


def random_edits(rng: np.random.Generator, trace: Trace) -> dict[str, float]:
    """One to three edits, each of a tensor or of a weight: whole, of some axes, of one number."""
    names = [name for name in [*trace, *trace.weights] if trace.tensor(name).dtype.kind == "f"]
    edits: dict[str, float] = {}
    for _ in range(int(rng.integers(1, 4))):
        name = names[int(rng.integers(len(names)))]
        sizes = zip(trace.axes(name), trace.shape(name), strict=True)
        chosen = [f"{axis}={rng.integers(size)}" for axis, size in sizes if rng.random() < 0.7]
        value = float(np.float32(rng.choice([0.0, -0.0, 1.0, rng.normal() * 3])))
        edits[f"{name}[{', '.join(chosen)}]" if chosen else name] = value
    return edits


def runs(rng: np.random.Generator) -> list[tuple[Any, Trace]]:
    """Models of several shapes with prompts of several lengths, batches too."""
    found: list[tuple[Any, Trace]] = []
    for vocabulary, context, width, heads, blocks in [(5, 9, 12, 3, 2), (7, 17, 16, 1, 1), (11, 8, 8, 4, 3)]:
        config = GPTConfig(vocabulary, context, width, heads, blocks, 3 * width)
        tensors = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in GPT2.shapes(config).items()}
        model = GPT(config, GPT2.weights(config, tensors, "random"), None, "random")
        for shape in [(1,), (5,), (context,), (2, 4), (3, 1)]:
            found.append((model, model.trace(rng.integers(vocabulary, size=shape).tolist())))
    story = llmtrace.load()
    found += [(story, story.trace(text)) for text in ("The king", "There was a boy who had a red lamp.")]  # type: ignore[attr-defined]
    return found


def main() -> None:
    """Prints how many edits were compared; ends with 1 at the first difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    known, numbers, seconds = runs(rng), 0, 0.0
    for _ in range(asked.edits):
        model, before = known[int(rng.integers(len(known)))]
        edits = random_edits(rng, before)
        start = time.perf_counter()
        found = what_if(before, edits)
        seconds += time.perf_counter() - start
        for name, wanted in full_run(model, before, edits).items():
            if not same_bits(found.after.tensor(name), wanted):
                raise SystemExit(f"{name} differs after {edits}")
            numbers += wanted.size
    print(
        f"{asked.edits:,} edits, {numbers:,} numbers: all the bits of full runs; {1000 * seconds / asked.edits:.1f} ms each"
    )


if __name__ == "__main__":
    main()
