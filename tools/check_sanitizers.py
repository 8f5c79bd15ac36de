#!/usr/bin/env python
"""Builds the package with the address and undefined-behaviour sanitizers of GCC, and runs tests in that build. No finding may be.

    python tools/check_sanitizers.py              # half an hour: kernels, files, tokenizers, training
    python tools/check_sanitizers.py csrc files   # only these groups of tests
    python tools/check_sanitizers.py --flags=-O1  # compiled otherwise; the flags of setup.py alone by default

The build is made in a temporary copy. Tests that only take too long there are told from those in which something was found.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hash_matrix import ROOT, build, environment

SANITIZE = "-g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
GROUPS = {
    "csrc": [
        "tests/contract/test_sizes.py",
        "tests/csrc/test_matmul.py",
        "tests/csrc/test_pool.py",
        "tests/csrc/test_determinism.py",
    ],
    "contract": ["tests/contract/test_contract.py"],
    "files": ["tests/weights", "tests/storage", "tests/trace/test_container.py", "tests/trace/test_forged.py"],
    "tokenizers": ["tests/tokenizers"],
    "training": ["tests/training"],
}
ON_EVERY_SET = {"csrc", "contract"}
FINDING = re.compile(r"ERROR: AddressSanitizer.*|.*: runtime error: .*|SUMMARY: .*Sanitizer.*")
SLOW = re.compile(r"Timeout|TimeoutExpired|DeadlineExceeded|took .* s\b")
BOUNDS_OF_MEMORY = "not memory and not limit"
"""Names of tests that measure memory or limit it: the sanitizer itself needs more than they allow."""


def sanitized(folder: Path, instruction_set: str, *, after_return: bool = False) -> dict[str, str]:
    """The environment for a process of the build in `folder`; `after_return`: uses of a stack after the return are found.

    GCC before 12.4 and 13.3 keeps the frames for that at multiples of 32 bytes, and yet stores whole vectors of 64 there as if at
    multiples of 64 (its bug 110027): AVX-512 would fault at any local array, so there that search is left out.
    """
    library = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    return environment(folder, instruction_set) | {
        "LD_PRELOAD": library.stdout.strip(),
        "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return={after_return:d}",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONMALLOC": "malloc",
    }


def instruction_sets(folder: Path) -> list[str]:
    """What the build in `folder` can use on this machine."""
    command = [sys.executable, "-c", "from llmtrace import _kernels; print(*_kernels.instruction_sets())"]
    done = subprocess.run(command, cwd=folder, env=sanitized(folder, ""), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the build can't be imported:\n{done.stderr}")
    return done.stdout.split()


def run(folder: Path, instruction_set: str, group: str, seconds: float) -> tuple[list[str], list[str], str]:
    """Findings, failed tests with their reasons, and pytest's last line."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-rfE",
        "--timeout",
        str(seconds),
    ]
    command += ["-k", BOUNDS_OF_MEMORY, *GROUPS[group]]
    # Tests of the other groups start processes of every instruction set, or take the best one.
    env = sanitized(folder, instruction_set, after_return=group == "contract" and instruction_set != "avx512")
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    failed = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR "))]
    if done.returncode not in {0, 1, 5}:
        failed.append(f"exit code {done.returncode}: {output.strip().splitlines()[-1] if output.strip() else ''}")
    return FINDING.findall(output), failed, (done.stdout.strip().splitlines() or [""])[-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("groups", nargs="*", help=f"of {', '.join(GROUPS)}; all by default")
    parser.add_argument("--flags", default="", help="more CFLAGS")
    parser.add_argument("--seconds", type=float, default=600, help="for one test")
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "copy"
        build(folder, f"{SANITIZE} {options.flags}")
        for name in ("tests", "docs", "conftest.py"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        for group in options.groups or GROUPS:
            for instruction_set in instruction_sets(folder) if group in ON_EVERY_SET else [""]:
                start = time.monotonic()
                findings, failed, last = run(folder, instruction_set, group, options.seconds)
                wrong += len(findings) + len(failed)
                print(f"{group:10} {instruction_set or 'best':9} {time.monotonic() - start:5.0f} s  {last}", flush=True)
                for line in findings[:10]:
                    print(f"  found: {line}")
                for line in failed:
                    print(f"  {'too slow' if SLOW.search(line) else 'failed'}: {line[:200]}", flush=True)
    print("no finding" if not wrong else f"{wrong} findings and failures")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
