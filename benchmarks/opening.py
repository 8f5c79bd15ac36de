"""What opening a large trace costs: the seconds and the memory of opening a file of 1 GB and reading one number of it.

    python benchmarks/opening.py [--tokens 600] [--folder DIR]

Writes a trace of a random 12-block, 768-wide GPT, then, in a fresh process each time, opens it and reads one number of its
largest tensor, checked by its SHA-256. The targets: at most 50 ms, and at most 20 MB beyond the interpreter with llmtrace loaded.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from recording import random_gpt

from llmtrace.models import GPTConfig

MILLISECONDS, MEGABYTES = 50, 20

ONE_READ = """
import resource, sys, time
import llmtrace, llmtrace.trace.codec
def memory():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
before, begin = memory(), time.perf_counter()
trace = llmtrace.open(sys.argv[1])
value = trace.elements("logits", (-1 % trace.shape("logits")[0], 12345))
print((time.perf_counter() - begin) * 1e3, memory() - before, value)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=600)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "large.trace"
        ids = np.arange(options.tokens) * 7 % 50257
        trace = random_gpt(GPTConfig(50257, 1024, 768, 12, 12, 3072)).trace(ids.tolist())
        trace.save(path)
        recorded = trace.tensor("logits")[-1, 12345]
        print(f"a trace of {options.tokens} tokens, {path.stat().st_size / 1e9:.2f} GB")
        times, sizes = [], []
        for _ in range(7):
            run = subprocess.run([sys.executable, "-c", ONE_READ, path], capture_output=True, text=True, check=True)
            taken, grown, value = run.stdout.split()
            assert np.float32(value) == recorded
            times.append(float(taken))
            sizes.append(float(grown))
    milliseconds, megabytes = statistics.median(times), statistics.median(sizes)
    print(f"opening it and reading one number: {milliseconds:.1f} ms, {megabytes:.1f} MB")
    met = milliseconds <= MILLISECONDS and megabytes <= MEGABYTES
    print("Targets met." if met else f"Target missed: at most {MILLISECONDS} ms and {MEGABYTES} MB.")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
