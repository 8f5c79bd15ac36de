#!/usr/bin/env python
"""Builds the package with the address and undefined-behaviour sanitizers of GCC, and runs tests in that build. No finding may be.

    python tools/check_sanitizers.py              # all groups: kernels, files, tokenizers, training, the contract
    python tools/check_sanitizers.py csrc files   # only these groups of tests
    python tools/check_sanitizers.py --keep /tmp/sanitized    # the build stays there, and what is up to date is not made again
    python tools/check_sanitizers.py --flags=-O1  # compiled otherwise; the flags of setup.py alone by default

Every process writes what the sanitizers find into a folder, those that tests start included, whatever these tests expect of them.
A test that only takes too long there is run again with a limit ten times higher.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from hash_matrix import ROOT, SOURCES, build, environment

KINDS = "address,undefined,float-cast-overflow"
SANITIZE = f"-g -fsanitize={KINDS} -fno-sanitize-recover={KINDS.removeprefix('address,')} -fno-omit-frame-pointer"
GROUPS = {
    "csrc": ["tests/csrc", "tests/contract/test_sizes.py"],
    "files": ["tests/weights", "tests/storage", "tests/trace/test_container.py", "tests/trace/test_forged.py"],
    "tokenizers": ["tests/tokenizers"],
    "training": ["tests/training"],
    "contract": ["tests/contract/test_contract.py"],
}
ON_EVERY_SET = {"csrc", "contract"}
"""Tests of the other groups start processes of every instruction set, or take the best one."""

OTHER_BUILDS = ("tests/csrc/test_adding.py", "tests/csrc/test_headers.py", "tests/csrc/test_promise.py")
"""They compile something else, without the sanitizers."""

BOUNDS_OF_MEMORY = (
    "tests/trace/test_forged.py::test_no_memory_is_taken_for_a_size_that_only_the_file_names",
    "tests/tokenizers/training/test_bpe.py::test_memory_grows_with_the_pieces_not_with_the_texts",
    "tests/tokenizers/training/test_reading.py::test_a_file_larger_than_the_memory_it_takes",
)
"""Tests that limit or measure memory: the sanitizer itself needs more than they allow."""

SLACK = 20
"""So many times the seconds and megabytes are allowed that refusing a file may take."""

FINDING = re.compile(r"ERROR: AddressSanitizer.*|.*: runtime error: .*")
SLOW = re.compile(r"Timeout|TimeoutExpired|DeadlineExceeded|took .* s\b|: \d+\.\d+ s$")


@dataclass
class Outcome:
    """What the tests of one group came to on one instruction set."""

    findings: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    passed: int = 0
    skipped: int = 0
    seconds: float = 0

    def add(self, other: Outcome) -> None:
        """Counts those of `other` too."""
        self.findings += other.findings
        self.failed += other.failed
        self.slow += other.slow
        self.passed += other.passed
        self.skipped += other.skipped
        self.seconds += other.seconds

    def __str__(self) -> str:
        return (
            f"{self.passed:6,} passed {self.skipped:4} skipped {len(self.findings):3} findings {len(self.failed):3} failed "
            f"{len(self.slow):3} too slow {self.seconds / 60:6.1f} min"
        )


def understood(output: str) -> Outcome:
    """What pytest said with -rfE: its last counts, and the tests that failed."""
    failed = [line for line in output.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|skipped)\b", output)}
    return Outcome(
        failed=[line for line in failed if not SLOW.search(line)],
        slow=[line for line in failed if SLOW.search(line)],
        passed=counts.get("passed", 0),
        skipped=counts.get("skipped", 0),
    )


def sanitized(folder: Path, instruction_set: str, *, after_return: bool = False) -> dict[str, str]:
    """The environment for a process of the build in `folder`; `after_return`: uses of a stack after the return are found.

    GCC before 12.4 and 13.3 keeps the frames for that at multiples of 32 bytes, and yet stores whole vectors of 64 there as if at
    multiples of 64 (its bug 110027): AVX-512 would fault at any local array, so there that search is left out.
    """
    library = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    log = f"log_path={folder / 'found' / 'by'}"
    return environment(folder, instruction_set) | {
        "LD_PRELOAD": library.stdout.strip(),
        "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return={after_return:d}:{log}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:{log}",
        "LLMTRACE_TEST_SLACK": str(SLACK),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONMALLOC": "malloc",
        "COLUMNS": "400",  # pytest cuts the reasons of failures where a line ends
    }


def found(folder: Path) -> list[str]:
    """What the processes wrote of their findings since the last call."""
    logs = sorted((folder / "found").iterdir())
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in logs]
    for path in logs:
        path.unlink()
    return [(FINDING.findall(text) or [text[:200]])[0] for text in texts]


def python(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """What `code` says in a process of the build in `folder`."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=sanitized(folder, ""), capture_output=True, text=True, check=False)


