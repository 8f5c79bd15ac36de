#!/usr/bin/env python
"""Builds the package with flags that change arithmetic: setup.py undoes them, and a build that does not undo them is refused.

    python tools/check_flags.py                # some minutes
    python tools/check_flags.py "-Ofast"       # only this CFLAGS

Each build is made in a temporary copy; its hash (tools/run_hash.py) must be that of this checkout on every instruction set.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from hash_matrix import ROOT, build, copy_sources, differences, environment, instruction_sets, measure

FLAGS = ("-ffp-contract=fast -mfma", "-ffast-math", "-Ofast -mfma", "-mfpmath=387")


def undone(flags: str) -> list[str]:
    """What differs in a build with these CFLAGS."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "copy"
        build(folder, flags)
        said = []
        for name in instruction_sets(folder):
            expected = measure(ROOT, name, ["--small"])
            said += [f"{name}: {line}" for line in differences(expected, measure(folder, name, ["--small"]))]
        return said


def refused(flags: str) -> list[str]:
    """What is wrong with how a build is refused whose setup.py does not undo these CFLAGS."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "copy"
        copy_sources(folder)
        recipe = folder / "setup.py"
        text = recipe.read_text(encoding="utf-8")
        planted = text.replace("\nFLAGS += PROMISE\n", "\nPROMISE = []\n")
        if planted == text:
            raise SystemExit("setup.py no longer adds its flags where this tool takes them away")
        recipe.write_text(planted, encoding="utf-8")
        build(folder, flags, copy=False)
        command = [sys.executable, "-m", "llmtrace", "generate", "The king", "--steps", "1"]
        run = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
        if run.returncode != 2 or len(run.stderr.splitlines()) != 1 or "flags that change results" not in run.stderr:
            return [f"exit code {run.returncode}: {run.stderr[-500:]}"]
        print(f"  {run.stderr.strip()}")
        return []


def main() -> int:
    wrong = 0
    for flags in sys.argv[1:] or FLAGS:
        for what, check in (("undone", undone), ("refused where they are not", refused)):
            said = check(flags)
            wrong += len(said)
            print(f"{flags}: {what}: {'no: ' if said else 'yes'}", *said, sep="\n  " if said else "", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
