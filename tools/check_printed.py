#!/usr/bin/env python
"""Do what is printed of explanations again with a calculator: by how much does a printed result miss what is printed?

    python tools/check_printed.py --count 100000

Random numbers of every op and of the bundled model are explained as `llmtrace explain` prints them, and every product, sum,
difference, quotient and function is done again from the printed digits alone. The printed result may differ by 1 in its last
digit. Prints the lines that miss it; exit code 1 where there are any.
"""

from __future__ import annotations

import argparse
import itertools
import math
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext

import numpy as np

import llmtrace
from llmtrace.ops import OPS
from llmtrace.render import document_of, terminal
from llmtrace.testing.replays import traced
from llmtrace.testing.sampling import sample

NUMBER = r"−?(?:\d[\d,]*\.?\d*(?:e[+−-]\d+)?|∞)|nan"
OPERAND = rf"\(?\s*({NUMBER})\s*\)?"
BINARY = re.compile(rf"(?<![\w.)] ){OPERAND}\s+([+−×÷])\s+{OPERAND}\s+=\s+({NUMBER})(?![\w.])")
FUNCTION = re.compile(rf"(√|exp|log|tanh|erf|sin|cos|relu|−)\(\s*({NUMBER})\s*\)\s+=\s+({NUMBER})(?![\w.])")
FOLD = re.compile(rf"({NUMBER}) → ({NUMBER})$")
ROW = re.compile(rf"(?<![=\w.)]) *({NUMBER})\s\s+({NUMBER})$")
START = re.compile(rf"the sum goes on from\s+({NUMBER})$")
DONE: dict[str, Callable[..., Decimal]] = {
    "+": lambda a, b: a + b,
    "−": lambda a, *b: a - b[0] if b else -a,
    "×": lambda a, b: a * b,
    "÷": lambda a, b: a / b,
    "√": lambda x: x.sqrt(),
    "exp": lambda x: x.exp(),
    "log": lambda x: x.ln(),
    "tanh": lambda x: Decimal(math.tanh(x)),
    "erf": lambda x: Decimal(math.erf(x)),
    "sin": lambda x: Decimal(math.sin(x)),
    "cos": lambda x: Decimal(math.cos(x)),
    "relu": lambda x: max(x, Decimal(0)),
}
UNDERFLOW = Decimal("1e-36")
"""Below this float32 itself has fewer digits than are shown."""
LARGEST = 3000
WIDTH = 250
EVERY = 2000
"""Numbers between two lines of progress."""


def value(text: str) -> Decimal:
    """A printed number."""
    return Decimal(text.replace("−", "-").replace(",", "").replace("∞", "inf"))


def near(exact: Decimal, shown: str) -> bool:
    """Whether the printed result is the exact one, to one unit of its last digit."""
    wanted = value(shown)
    if not (exact.is_finite() and wanted.is_finite()) or max(abs(exact), abs(wanted)) < UNDERFLOW:
        return True
    return abs(exact - wanted) <= Decimal((0, (1,), int(wanted.as_tuple().exponent)))


def calculated(text: str) -> Iterator[tuple[str, bool]]:
    """Each calculation of a printed explanation: its line, and whether its result is near."""
    total: Decimal | None = None
    with localcontext() as context:
        context.prec = 60
        context.traps = dict.fromkeys(context.traps, False)
        for line in text.splitlines():
            for a, sign, b, result in BINARY.findall(line):
                yield line, near(DONE[sign](value(a), value(b)), result)
            for sign, x, result in FUNCTION.findall(line):
                yield line, near(DONE[sign](value(x)), result)
            fold, row, start = FOLD.search(line), ROW.search(line), START.search(line)
            if total is not None and (fold or row):
                yield line, value(fold[1]) == total if fold else near(total + value(row[1]), row[2]) if row else True
            if "total so far" in line:
                total = Decimal(0)
            elif start or (total is not None and (fold or row)):
                total = value(start[1] if start else fold[2] if fold else row[2] if row else "0")
            else:
                total = None


def explained(name: str, seed: int) -> Iterator[str]:
    """What is printed of a random number of an op; nothing, where the case is large or empty."""
    case = sample(OPS[name], seed, np.float32, special=False)
    if any(tensor is not None and not 0 < tensor.size < LARGEST for tensor in case.tensors.values()):
        return
    trace = traced(OPS[name], case)
    out = trace.tensor("out")
    if out.size:
        place = np.unravel_index(seed * 7919 % out.size, out.shape)
        yield terminal.render(document_of(trace.explain("out", *map(int, place))), WIDTH, False)


def of_the_model() -> Iterator[str]:
    """What is printed of random numbers of the bundled model, on and on."""
    rng = np.random.default_rng(1)
    trace = llmtrace.load().trace("The king had a child, a girl, and the old lamp will belong to")
    steps = [step for step in trace.steps if step.record.shape and step.record.dtype == "float32"]
    while True:
        step = steps[rng.integers(len(steps))]
        place = [int(rng.integers(size)) for size in step.record.shape]
        yield terminal.render(document_of(trace.explain(step.name, *place)), WIDTH, False)


def texts() -> Iterator[str]:
    """Explanations of ops and of the model in turn, on and on."""
    model = of_the_model()
    for seed in itertools.count():
        for name in OPS:
            yield from explained(name, seed)
            yield next(model)


def main() -> int:
    """Checks as many explained numbers as were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="how many numbers are explained")
    count, done, wrong, about = parser.parse_args().count, 0, 0, 0
    for n, text in enumerate(itertools.islice(texts(), count), 1):
        about += text.count("≈")
        for line, right in calculated(text):
            done += 1
            wrong += not right
            if not right:
                print(line, flush=True)
        if n % EVERY == 0:
            print(f"{n:,} of {count:,} numbers, {done:,} printed calculations, {wrong} wrong", flush=True)
    print(
        f"{count:,} numbers, {done:,} printed calculations, {wrong} miss the last digit by more than 1, {about} say ≈"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
