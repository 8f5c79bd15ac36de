"""Time and memory of a run as the prompt and the model grow, beside what was estimated before the run.

    python benchmarks/memory.py                                   # GPT-2's shape: 16 … 1,024 tokens, 1 … 12 blocks
    python benchmarks/memory.py --tokens 16 64 --blocks 1 2       # these only

Every case is a process of its own, with random weights that are packed already. Measured is by how much the
memory then grows at most, and how long the run takes; `nothing` are the logits alone, and `scratch` keeps all numbers in
a mapped file, whose size is measured.
The estimate is `model.trace_bytes` or `logits_bytes`, from which a run is refused that would not fit; it may be at most 5 %
off, and `SLACK` for what Python itself takes. Behind the table stands with which power of the tokens and of the blocks each
grows, by a fit in logarithms, and with which it should by the same fit to the number of operations or bytes.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np
from recording import random_gpt

import llmtrace
from llmtrace.models import GPTConfig

WIDTH, HIDDEN, HEADS, VOCABULARY, CONTEXT = 768, 3072, 12, 50257, 1024
TOLERANCE = 0.05
SLACK = 4_000_000
"""Bytes: what a trace's hundreds of Python objects take, pages that are filled in part, and what runs of one token left to be
used again. Of fewer than three times as many, no power is fitted."""


def operations(blocks, tokens, keep):
    """Multiplications and additions of a run; of all scores, unless they are computed only when somebody asks for them."""
    scores = WIDTH * VOCABULARY if keep != "residual" else 0
    weights = blocks * (4 * WIDTH**2 + 2 * WIDTH * HIDDEN) + scores
    return 2 * tokens * weights + 2 * 2 * blocks * WIDTH * tokens * (tokens + 1) // 2


def status(name):
    """A number of bytes that Linux says of this process."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024


def mapped(folder):
    """How many bytes of files in a folder are mapped."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    ranges = [line.split()[0].split("-") for line in lines if folder in line]
    return sum(int(end, 16) - int(start, 16) for start, end in ranges)


def case(blocks, tokens, keep, threads):
    """Seconds and bytes of one trace, in a process that has made none."""
    llmtrace.set_threads(threads)
    model = random_gpt(GPTConfig(VOCABULARY, CONTEXT, WIDTH, HEADS, blocks, HIDDEN))
    for _ in range(2):  # the second time, weights are packed
        model.logits([0])
    ids = np.arange(tokens) * 7 % VOCABULARY
    with tempfile.TemporaryDirectory() as folder:
        scratch = folder if keep == "scratch" else None
        asked = "residual" if keep == "residual" else "all"
        estimate = model.logits_bytes(tokens) if keep == "nothing" else model.trace_bytes(tokens, keep=asked)
        Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
        before = status("VmRSS")
        begin = time.perf_counter()
        trace = model.logits(ids) if keep == "nothing" else model.trace(ids, keep=asked, scratch=scratch)
        seconds = time.perf_counter() - begin
        used = status("VmHWM") - before
        if scratch:
            used = mapped(folder)
        del trace
    return {"seconds": seconds, "bytes": used, "estimate": estimate}


def measured(blocks, tokens, keep, threads):
    """The same, in a process of its own."""
    command = [sys.executable, __file__, "--case", str(blocks), str(tokens), keep, str(threads)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def exponent(sizes, values):
    """With which power of the sizes the values grow."""
    return np.polyfit(np.log(sizes), np.log(values), 1)[0]


def growth(found, keep, what, points, of):
    """One line: the fitted power along `points`, and the one it should be."""
    if what == "bytes":
        points = [point for point in points if found[(*point, keep)]["estimate"] > 3 * SLACK]
    if len(points) < 2:
        return
    rows = [found[(*point, keep)] for point in points]
    sizes = [point[of] for point in points]
    ideal = [operations(*point, keep) for point in points] if what == "seconds" else [row["estimate"] for row in rows]
    name = ("blocks", "tokens")[of]
    is_, should = exponent(sizes, [row[what] for row in rows]), exponent(sizes, ideal)
    held = f"at {points[0][1 - of]:,} {('blocks', 'tokens')[1 - of]}"
    print(f"{keep:9} {what:8} ~ {name}^{is_:.2f}  (should be {should:.2f}), {held}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, nargs="+", default=[16, 64, 256, 1024])
    parser.add_argument("--blocks", type=int, nargs="+", default=[1, 2, 4, 8, 12])
    parser.add_argument("--keep", nargs="+", default=["nothing", "residual", "all", "scratch"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--case", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        blocks, tokens, keep, threads = options.case
        print(json.dumps(case(int(blocks), int(tokens), keep, int(threads))))
        return 0
    found, wrong = {}, 0
    print("| blocks | tokens | keep | seconds | estimated MB | measured MB | off by |\n|---|---|---|---|---|---|---|")
    for blocks, tokens, keep in product(options.blocks, options.tokens, options.keep):
        row = found[blocks, tokens, keep] = measured(blocks, tokens, keep, options.threads)
        used, estimate = row["bytes"], row["estimate"]
        wrong += abs(used - estimate) > TOLERANCE * estimate + SLACK
        said = f"| {blocks} | {tokens:,} | {keep} | {row['seconds']:.3f} | {estimate / 1e6:,.1f} | {used / 1e6:,.1f}"
        print(f"{said} | {used / estimate - 1:+.1%} |", flush=True)
    print()
    for keep, what in product(options.keep, ("seconds", "bytes")):
        growth(found, keep, what, [(options.blocks[-1], tokens) for tokens in options.tokens], 1)
        growth(found, keep, what, [(blocks, options.tokens[-1]) for blocks in options.blocks], 0)
    print(f"\n{wrong} estimates are wrong." if wrong else "\nTarget met: every estimate is within 5 %.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
