#!/usr/bin/env python
"""Draw random scores of random runs, and see whether the account of each balances exactly, as fractions.

    python tools/check_ledger.py --count 10000

Half of the scores are the bundled model's, half those of small GPTs and Llamas with random weights; half of the accounts are
split by token and neuron. What each head has in the others is computed in plain float64, too. Exit code 1 where an account
does not balance, or where a head is further off than 1e-5.
"""

from __future__ import annotations

import argparse
import sys
import time
from fractions import Fraction
from typing import Any

import numpy as np
from check_referee import models

import llmtrace
from llmtrace.experiments.ledger import HEAD, Ledger, ledger
from llmtrace.models import Llama, LlamaConfig, Model
from llmtrace.trace import Trace
from llmtrace.weights.llama import LLAMA

LENGTH = 12
SCORES = 25
"""Tokens of a prompt at most, and scores that are drawn of each run."""
HEADS = 1e-5
"""How far a head may be from its value in float64."""


def prompts(model: Model, rng: np.random.Generator) -> list[int]:
    """Random ids."""
    size = int(rng.integers(1, min(LENGTH, model.config.context) + 1))
    return [int(each) for each in rng.integers(model.config.vocabulary, size=size)]


def small_llama(rng: np.random.Generator) -> Model:
    """Four heads that share two heads of keys and values, with random weights."""
    config = LlamaConfig(40, 24, 24, 4, 2, 6, 3, 40)
    shapes = LLAMA.shapes(config).items()
    tensors = {name: (rng.standard_normal(shape) * 0.4).astype(np.float32) for name, shape in shapes}
    return Llama(config, LLAMA.weights(config, tensors, "random"), None, "random")


class Direct:
    """What the heads of a run add to its scores, in float64 (Elhage et al. 2021)."""

    def __init__(self, trace: Trace) -> None:
        norm, logits = trace["ln_f"].record, trace["logits"].record
        stream = self._wide(trace, norm.inputs[0])
        self.centred = norm.op == "layer_norm"
        mean = stream.mean(-1, keepdims=True) if self.centred else 0.0
        self.spread = np.sqrt(np.mean((stream - mean) ** 2, -1) + norm.settings["epsilon"])
        table = self._wide(trace, str(logits.operands["weight"]))
        self.table = table if logits.settings.get("transposed") else table.T
        self.gain = self._wide(trace, str(norm.operands["gain"]))
        layers = [step.record for step in trace.steps if step.record.op == "linear_from_heads"]
        self.rows = np.array([self._added(trace, each.inputs[0], str(each.operands["weight"])) for each in layers])

    @staticmethod
    def _wide(trace: Trace, name: str) -> Any:
        return trace.tensor(name).astype(np.float64)

    def _added(self, trace: Trace, mix: str, weight: str) -> Any:
        """What each head of a layer adds to the stream: [heads, positions, width]."""
        heads, matrix = self._wide(trace, mix), self._wide(trace, weight)
        rows = heads @ matrix.reshape(len(heads), heads.shape[-1], -1)
        return rows - rows.mean(-1, keepdims=True) if self.centred else rows

    def heads(self, position: int, token: int) -> Any:
        """[blocks, heads]."""
        return (self.rows[:, :, position] / self.spread[position] * self.gain) @ self.table[token]


def furthest(account: Ledger, direct: Any) -> float:
    """How far the entry of a head is from its direct value at most."""
    heads = [entry for entry in account.entries if entry.title == HEAD]
    assert len(heads) == direct.size
    return max(abs(float(entry.amount) - float(direct[entry.block, entry.head])) for entry in heads)


def main() -> int:
    """Draws and checks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, start = np.random.default_rng(options.seed), time.monotonic()
    known = [llmtrace.load(), *models(rng)[:-1], small_llama(rng)]
    done = wrong = heads = 0
    far = 0.0
    while done < options.count:
        model = known[0] if rng.random() < 0.5 else known[int(rng.integers(1, len(known)))]
        trace = model.trace(prompts(model, rng))
        logits, direct = trace.tensor("logits"), Direct(trace)
        for _ in range(min(SCORES, options.count - done)):
            position, token = int(rng.integers(logits.shape[0])), int(rng.integers(logits.shape[1]))
            split = done % 2 == 1
            account = ledger(trace, position, token, neurons=split, sources=split)
            total = sum((Fraction(entry.amount) for entry in account.entries), Fraction(0))
            done += 1
            if total != Fraction(float(logits[position, token])) or total != account.total or not account.balances:
                wrong += 1
                print(f"{model.config}: logits[{position}, {token}] of {trace.tokens} does not balance")
            if not split:
                values = direct.heads(position, token)
                heads, far = heads + values.size, max(far, furthest(account, values))
    print(f"{done:,} accounts, {wrong} that do not balance; {time.monotonic() - start:.0f} s")
    print(f"{heads:,} heads, at most {far:.1e} from their values in float64")
    return int(bool(wrong) or far > HEADS)


if __name__ == "__main__":
    sys.exit(main())
