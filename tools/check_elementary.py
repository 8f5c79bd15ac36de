#!/usr/bin/env python
"""Check exp, log, tanh, erf, sin and cos of csrc/ against arithmetic of higher precision that shares nothing with them.

    python tools/check_elementary.py --exhaustive            # all 2^32 floats of each function: about ten minutes
    python tools/check_elementary.py --sample 1000000 exp    # that many floats, evenly spread over all bit patterns
    python tools/check_elementary.py --builds --exhaustive   # do builds for different instruction sets agree?
    python tools/check_elementary.py --doubles 100000        # the float64 functions against mpmath
    python tools/check_elementary.py --time                  # nanoseconds per element, per build

Needs gcc and libquadmath on x86-64 Linux (whose 80-bit and 113-bit arithmetic is the reference) and, for --doubles,
mpmath. Results are for the widest instruction set the processor has; --builds compares all it has: some fuse multiplications and
additions (`multiply_add` in elementary.h), some do not.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

FUNCTIONS = ("exp", "log", "tanh", "erf", "sin", "cos")
SOURCE = Path(__file__).with_name("check_elementary.c")
ALL_FLOATS = 2**32
HARDEST = 32
COMMON = ["-std=gnu11", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"]
COMMON += ["-fno-math-errno", "-fno-trapping-math"]
AVX512 = ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512"]
BUILDS = {
    "scalar -O0": ["-O0"],
    "baseline": ["-O3"],
    "AVX2": ["-O3", "-mavx2", "-mfma"],
    "AVX-512": ["-O3", *AVX512],
}
PROCESSOR = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
if not {"avx512f", "avx512dq", "avx512bw", "avx512vl"} <= set(PROCESSOR):
    del BUILDS["AVX-512"]
if not {"avx2", "fma"} <= set(PROCESSOR):
    del BUILDS["AVX2"]
WIDEST = list(BUILDS)[-1]


class HardCase(ctypes.Structure):
    """An input whose true result lies close to the midpoint of two floats; distance in units of the last place."""

    _fields_ = [("input", ctypes.c_uint32), ("expected", ctypes.c_uint32), ("distance", ctypes.c_double)]


class Report(ctypes.Structure):
    """What check_range of check_elementary.c found."""

    _fields_ = [
        ("checked", ctypes.c_uint64),
        ("wrong", ctypes.c_uint64),
        ("undecided", ctypes.c_uint64),
        ("quad_calls", ctypes.c_uint64),
        ("wrong_inputs", ctypes.c_uint32 * HARDEST),
        ("hardest", HardCase * HARDEST),
        ("hard_count", ctypes.c_int),
    ]


def build(folder: Path, name: str, *, reference: bool = False) -> ctypes.CDLL:
    """Compile check_elementary.c with the flags of one build and load it."""
    target = folder / (name.replace(" ", "_") + ("_reference" if reference else "") + ".so")
    extra = ["-DWITH_REFERENCE", "-lquadmath", "-lm"] if reference else []
    command = ["gcc", *COMMON, *BUILDS[name], str(SOURCE), "-o", str(target), *extra]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(target))
    library.hash_range.restype = ctypes.c_uint64
    return library


def chunks(step: int, pieces: int = 256) -> list[tuple[int, int]]:
    """Split all bit patterns into ranges that keep to the multiples of step."""
    size = -(-ALL_FLOATS // (pieces * step)) * step
    return [(first, min(first + size, ALL_FLOATS)) for first in range(0, ALL_FLOATS, size)]


def over_chunks(work: Callable[[int, int], Any], step: int, workers: int) -> list[Any]:
    """Do work(first, end) for every chunk. Threads are enough: ctypes lets go of the interpreter lock."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda chunk: work(*chunk), chunks(step)))


