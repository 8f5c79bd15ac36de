"""What C needs for one more kernel: a line, or a header and its line. Each is added to a copy, compiled, and computed with."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

CSRC = Path(__file__).parents[2] / "csrc"
COMPILER = os.environ.get("CC") or shutil.which("cc")
FLAGS = ["-std=gnu11", "-O0", "-ffp-contract=off", "-fno-math-errno", "-shared", "-fPIC", "-DLLMTRACE_ISA=baseline"]
SPREAD_NORM = CSRC.parent / "tests" / "helpers" / "spread_norm.h"


class Job(ctypes.Structure):
    """`kernel_job` of inner.h."""

    _fields_ = [
        ("inputs", ctypes.c_void_p * 4),
        ("out", ctypes.c_void_p),
        ("size", ctypes.c_ssize_t * 11),
        ("setting", ctypes.c_double * 6),
    ]


class Entry(ctypes.Structure):
    """`kernel_entry` of inner.h."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("run", ctypes.CFUNCTYPE(None, ctypes.POINTER(Job), ctypes.c_ssize_t, ctypes.c_ssize_t)),
        *((name, ctypes.c_int) for name in ("kind", "inputs", "settings", "cost")),
    ]


class Table(ctypes.Structure):
    """`inner_table` of inner.h."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("count", ctypes.c_int),
        ("kernels", ctypes.POINTER(Entry)),
        ("panel", ctypes.c_ssize_t),
    ]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A copy with one kernel more of either kind, compiled once."""
    if not COMPILER:
        pytest.skip("needs a C compiler")
    copy = Path(shutil.copytree(CSRC, tmp_path_factory.mktemp("adding") / "csrc"))
    add_line(
        copy / "kernels" / "elementwise.h",
        "ELEMENTWISE(add, 2, 0, 1, a[i] + b[i])",
        "ELEMENTWISE(cube, 1, 0, 2, a[i] * a[i] * a[i])",
    )
    shutil.copy(SPREAD_NORM, copy / "kernels")
    add_line(copy / "kernels" / "all.h", '#include "pack.h"', '#include "spread_norm.h"')
    library = copy / "inner.so"
    sources = [copy / "inner.c", copy / "pool.c"]
    subprocess.run([*COMPILER.split(), *FLAGS, f"-I{copy}", *sources, "-o", library, "-lm", "-lpthread"], check=True)
    return ctypes.CDLL(str(library))


def add_line(path, after, line):
    text = path.read_text()
    assert text.count(after) == 1
    path.write_text(text.replace(after, f"{after}\n{line}"))


def kernel(library, name, inputs, out, size=(), setting=()):
    """Runs one of its kernels on float32 arrays; returns how many inputs and settings it says it has."""
    table = Table.in_dll(library, "inner_baseline_f32")
    found = {entry.name.decode(): entry for entry in table.kernels[: table.count]}[name]
    job = Job(out=out.ctypes.data)
    for field, values in (("inputs", [x.ctypes.data for x in inputs]), ("size", size), ("setting", setting)):
        for k, value in enumerate(values):
            getattr(job, field)[k] = value
    found.run(ctypes.byref(job), 0, len(out))
    return found.inputs, found.settings


def test_an_elementwise_kernel_is_a_line(library):
    x, out = np.linspace(-3, 3, 37, dtype="f"), np.empty(37, "f")
    assert kernel(library, "cube", [x], out) == (1, 0)
    assert (out == x * x * x).all()


def test_a_row_kernel_is_a_header_and_a_line(library):
    x = np.random.default_rng(0).standard_normal((11, 13), np.float32)  # eight rows side by side, and three more
    gain, out = x[0] + 1, np.empty_like(x)
    assert kernel(library, "spread_norm", [x, gain], out, [13], [0.5]) == (2, 1)
    total = np.zeros(11, np.float32)
    for column in (x * x).T:
        total += column
    root = np.sqrt(total / np.float32(13) + np.float32(0.5))
    assert (out == (x / root[:, None]) * gain).all()