def instruction_sets(folder: Path) -> list[str]:
    """What the build in `folder` can use on this machine."""
    done = python(folder, "from llmtrace import _kernels; print(*_kernels.instruction_sets())")
    if done.returncode:
        raise SystemExit(f"the build can't be imported:\n{done.stderr}\n{found(folder)}")
    return done.stdout.split()


def expect_sight(folder: Path) -> None:
    """Both extensions are instrumented, and an access out of bounds is found."""
    extensions = [path for path in (folder / "llmtrace").glob("*.so") if b"__asan_report_store" in path.read_bytes()]
    python(folder, "import ctypes; ctypes.string_at(ctypes.create_string_buffer(100), 200)")
    if len(extensions) != 2 or not any("heap-buffer-overflow" in line for line in found(folder)):
        raise SystemExit(f"the sanitizers do not see: {len(extensions)} of 2 extensions have them")


def prepare(folder: Path, flags: str) -> None:
    """The sources of now in `folder`, compiled; what was compiled there before is kept."""
    folder.mkdir(exist_ok=True)
    for name in (*SOURCES, "tests", "docs", "conftest.py", "found"):
        for path in (folder / name).rglob("*") if (folder / name).is_dir() else [folder / name]:
            if path.suffix != ".so" and not path.is_dir():
                path.unlink(missing_ok=True)
    for name in (*SOURCES, "tests", "docs", "conftest.py"):
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("*.so", "__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy2(ROOT / name, folder / name)
    (folder / "found").mkdir(exist_ok=True)
    build(folder, flags, copy=False)


def pytest(folder: Path, env: dict[str, str], *arguments: str) -> Outcome:
    """What the tests came to."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE", *arguments]
    start = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    outcome = understood(done.stdout)
    outcome.findings, outcome.seconds = found(folder), time.monotonic() - start
    if done.returncode not in {0, 1}:
        said = (done.stdout + done.stderr).strip()
        outcome.failed.append(f"exit code {done.returncode}: {said.splitlines()[-1] if said else ''}")
    return outcome


def run(folder: Path, instruction_set: str, group: str, options: argparse.Namespace) -> Outcome:
    """What the tests of a group came to; those that took too long have had a second chance."""
    env = sanitized(folder, instruction_set, after_return=group == "contract" and instruction_set != "avx512")
    left_out = [f"--ignore={path}" for path in OTHER_BUILDS] + [f"--deselect={name}" for name in BOUNDS_OF_MEMORY]
    spread = ["-n", str(options.workers), "--dist=load"] if options.workers > 1 else ["-n", "0"]
    outcome = pytest(folder, env, f"--timeout={options.seconds}", *spread, *left_out, *GROUPS[group])
    if outcome.slow:
        tests = [line.split()[1] for line in outcome.slow]
        outcome.slow = []
        outcome.add(pytest(folder, env, f"--timeout={10 * options.seconds}", "-n", "0", *tests))
    return outcome


def show(name: str, outcome: Outcome) -> None:
    """One line, and one for each test or place where something was found."""
    print(f"{name:22}{outcome}")
    for kind, lines in (("found", outcome.findings), ("failed", outcome.failed), ("too slow", outcome.slow)):
        for line in lines[:20]:
            print(f"  {kind}: {line[:200]}")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all by default")
    parser.add_argument("--flags", default="", help="more CFLAGS")
    parser.add_argument("--seconds", type=float, default=600, help="for one test")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="build there, and keep it for the next time")
    parser.add_argument("--workers", type=int, default=1, help="run so many tests at once")
    options = parser.parse_args()
    unknown = set(options.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    whole = Outcome()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary) / "copy").resolve()
        prepare(folder, f"{SANITIZE} {options.flags}")
        expect_sight(folder)
        for group in options.groups or GROUPS:
            for instruction_set in instruction_sets(folder) if group in ON_EVERY_SET else [""]:
                outcome = run(folder, instruction_set, group, options)
                show(f"{group} {instruction_set}", outcome)
                whole.add(outcome)
    print(f"{'all':22}{whole}")
    return 1 if whole.findings or whole.failed or whole.slow else 0


if __name__ == "__main__":
    sys.exit(main())