def check_floats(library: ctypes.CDLL, function: str, step: int, workers: int) -> dict[str, Any]:
    """Compare one float function with the reference on every step-th bit pattern."""
    index, start = FUNCTIONS.index(function), time.perf_counter()

    def work(first: int, end: int) -> Report:
        report = Report()
        limits = (ctypes.c_uint64(first), ctypes.c_uint64(end), ctypes.c_uint64(step))
        library.check_range(index, *limits, ctypes.byref(report))
        return report

    reports = over_chunks(work, step, workers)
    hard = [case for report in reports for case in report.hardest[: report.hard_count]]
    # A negative input, and for tiny x one with another exponent, is often the same case again: count it once.
    distinct = {(case.input % 2**23, case.expected % 2**23): case for case in hard}
    hard = sorted(distinct.values(), key=lambda case: case.distance)
    return {
        "function": function,
        "checked": sum(report.checked for report in reports),
        "wrong": sum(report.wrong for report in reports),
        "undecided": sum(report.undecided for report in reports),
        "wrong_inputs": [f"{bits:#010x}" for r in reports for bits in r.wrong_inputs[: min(r.wrong, HARDEST)]],
        "hardest": [(f"{c.input:#010x}", f"{c.expected:#010x}", c.distance) for c in hard[:HARDEST]],
        "seconds": time.perf_counter() - start,
    }


def check_builds(folder: Path, function: str, step: int, workers: int) -> bool:
    """Print one hash over all outputs per build; true if they are equal."""
    hashes = []
    for name in BUILDS:
        library, index, start = build(folder, name), FUNCTIONS.index(function), time.perf_counter()

        def work(first: int, end: int, library: ctypes.CDLL = library, index: int = index) -> int:
            limits = (ctypes.c_uint64(first), ctypes.c_uint64(end), ctypes.c_uint64(step))
            return int(library.hash_range(index, *limits))

        hashes.append(sum(over_chunks(work, step, workers)) % 2**64)
        print(f"{function:5} {name:11} {hashes[-1]:016x}  {time.perf_counter() - start:6.1f} s", flush=True)
    return len(set(hashes)) == 1


