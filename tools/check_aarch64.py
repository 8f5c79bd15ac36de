#!/usr/bin/env python
"""Does an aarch64 build give the same bits? Cross-compiles llmtrace, runs it under qemu-user and compares the hashes.

    python tools/check_aarch64.py FOLDER           # FOLDER keeps what is downloaded: 30 MB, 250 MB unpacked
    python tools/check_aarch64.py FOLDER --full    # every way of running, under qemu too: long

Needs Debian 12 with the packages qemu-user-static and gcc-aarch64-linux-gnu, and a network for the first time: Python
for arm64 comes from the package source that apt uses, NumPy from where pip finds it. Nothing is installed, and any user
may run it. What is compared: all tensors of tools/run_hash.py's models, and every elementary function over 2^20 floats
from all bit patterns. Not in CI.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hash_matrix import Result, build, copy_sources, differences, instruction_sets, measure, table

QEMU = "qemu-aarch64-static"
COMPILER = "aarch64-linux-gnu-gcc"
PACKAGES = ("python3.11-minimal", "libpython3.11-stdlib", "libpython3.11-dev", "libstdc++6")
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_27_aarch64", "manylinux_2_28_aarch64")


def run(command: Sequence[str | Path], extra: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """The output of a command; ends the program with what it said where it fails."""
    done = subprocess.run(command, env=os.environ | dict(extra or {}), cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def fetch_system(folder: Path) -> Path:
    """A root folder with Python 3.11 and its headers for arm64; apt gets a state of its own and leaves the system's."""
    root, state, cache = folder / "root", folder / "apt", folder / "packages"
    if (root / "complete").exists():
        return root
    for needed in (state / "lists" / "partial", cache / "archives" / "partial", root):
        needed.mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    options = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": cache,
        "Debug::NoLocking": "1",
    }
    apt = ["apt-get", "-q", "-y", *(f"-o{name}={value}" for name, value in options.items())]
    run([*apt, "update"])
    run([*apt, "--no-install-recommends", "--download-only", "install", *PACKAGES])
    for package in sorted((cache / "archives").glob("*.deb")):
        run(["dpkg-deb", "-x", package, root])
    (root / "complete").touch()
    return root


def fetch_numpy(folder: Path) -> Path:
    """A folder of modules with NumPy for arm64."""
    site = folder / "site"
    if (site / "numpy").is_dir():
        return site
    wanted = [option for name in PLATFORMS for option in ("--platform", name)]
    wanted += ["--only-binary=:all:", "--no-deps", "--python-version=311", "--implementation=cp"]
    run([sys.executable, "-m", "pip", "download", "-q", *wanted, "-d", folder / "wheels", "numpy"])
    with zipfile.ZipFile(next((folder / "wheels").glob("numpy-*.whl"))) as wheel:
        wheel.extractall(site)
    return site


def cross_compile(folder: Path, root: Path, site: Path) -> None:
    """setup.py, told about another machine: its headers come before those of here, which it would find by itself."""
    copy_sources(folder)
    headers = [root / "usr/include/python3.11", root / "usr/include", site / "numpy/_core/include"]
    target = {
        "LLMTRACE_BUILD_MACHINE": "aarch64",
        "CC": COMPILER,
        "LDSHARED": f"{COMPILER} -shared",
        "CFLAGS": " ".join(f"-I{path.resolve()}" for path in headers),
    }
    run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], target, folder)
    made = next((folder / "llmtrace").glob("_kernels.*.so"))
    made.rename(made.with_name("_kernels.so"))


def emulate(folder: Path, root: Path, site: Path, options: Sequence[str]) -> Result:
    """What tools/run_hash.py says on the emulated machine."""
    modules = {"PYTHONPATH": f"{folder}:{site}", "LLMTRACE_ISA": ""}
    python: list[str | Path] = [QEMU, "-L", root, root / "usr/bin/python3.11"]
    print(
        run([*python, "-c", "import platform, numpy; print(platform.machine(), 'NumPy', numpy.__version__)"], modules),
        end="",
    )
    result: Result = json.loads(run([*python, folder / "tools" / "run_hash.py", *options], modules))
    return result


def main(folder: Path, full: bool) -> int:
    missing = [program for program in (QEMU, COMPILER, "apt-get", "dpkg-deb") if shutil.which(program) is None]
    if missing:
        raise SystemExit(f"not found: {', '.join(missing)}; apt-get install qemu-user-static gcc-aarch64-linux-gnu")
    folder = folder.resolve()
    root, site = fetch_system(folder), fetch_numpy(folder)
    for stale in (folder / "here", folder / "there"):
        shutil.rmtree(stale, ignore_errors=True)
    build(folder / "here", "-O3")
    cross_compile(folder / "there", root, site)
    options = ["--functions", str(2**20), *([] if full else ["--small"])]
    began = time.perf_counter()
    there = emulate(folder / "there", root, site, options)
    print(f"aarch64      {table(there)}  {time.perf_counter() - began:.0f} s")
    name = instruction_sets(folder / "here")[-1]
    here = measure(folder / "here", name, options)
    print(f"{name:12} {table(here)}")
    wrong = differences(here, there)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(wrong)} differences" if wrong else f"the same bits, {len(here['functions'])} functions included")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--full", action="store_true")
    arguments = parser.parse_args()
    sys.exit(main(arguments.folder, arguments.full))
