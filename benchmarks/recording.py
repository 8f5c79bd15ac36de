"""What recording costs: a 12-block, 768-wide GPT on 64 tokens, every tensor kept, against the same run keeping nothing.

    python benchmarks/recording.py [--threads 2] [--pairs 15] [--vocabulary 50257]

Both runs do the same ops. Beyond them a recording run must write its bytes to memory that nothing else has just used; the
script measures that too, by writing as many bytes to blocks taken in the same way, and reports
(recording − writing) / not recording. The target: at most 1.05, by the median over pairs run in turn.
"""

import argparse
import statistics
import sys
import time

import numpy as np
from machine import measured

import llmtrace
from llmtrace import _kernels
from llmtrace.models import GPT, GPTConfig
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.sampling.argmax import argmax
from llmtrace.trace import Run, Trace
from llmtrace.weights.gpt import GPT2

TARGET = 1.05


def random_gpt(config: GPTConfig) -> GPT:
    """A GPT of these sizes with small random weights, its head tied."""
    rng = np.random.default_rng(0)
    stored = {}
    for name, shape in GPT2.shapes(config).items():
        stored[name] = rng.standard_normal(shape, np.float32) * np.float32(0.02)
    return GPT(config, GPT2.weights(config, stored, "random"))


def once(model: GPT, ids: np.ndarray, record: bool) -> tuple[float, int]:
    """Seconds of one run, and how many bytes its trace holds.

    Not `model.trace` against `model.logits`: those don't do the same ops. `logits` leaves out the probabilities and the next
    token, and `trace` also asks how much memory is free and looks up the texts of the tokens. Here only the trace differs.
    """
    begin = time.perf_counter()
    trace = Trace(model.weights) if record else None
    with Run(model.weights, trace) as run:
        positions = np.arange(ids.size)
        axes = ("position",)
        logits = model.forward(run, run.leaf("tokens", ids, axes), run.leaf("positions", positions, axes))
        run("next_token", argmax, run("probabilities", softmax, logits))
    return time.perf_counter() - begin, trace.nbytes() if trace else 0


def writing(size: int) -> float:
    """Seconds to write that many bytes into memory taken as a run takes it."""
    piece = 1 << 20
    begin = time.perf_counter()
    arena = _kernels.Arena()
    kept = []
    for _ in range(size // piece + 1):
        array = arena.empty((piece // 4,), np.float32)
        array.fill(1)
        kept.append(array)
    arena.close()
    return time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--vocabulary", type=int, default=50257)
    options = parser.parse_args()
    llmtrace.set_threads(options.threads)
    print(measured(options.threads))
    model = random_gpt(GPTConfig(options.vocabulary, 1024, 768, 12, 12, 3072))
    ids = np.arange(64) * 7 % options.vocabulary
    once(model, ids, True)
    plain, recorded, written, size = [], [], [], 0
    for _ in range(options.pairs):
        plain.append(once(model, ids, False)[0])
        seconds, size = once(model, ids, True)
        recorded.append(seconds)
        written.append(writing(size))
    rows = [("not recording", plain), ("recording", recorded), (f"writing {size / 1e6:.0f} MB", written)]
    for name, seconds in rows:
        print(f"{name:20} {statistics.median(seconds) * 1e3:8.1f} ms   (smallest {min(seconds) * 1e3:.1f})")
    ratios = [(r - w) / p for p, r, w in zip(plain, recorded, written, strict=True)]
    ratio = statistics.median(ratios)
    print(f"(recording − writing) / not recording: {ratio:.3f}")
    print("Target met." if ratio <= TARGET else f"Target missed: at most {TARGET}.")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
