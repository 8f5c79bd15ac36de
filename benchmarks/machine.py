"""What this machine can do at most, measured: multiplications and additions a second, bytes a second from memory."""

import ctypes
import math
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

SOURCE = """
#include <stddef.h>
#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif
typedef float vector __attribute__((vector_size(BYTES)));
int lanes(void) { return BYTES / 4; }
/* count × 6 additions and count × 6 multiplications of vectors, none waiting for another of the same round. */
float peak(long count)
{
    vector a[6], b[6], total = {0}, one = total + 1.0f, nearly = total + 0.9999999f;
    for (int i = 0; i < 6; i++)
        a[i] = b[i] = one + (float)i;
    for (long n = 0; n < count; n++) {
        _Pragma("GCC unroll 6") for (int i = 0; i < 6; i++) a[i] += one;
        _Pragma("GCC unroll 6") for (int i = 0; i < 6; i++) b[i] *= nearly;
    }
    for (int i = 0; i < 6; i++)
        total += a[i] + b[i];
    return total[0];
}
/* Reads `count` vectors once. */
float read(const vector *x, size_t count)
{
    vector total[8] = {0};
    for (size_t i = 0; i + 8 <= count; i += 8)
        _Pragma("GCC unroll 8") for (int k = 0; k < 8; k++) total[k] += x[i + k];
    for (int k = 1; k < 8; k++)
        total[0] += total[k];
    return total[0][0];
}
"""
COUNT = 6_000_000
READ = 1 << 29
"""Rounds of the loop that computes, and bytes that are read, by each measurement: more bytes than any cache holds."""


@cache
def compiled():
    """The functions above, compiled for this machine; None where there is no C compiler."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if not compiler:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "machine.c"), Path(folder, "machine.so")
        source.write_text(SOURCE)
        flags = ["-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC"]
        subprocess.run([compiler, *flags, "-o", library, source], check=True)
        functions = ctypes.CDLL(str(library))
    for name in ("peak", "read"):
        getattr(functions, name).restype = ctypes.c_float
    return functions


@cache
def numbers():
    """What is read, from a multiple of 64 bytes on."""
    import numpy as np

    return np.ones(READ // 4 + 16, np.float32)


class Machine:
    """What so many threads can do together at most: the medians of as many measurements as were made.

    Two processors may be one core that both use, and neighbours on other processors come and go: so nothing is concluded from
    one thread alone, and whoever compares times with the machine's measures both by turns. NaN where there is no C compiler.
    """

    def __init__(self, threads):
        self.threads = threads
        self.flops, self.rates = [], []

    def measure(self):
        """One more measurement of both."""
        functions = compiled()
        if functions is None:
            return
        self.flops.append(
            12 * functions.lanes() * COUNT * self.threads / self.seconds(functions.peak, lambda n: [COUNT])
        )
        step = 4 * functions.lanes()
        count = READ // step // self.threads
        begin = numbers().ctypes.data + -numbers().ctypes.data % 64
        taken = self.seconds(
            functions.read, lambda n: [ctypes.c_void_p(begin + n * count * step), ctypes.c_size_t(count)]
        )
        self.rates.append(count * step * self.threads / taken)

    def seconds(self, function, arguments):
        """How long the threads take, each on a processor of its own, that call a function with the arguments of each."""
        parts = [threading.Thread(target=self.call, args=(n, function, arguments(n))) for n in range(self.threads)]
        begin = time.perf_counter()
        for part in parts:
            part.start()
        for part in parts:
            part.join()
        return time.perf_counter() - begin

    def call(self, number, function, arguments):
        """What one thread does. The system would let some of them take turns on one processor at first."""
        if hasattr(os, "sched_setaffinity") and self.threads > 1:
            allowed = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, {allowed[number % len(allowed)]})
        function(*arguments)

    @property
    def peak(self):
        """Multiplications and additions a second, in a loop without memory."""
        return statistics.median(self.flops) if self.flops else math.nan

    @property
    def bandwidth(self):
        """Bytes a second read from memory."""
        return statistics.median(self.rates) if self.rates else math.nan

    def __str__(self):
        named = f"{self.threads} thread{'s' * (self.threads > 1)}"
        if not self.flops:
            return f"{named}: no C compiler, so what the machine can do is not measured"
        return f"{named}: multiply, then add {self.peak / 1e9:.0f} GFLOP/s, read {self.bandwidth / 1e9:.1f} GB/s"


def measured(threads, rounds=7):
    """The machine by itself, after so many measurements."""
    machine = Machine(threads)
    for _ in range(rounds):
        machine.measure()
    return machine
