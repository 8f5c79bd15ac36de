"""What this machine can do at most, measured: multiplications and additions a second of a core, bytes a second from memory."""

import ctypes
import os
import shutil
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
READ = 1 << 29
"""Bytes that are read to measure the bandwidth: more than any cache holds."""


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


def peak():
    """GFLOP/s of one core that multiplies, then adds, in a loop without memory; None where there is no C compiler."""
    functions = compiled()
    if functions is None:
        return None
    best, count = float("inf"), 2_000_000
    for _ in range(10):
        start = time.thread_time()
        functions.peak(ctypes.c_long(count))
        best = min(best, time.thread_time() - start)
    return 12 * functions.lanes() * count / best / 1e9


@cache
def bandwidth(threads):
    """GB/s that so many threads read from memory together, measured once; None where there is no C compiler."""
    import numpy as np

    functions = compiled()
    if functions is None:
        return None
    numbers = np.ones(READ // 4, np.float32)
    start = numbers.ctypes.data + -numbers.ctypes.data % 64
    vectors = (READ - 64) // (4 * functions.lanes()) // threads
    best = float("inf")
    for _ in range(7):
        parts = [
            threading.Thread(
                target=functions.read,
                args=(ctypes.c_void_p(start + n * vectors * 4 * functions.lanes()), ctypes.c_size_t(vectors)),
            )
            for n in range(threads)
        ]
        begin = time.perf_counter()
        for part in parts:
            part.start()
        for part in parts:
            part.join()
        best = min(best, time.perf_counter() - begin)
    return vectors * threads * 4 * functions.lanes() / best / 1e9


def at_most(threads):
    """What so many threads can do at most, as every benchmark says it first."""
    named = f"{threads} thread{'s' * (threads > 1)}"
    if compiled() is None:
        return f"{named}: no C compiler, so what the machine can do is not measured"
    return f"{named}: multiply, then add {peak() * threads:.0f} GFLOP/s, read {bandwidth(threads):.1f} GB/s"
