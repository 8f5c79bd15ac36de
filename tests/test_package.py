"""The package itself: what is public, what importing costs, and that stale or unsuitable kernels are refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import llmtrace
from llmtrace import _kernels, _sources

ROOT = Path(__file__).parents[1]


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, timeout=60
    )


def test_public_names_exist():
    assert {name for name in llmtrace.__all__ if getattr(llmtrace, name) is None} == set()
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        llmtrace.lode  # noqa: B018


def test_importing_stays_light():
    heavy = ["rich", "click", "safetensors", "hypothesis", "json", "decimal"]
    code = "import numpy, sys; before = set(sys.modules); import llmtrace; new = set(sys.modules) - before; "
    assert python(code + f"print([m for m in {heavy} if m in new])").stdout.strip() == "[]"


def test_the_checksum_covers_every_source(tmp_path):
    for name in ("a.h", "b.pyx", "c.pxi", "d.c"):
        (tmp_path / name).write_text(name)
    first = _sources.source_hash(tmp_path)
    for name in ("a.h", "b.pyx", "c.pxi", "d.c"):
        (tmp_path / name).write_text(name + "!")
        assert _sources.source_hash(tmp_path) != first
        (tmp_path / name).write_text(name)
    assert _sources.source_hash(tmp_path) == first


def test_stale_kernels_are_refused():
    _sources.check_fresh(_kernels.source_hash)
    with pytest.raises(ImportError, match="pip install -e"):
        _sources.check_fresh("00000000")


def test_an_instruction_set_can_be_forced():
    for name in _kernels.instruction_sets():
        run = python("from llmtrace import _kernels; print(_kernels.instruction_set())", LLMTRACE_ISA=name)
        assert run.stdout.strip() == name
    wrong = python("import llmtrace", LLMTRACE_ISA="z80")
    assert "LLMTRACE_ISA='z80' can't be used here" in wrong.stderr


def test_a_wrong_number_of_threads_is_refused():
    for wrong in ("0", "-1", "two", "1.5"):
        run = python("import llmtrace", LLMTRACE_NUM_THREADS=wrong)
        assert f"LLMTRACE_NUM_THREADS={wrong!r}" in run.stderr
    assert python("import llmtrace; print(llmtrace.get_threads())", LLMTRACE_NUM_THREADS="3").stdout.strip() == "3"
    with pytest.raises(ValueError, match="from 1 to 4096"):
        llmtrace.set_threads(0)


def test_every_source_is_in_the_source_distribution():
    listed = (ROOT / "MANIFEST.in").read_text()
    assert "graft csrc" in listed


def test_an_arena_refuses_what_it_can_not_hold():
    arena = _kernels.Arena()
    for _ in range(100):
        for shape, dtype in [
            ((3,), "nonsense"),
            ((3,), "O"),
            ((1,) * 17, "f4"),
            ((-1,), "f4"),
            ((1 << 40, 1 << 40), "f8"),
        ]:
            with pytest.raises((TypeError, ValueError)):
                arena.empty(shape, dtype)
    for _ in range(3):
        with pytest.raises(MemoryError):
            arena.empty((1 << 57,), "f4")
    first = arena.empty((5, 3), "f4")
    first[...] = 1
    assert first.flags.owndata is False
    assert arena.empty((0, 4), "i8").shape == (0, 4)
    arena.close()
    with pytest.raises(ValueError, match="over"):
        arena.empty((1,), "f4")
    assert (first == 1).all()
