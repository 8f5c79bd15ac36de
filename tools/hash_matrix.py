#!/usr/bin/env python
"""One hash for all tensors of a run: however it is run, on every instruction set here, compiled with -O0 and with -O3.

    python tools/hash_matrix.py            # the whole matrix: some minutes
    python tools/hash_matrix.py --small    # fewer ways of running in each build
    python tools/hash_matrix.py --small --also "-O3 -march=native -flto"    # one more build

Each build is made in a temporary copy of the sources beside this file and each instruction set gets a process of its
own, which runs the same sequences in every way that tools/run_hash.py knows. Exit code 1 where any bit differs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUILDS = ("-O3", "-O0")
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "csrc", "llmtrace", "tools")
Result = dict[str, Any]


def copy_sources(folder: Path) -> None:
    """The sources, without anything compiled."""
    folder.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, folder / name)


def build(folder: Path, flags: str, *, copy: bool = True) -> None:
    """Compiles a copy of the sources in `folder`."""
    if copy:
        copy_sources(folder)
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=folder, env=os.environ | {"CFLAGS": flags}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the build with {flags} failed:\n{done.stderr}")


def instruction_sets(folder: Path) -> list[str]:
    """What the build in `folder` can use on this machine."""
    code = "from llmtrace import _kernels; print(*_kernels.instruction_sets())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the build in {folder} can't be imported:\n{done.stderr}")
    return done.stdout.split()


def environment(folder: Path, instruction_set: str = "") -> dict[str, str]:
    """The environment of here, but with the package taken from `folder`."""
    return os.environ | {"PYTHONPATH": str(folder), "LLMTRACE_ISA": instruction_set}


def measure(folder: Path, instruction_set: str, options: Sequence[str]) -> Result:
    """What tools/run_hash.py says in a process of its own."""
    command = [sys.executable, str(folder / "tools" / "run_hash.py"), *options]
    done = subprocess.run(command, env=environment(folder, instruction_set), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} with LLMTRACE_ISA={instruction_set} failed:\n{done.stderr}")
    result: Result = json.loads(done.stdout)
    if result["instruction set"] != instruction_set:
        raise SystemExit(f"asked for {instruction_set}, but {result['instruction set']} was used")
    if Path(result["package"]).resolve() != (folder / "llmtrace").resolve():
        raise SystemExit(f"asked for the package of {folder}, but {result['package']} was used")
    return result


def differences(expected: Result, found: Result) -> list[str]:
    """What differs, in sentences: among the ways within `found`, and from `expected`."""
    said = []
    for name, case in found["cases"].items():
        for way, tensors in case["differing"].items():
            said.append(f"{name}, {way}: {', '.join(tensors[:4])}{' …' if len(tensors) > 4 else ''}")
        reference = expected["cases"][name]["tensors"]
        if case["tensors"] != reference:
            first = next((t for t in reference if case["tensors"].get(t) != reference[t]), "more tensors")
            said.append(f"{name}: not what the first build has, from {first} on")
    for name, value in found["functions"].items():
        if value != expected["functions"].get(name):
            said.append(f"{name}: not what the first build has")
    return said


def table(result: Result) -> str:
    """The hashes of one process on one line."""
    cells = [f"{case['hash'][:16]} ({case['runs']} runs)" for case in result["cases"].values()]
    return "  ".join(cells)


def main(builds: Sequence[str], options: Sequence[str]) -> int:
    began = time.perf_counter()
    first: Result | None = None
    wrong = runs = 0
    with tempfile.TemporaryDirectory() as temporary:
        for number, flags in enumerate(builds):
            folder = Path(temporary) / str(number)
            build(folder, flags)
            for name in instruction_sets(folder):
                result = measure(folder, name, options)
                if first is None:
                    print(f"{'build':6} {'instructions':12} " + "  ".join(f"{c:28}" for c in result["cases"]))
                first = first or result
                said = differences(first, result)
                wrong += len(said)
                runs += sum(case["runs"] for case in result["cases"].values())
                print(f"{flags:6} {name:12} {table(result)}", *said, sep="\n       ", flush=True)
    tensors = sum(len(case["tensors"]) for case in (first or {"cases": {}})["cases"].values())
    print(f"{runs} runs of 8 sequences, {tensors} tensors: ", end="")
    print(f"{wrong} differences" if wrong else "the same bits everywhere", f"({time.perf_counter() - began:.0f} s)")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--also", action="append", default=[], metavar="CFLAGS", help="one more build")
    arguments = parser.parse_args()
    small = ["--small"] if arguments.small else []
    sys.exit(main([*BUILDS, *arguments.also], ["--functions", str(2**20), *small]))
