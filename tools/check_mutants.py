#!/usr/bin/env python
"""Plants small errors in the sources, one at a time, and sees whether the tests that should notice do.

    python tools/check_mutants.py                  # all of tests/mutants/source/*.toml: about an hour and a half
    python tools/check_mutants.py softmax data.py  # those whose file of errors, file or name has one of these words in it
    python tools/check_mutants.py --list

It works in a copy of the checkout. Each error is data: `name`, `file`, `old` (which stands there exactly once), `new`, and
`tests`, of which at least one must fail. Where csrc/ is changed, the kernels are compiled again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "tests" / "mutants" / "source"
LONGEST = 900
"""Seconds for the tests of one error: one that makes them hang is noticed, too."""
PYTEST = [
    "-m",
    "pytest",
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-o",
    "addopts=--import-mode=importlib",
]


@dataclass(frozen=True)
class Mutant:
    """A small error, and the tests of which one must fail."""

    area: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def compiled(self) -> bool:
        """Whether it changes what is compiled."""
        return self.file.startswith("csrc/")

    def planted(self, text: str) -> str:
        """The file's text with the error in it; ValueError unless there is one place for it."""
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: what it changes stands {text.count(self.old)} times in {self.file}")
        return text.replace(self.old, self.new)


def mutants() -> list[Mutant]:
    """All errors, in the order of their files."""
    return [
        Mutant(path.stem, each["name"], each["file"], each["old"], each["new"], tuple(each["tests"]))
        for path in sorted(SOURCE.glob("*.toml"))
        for each in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    ]


def chosen(words: list[str]) -> list[Mutant]:
    """Those that the words ask for."""
    return [m for m in mutants() if not words or any(word in f"{m.area} {m.file} {m.name}" for word in words)]


def copied(folder: Path) -> Path:
    """A copy of the checkout, with what is compiled."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = [os.fsdecode(name) for name in files.stdout.split(b"\0") if name]
    for path in [*map(Path, names), *(path.relative_to(ROOT) for path in ROOT.glob("llmtrace/*.so"))]:
        if (ROOT / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / path)
    return folder


def compile_kernels(folder: Path) -> bool:
    """Whether the kernels can be compiled; quickly, since optimisation changes no bit."""
    command, environment = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"], {**os.environ, "CFLAGS": "-O1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).returncode == 0


def noticed(folder: Path, tests: tuple[str, ...]) -> str:
    """What the tests say of the error: the first that failed, or "" where none did."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(
            [sys.executable, *PYTEST, *tests],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "they do not come to an end"
    if run.returncode == 0:
        return ""
    failed = [line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if run.returncode not in {1, 2} or any("error during collection" in line for line in failed):
        lines = (run.stdout + run.stderr).strip().splitlines()
        return f"exit code {run.returncode}: {lines[-1] if lines else ''}"
    return failed[0].partition(" - ")[0].split()[-1] if failed else "they fail"


def tried(folder: Path, all_of_them: list[Mutant]) -> Iterator[tuple[Mutant, str]]:
    """Each error with what was said of it; the file is as before afterwards."""
    built = {path: path.read_bytes() for path in (folder / "llmtrace").glob("*.so")}
    for mutant in all_of_them:
        path = folder / mutant.file
        before = path.read_text(encoding="utf-8")
        path.write_text(mutant.planted(before), encoding="utf-8")
        try:
            if mutant.compiled and not compile_kernels(folder):
                yield mutant, "it does not compile"
            else:
                yield mutant, noticed(folder, mutant.tests)
        finally:
            path.write_text(before, encoding="utf-8")
            for made, content in built.items() if mutant.compiled else ():
                made.write_bytes(content)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*", help="only those with one of these words in their names; all by default")
    parser.add_argument("--list", action="store_true", help="only list them")
    options = parser.parse_args()
    wanted, survivors = chosen(options.words), []
    if options.list:
        for mutant in wanted:
            print(f"{mutant.area:12} {mutant.file}: {mutant.name}")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = copied(Path(name))
        if any(mutant.compiled for mutant in wanted) and not compile_kernels(folder):
            raise SystemExit("the sources as they are do not compile")
        tests = tuple(sorted({test for mutant in wanted for test in mutant.tests}))
        if said := noticed(folder, tests):
            raise SystemExit(f"without any error, the tests do not pass: {said}")
        start = time.monotonic()
        for mutant, said in tried(folder, wanted):
            if not said:
                survivors.append(mutant)
            seconds, start = time.monotonic() - start, time.monotonic()
            print(
                f"{'caught  ' if said else 'SURVIVED'} {seconds:4.0f} s  {mutant.area}: {mutant.name}: {said}",
                flush=True,
            )
    print(f"{len(wanted) - len(survivors)} of {len(wanted)} are caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
