#!/usr/bin/env python
"""Draw random scores of random runs, and see whether the account of each balances exactly, as fractions.

    python tools/check_ledger.py --count 10000

Half of the scores are the bundled model's, half those of small models with random weights.
Exit code 1 where an account does not balance.
"""

from __future__ import annotations

import argparse
import sys
import time
from fractions import Fraction

import numpy as np
from check_referee import models

import llmtrace
from llmtrace.experiments.ledger import ledger
from llmtrace.models import Model

LENGTH = 12
SCORES = 25
"""Tokens of a prompt at most, and scores that are drawn of each run."""


def prompts(model: Model, rng: np.random.Generator) -> list[int]:
    """Random ids."""
    size = int(rng.integers(1, min(LENGTH, model.config.context) + 1))
    return [int(each) for each in rng.integers(model.config.vocabulary, size=size)]


def main() -> int:
    """Draws and checks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, start = np.random.default_rng(options.seed), time.monotonic()
    known = [llmtrace.load(), *models(rng)]
    done = wrong = 0
    while done < options.count:
        model = known[0] if rng.random() < 0.5 else known[int(rng.integers(1, len(known)))]
        trace = model.trace(prompts(model, rng))
        logits = trace.tensor("logits")
        for _ in range(min(SCORES, options.count - done)):
            position, token = int(rng.integers(logits.shape[0])), int(rng.integers(logits.shape[1]))
            account = ledger(trace, position, token)
            total = sum((Fraction(entry.amount) for entry in account.entries), Fraction(0))
            done += 1
            if total != Fraction(float(logits[position, token])) or total != account.total or not account.balances:
                wrong += 1
                print(f"{model.config}: logits[{position}, {token}] of {trace.tokens} does not balance")
    print(f"{done:,} accounts, {wrong} that do not balance; {time.monotonic() - start:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
