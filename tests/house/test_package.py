"""The package itself: what is public, what importing costs, and that stale or unsuitable kernels are refused."""

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from helpers.fresh import some

import llmtrace
from llmtrace import _kernels, _sources

ROOT = Path(__file__).parents[2]


def python(*arguments):
    return subprocess.run([sys.executable, "-c", *arguments], capture_output=True, text=True, timeout=60)


FORKED = """
import json, os, sys, numpy
for values in json.loads(sys.argv[2]):
    if not os.fork():
        os.environ |= values
        exec(sys.argv[1])
        break
    os.wait()
"""


def in_environments(code, *environments):
    """What a program says with each of them, one after the other: in forks of a process that has imported NumPy only."""
    return python(FORKED, code, json.dumps(environments))


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
    names = some(_kernels.instruction_sets(), 2)
    code = "from llmtrace import _kernels; print(_kernels.instruction_set(), flush=True)"
    run = in_environments(code, *({"LLMTRACE_ISA": name} for name in [*names, "z80"]))
    assert run.stdout.split() == names
    assert "LLMTRACE_ISA='z80' can't be used here" in run.stderr
    assert not python("import llmtrace.environment; llmtrace._kernels.use_instruction_set('baseline')").stderr


def test_a_wrong_number_of_threads_is_refused():
    wrong = ("0", "-1", "1.5", "two")
    code = "import llmtrace; print(llmtrace.get_threads(), flush=True)"
    run = in_environments(code, *({"LLMTRACE_NUM_THREADS": number} for number in [*wrong, "3"]))
    assert run.stdout.split() == ["3"]
    for number in wrong:
        assert f"LLMTRACE_NUM_THREADS={number!r}" in run.stderr
    with pytest.raises(ValueError, match="from 1 to 4096"):
        llmtrace.set_threads(0)


SDIST = """
import runpy, sys, types
build = types.SimpleNamespace(cythonize=lambda modules, **_: modules)  # nothing is compiled for a source distribution
sys.modules |= {"Cython": types.SimpleNamespace(Build=build), "Cython.Build": build}
sys.argv = ["setup.py", "-q", "sdist", "--formats=tar", "-d", "made"]
runpy.run_path("setup.py", run_name="__main__")
"""


def test_every_source_is_in_the_source_distribution(tmp_path):
    """Made from a copy of the checkout."""
    folders = ["csrc", "llmtrace", "tests", "benchmarks", "tools", "docs"]
    made = shutil.ignore_patterns("__pycache__", "*.so", "*.o", "*.py[cod]", "_build", ".*")
    for folder in folders:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=made)
    for file in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / file, tmp_path)
    sources = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    command = [sys.executable, "-c", SDIST]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    (archive,) = (tmp_path / "made").iterdir()
    with tarfile.open(archive) as packed:
        held = {name.partition("/")[2] for name in packed.getnames()}
    assert sources - held == set()
    assert not [name for name in held if name.endswith((".so", ".o", ".pyc"))]


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
