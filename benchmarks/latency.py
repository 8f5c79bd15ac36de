"""What a user waits for: the import, the command `llmtrace trace`, and the explanation of one number of a trace.

    python benchmarks/latency.py [--repeats 15]

The targets: importing llmtrace takes at most 100 ms beyond NumPy's import; `llmtrace trace` of a prompt, from the start of
the process to its end, less than 1 s; explaining one number of a trace in memory (which replays it) less than 5 ms, for every
kind of step of a 12-block, 768-wide GPT on 64 tokens with a vocabulary of 50257. Medians over repeats.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from recording import random_gpt

from llmtrace.arithmetic.operations import compute
from llmtrace.models import GPTConfig
from llmtrace.trace import Trace

IMPORT, COMMAND, EXPLAIN = 0.1, 1.0, 0.005  # seconds
ONE_IMPORT = """
import time, numpy
begin = time.perf_counter()
import llmtrace
print(time.perf_counter() - begin)
"""
ONE_COMMAND = [
    sys.executable,
    "-c",
    "from llmtrace.cli import main; main()",
    "trace",
    "The king had a child, a girl.",
    "--no-pager",
]


def seconds(call: Callable[[], object], repeats: int) -> float:
    """The median of so many calls, after one that does not count."""
    taken = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken[1:])


def importing(repeats: int) -> float:
    def once() -> float:
        return float(subprocess.run([sys.executable, "-c", ONE_IMPORT], capture_output=True, check=True).stdout)

    return statistics.median([once() for _ in range(repeats + 1)][1:])


def row(name: str, taken: float, target: float) -> bool:
    """Prints a row of the table; whether the target is met."""
    met = taken <= target
    print(f"{name:52} {taken * 1e3:9.2f} ms   at most {target * 1e3:5.0f} ms   {'' if met else 'missed'}", flush=True)
    return met


def explaining(trace: Trace, repeats: int) -> bool:
    """A row for every kind of step: of the last block, and of what stands outside the blocks."""
    names = [name for name in trace if not name.startswith("block.") or name.startswith("block.11.")]
    met = True
    for name in names:
        place = tuple(size - 1 for size in trace.shape(name))  # the last query sees all keys: the longest sums
        taken = seconds(lambda name=name, place=place: trace.explain(name, *place), repeats)
        met &= row(f"explain {name} ({trace[name].op})", taken, EXPLAIN)
    return met


def where_probabilities_go(trace: Trace, repeats: int) -> None:
    """What of an explained probability is arithmetic over the whole vocabulary; it is done once, and once more to replay it."""
    logits = np.array(trace.tensor("logits")[-1])
    below = logits - logits.max()
    powers = compute("exp", below)
    whole = seconds(lambda: trace.explain("probabilities", -1, 0), repeats)
    exponentials = 2 * seconds(lambda: compute("exp", below), repeats)
    sums = 2 * seconds(lambda: compute("sum", powers), repeats)
    print(f"\nA probability takes {whole * 1e3:.2f} ms, of which over {below.size} numbers, twice each:", end=" ")
    print(f"exponentials {exponentials * 1e3:.2f} ms, their sum {sums * 1e3:.2f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    met = row("import llmtrace, beyond NumPy", importing(repeats), IMPORT)
    command = seconds(lambda: subprocess.run(ONE_COMMAND, capture_output=True, check=True), repeats)
    met &= row("llmtrace trace, the whole process", command, COMMAND)
    trace = random_gpt(GPTConfig(50257, 1024, 768, 12, 12, 3072)).trace((np.arange(64) * 7).tolist())
    met &= explaining(trace, repeats)
    where_probabilities_go(trace, repeats)
    print("\nAll targets met." if met else "\nTargets missed.")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