def doubles_for(function: str, count: int) -> list[float]:
    """Random doubles of every size, and hard ones; the last two are from Lefèvre and Muller's lists."""
    source = random.Random(20240607)
    values = [source.gauss(0, 2) for _ in range(count // 2)]
    signs, exponents = (-1, 1), range(-60, 11)
    values += [source.choice(signs) * source.uniform(1, 2) * 2.0 ** source.choice(exponents) for _ in range(count // 4)]
    limits = {"exp": (-746.0, -700.0), "log": (0.9, 1.1), "tanh": (15.0, 20.0), "erf": (4.0, 6.0)}
    if function in limits:
        values += [source.uniform(*limits[function]) for _ in range(count - len(values))]
    else:  # of every size, near multiples of π/2, and the one that is nearest to one: 6381956970095103 · 2^797
        values += [source.uniform(-2, 2) * 2.0 ** source.randrange(1023) for _ in range((count - len(values)) // 2)]
        values += [source.randrange(1, 10**6) * math.pi / 2 for _ in range(count - len(values))]
        values.append(math.ldexp(6381956970095103, 797))
    values += [s * (1 + part * 2.0**-52) * 2.0**k for k in range(-60, -20) for part in (0, 1, -0.5) for s in signs]
    values += [1 + k * 2.0**-52 for k in range(-9, 10)] + [5e-324, 1e-310, 2.0**-1022]
    values += [709.782712893384, 709.782712893384 + 1e-12, -745.1332191019411, -745.1332191019412]
    values += [float.fromhex("0x1.9E9CBBFD6080Bp-31"), float.fromhex("0x1.62A88613629B6p+678")]
    return [abs(x) for x in values] if function == "log" else values


def nearest_double(value: Any) -> float:
    """An mpmath number rounded to the nearest double, ties to even, overflow to infinity."""
    import mpmath  # type: ignore[import-untyped]

    if value == 0:
        return 0.0
    exponent = mpmath.frexp(value)[1]
    unit = max(exponent - 53, -1074)
    whole = int(mpmath.nint(mpmath.ldexp(value, -unit)))
    try:
        return float(whole) * 2.0**unit if unit >= -1022 else float(mpmath.ldexp(whole, unit))
    except OverflowError:
        return float("inf") if whole > 0 else float("-inf")


def check_doubles(library: ctypes.CDLL, function: str, count: int) -> int:
    """Compare one double function with mpmath; returns how many results are not the nearest double."""
    import mpmath

    mpmath.mp.prec = 400
    inputs, start = doubles_for(function, count), time.perf_counter()
    array = ctypes.c_double * len(inputs)
    outputs = array()
    getattr(library, function + "_f64")(array(*inputs), outputs, ctypes.c_ssize_t(len(inputs)))
    wrong, nearest_miss = 0, 1.0
    for x, y in zip(inputs, outputs, strict=True):
        clipped = max(-800.0, min(x, 800.0)) if function in ("exp", "tanh", "erf") else x
        true = getattr(mpmath, function)(mpmath.mpf(clipped))
        expected = nearest_double(true)
        if y != expected:
            wrong += 1
            print(f"  {function}({x.hex()}) is {expected.hex()}, not {y.hex()}")
        if abs(clipped) > 2.0**-20 and 1e-300 < abs(true) < 1e300:
            position = mpmath.ldexp(abs(true), 53 - mpmath.frexp(true)[1])
            nearest_miss = min(nearest_miss, float(abs(position - mpmath.floor(position) - 0.5)))
    seconds = time.perf_counter() - start
    print(f"{function:5} float64: {len(inputs)} checked, {wrong} wrong; ", end="")
    print(f"hardest: {nearest_miss:.3g} ulp from a midpoint; {seconds:.0f} s", flush=True)
    return wrong


def measure(folder: Path, functions: Sequence[str]) -> None:
    """Print the best of 60 timings over 65,536 normally distributed inputs (their magnitudes, for log); 256 float64."""
    source, count = random.Random(1), 65536
    values = [source.gauss(0, 2) for _ in range(count)]
    for name in BUILDS:
        library, texts = build(folder, name), []
        for function in functions:
            inputs = [abs(x) for x in values] if function == "log" else values
            for suffix, kind, n in (("_f32", ctypes.c_float, count), ("_f64", ctypes.c_double, 256)):
                x, y, best = (kind * n)(*inputs[:n]), (kind * n)(), float("inf")
                for _ in range(60):
                    start = time.perf_counter()
                    getattr(library, function + suffix)(x, y, ctypes.c_ssize_t(n))
                    best = min(best, time.perf_counter() - start)
                texts.append(f"{function}{suffix} {best / n * 1e9:7.2f}")
        print(f"{name:11} ns per element: " + "  ".join(texts), flush=True)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("functions", nargs="*", help="any of exp log tanh erf sin cos; all of them by default")
    parser.add_argument("--exhaustive", action="store_true", help="all 2^32 floats")
    parser.add_argument("--sample", type=int, metavar="N", default=1 << 22, help="N floats (default 4,194,304)")
    parser.add_argument("--builds", action="store_true", help="compare the outputs of the builds instead")
    parser.add_argument("--doubles", type=int, metavar="N", help="check float64 on N inputs instead")
    parser.add_argument("--time", action="store_true", help="measure instead")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the reports, hard cases included, to this file")
    options = parser.parse_args()
    unknown = set(options.functions) - set(FUNCTIONS)
    if unknown:
        parser.error(f"no such function: {', '.join(sorted(unknown))}; choose from {', '.join(FUNCTIONS)}")
    options.functions = options.functions or list(FUNCTIONS)
    return options


def print_report(report: dict[str, Any]) -> None:
    """One line per function, and the first wrong inputs, if any."""
    print("{function:5} {checked} checked, {wrong} wrong, {undecided} undecided; ".format(**report), end="")
    if report["hardest"]:
        print("hardest: {0}, {2:.3g} ulp from a midpoint; ".format(*report["hardest"][0]), end="")
    print(f"{report['seconds']:.0f} s", *report["wrong_inputs"][:8], flush=True)


def main() -> int:
    """Run what was asked for; exit code 1 if anything is wrong."""
    options = arguments()
    step = 1 if options.exhaustive else max(1, ALL_FLOATS // options.sample) | 1
    good, reports = True, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.time:
            measure(folder, options.functions)
        elif options.builds:
            equal = [check_builds(folder, function, step, options.workers) for function in options.functions]
            good = all(equal)
        elif options.doubles is not None:
            library = build(folder, WIDEST)
            good = sum([check_doubles(library, function, options.doubles) for function in options.functions]) == 0
        else:
            library = build(folder, WIDEST, reference=True)
            for function in options.functions:
                reports.append(check_floats(library, function, step, options.workers))
                print_report(reports[-1])
            good = all(report["wrong"] == report["undecided"] == 0 for report in reports)
    if options.json:
        options.json.write_text(json.dumps(reports, indent=1) + "\n", encoding="utf-8")
    print("all right" if good else "WRONG RESULTS, see above")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
