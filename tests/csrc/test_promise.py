"""The self-test of the compiler's flags sees each that changes results, and setup.py's own flags undo them all."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.fresh import some

import llmtrace
from llmtrace import _kernels, environment

ROOT = Path(__file__).parents[2]
COMPILER = os.environ.get("CC") or shutil.which("cc")
FLOAT = """
#define LLMTRACE_REAL 32
#include "promise.h"
const char *broken_promise_of_float(void) { return broken_promise(); }
"""
DOUBLE = """
#define LLMTRACE_REAL 64
#include "promise.h"
#include <stdio.h>
const char *broken_promise_of_float(void);
static void say(const char *wrong) { puts(wrong ? wrong : "kept"); }
int main(void) { say(broken_promise_of_float()); say(broken_promise()); return 0; }
"""
HARMLESS = ["-O3 -funroll-all-loops", "", "-O0", "-O2", "-O1 -ftree-vectorize"]
BREAKING = {  # of GCC: what each may change
    "-O2 -ffp-contract=fast -mfma": {"a * b + c"},
    "-Ofast": {"a + b + c"},
    "-O3 -ffast-math": {"a + b + c"},
    "-O3 -funsafe-math-optimizations": {"a + b + c"},
    "-O3 -fassociative-math -fno-signed-zeros -fno-trapping-math": {"a + b + c"},
    "-O3 -freciprocal-math -fno-trapping-math": {"a / b"},
    "-O3 -ffinite-math-only": {"a == a"},
    "-O3 -fno-signed-zeros": {"a == a"},
    "-fsingle-precision-constant": {"0.1", "a + b + c"},
    "-O2 -mfpmath=387": {"a * b + c"},
    "-O0 -ffast-math": {"a / 2"},
}
needs_gcc = pytest.mark.skipif(
    not COMPILER
    or sys.platform != "linux"
    or "avx2" not in _kernels.instruction_sets()
    or "clang" in subprocess.run([*COMPILER.split(), "--version"], capture_output=True, text=True).stdout,
    reason="needs GCC and a processor with AVX2",
)


def recipe(monkeypatch, flags):
    """What setup.py would compile and link with."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("CFLAGS", flags)
    monkeypatch.setattr("setuptools.setup", lambda **what: None)
    monkeypatch.setattr("Cython.Build.cythonize", lambda *what, **how: None)
    return runpy.run_path("setup.py")


def said(folder, compile_flags, link_flags):
    """What the self-test of both types says where it is compiled so."""
    where = ["-w", f"-I{ROOT / 'csrc'}", f"-I{ROOT / 'csrc/kernels'}"]
    sources, program = [folder / "float.c", folder / "double.c"], folder / "main"
    for source, text in zip(sources, (FLOAT, DOUBLE), strict=True):
        source.write_text(text)
    command = [*COMPILER.split(), *compile_flags, *where, *map(str, sources), "-o", str(program), "-lm", *link_flags]
    subprocess.run(command, check=True)
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()


@needs_gcc
@pytest.mark.parametrize(
    "broken", [[], *map(list, dict.fromkeys(tuple(sorted(each)) for each in BREAKING.values()))], ids=" ".join
)
def test_flags_that_change_results_are_seen_and_undone(tmp_path, broken):
    """Two of those that change the same, and one of those that change nothing; all of them in a thorough run."""
    kind = [flags for flags, changed in BREAKING.items() if sorted(changed) == broken] or HARMLESS
    for flags in some(kind, 2 if broken else 1):
        with pytest.MonkeyPatch.context() as patch:
            expect_seen_and_undone(patch, tmp_path, flags)


def expect_seen_and_undone(monkeypatch, tmp_path, flags):
    recipe_of_setup = recipe(monkeypatch, flags)
    compile_flags = recipe_of_setup["FLAGS"]
    promise = recipe_of_setup["PROMISE"]
    assert compile_flags[-len(promise) :] == promise
    assert said(tmp_path, compile_flags, recipe_of_setup["LINK"]) == ["kept", "kept"]
    unguarded = said(tmp_path, ["-std=gnu11", "-O3", "-ffp-contract=off", *flags.split()], [])
    assert len(unguarded) == 2
    assert {*unguarded} <= BREAKING.get(flags, {"kept"})


def test_this_build_keeps_its_promise_in_a_fraction_of_a_millisecond():
    assert _kernels.broken_promises() == []
    before = _kernels.instruction_set()
    environment.check_build()
    assert _kernels.instruction_set() == before


def test_a_build_that_breaks_it_is_refused_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(_kernels, "broken_promises", lambda: [("avx2", "float32", "a * b + c")])
    with pytest.raises(ImportError, match=r"a \* b \+ c in float32 \(avx2\)") as caught:
        environment.check_build()
    assert len(str(caught.value).splitlines()) == 1
    monkeypatch.setattr(sys, "argv", ["/bin/llmtrace"])
    with pytest.raises(SystemExit) as left:
        environment.check_build()
    lines = capsys.readouterr().err.splitlines()
    assert left.value.code == 2
    assert len(lines) == 1
    assert lines[0].startswith("Error: ")
    assert "avx2" in lines[0]


def test_it_is_asked_at_every_import():
    code = """
import importlib
from llmtrace import _kernels
_kernels.broken_promises = lambda: [("x", "float32", "a")]
importlib.reload(importlib.import_module("llmtrace"))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(llmtrace.__file__).parents[1]
    )
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("ImportError: llmtrace's kernels were compiled with flags")
