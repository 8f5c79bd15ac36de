#!/usr/bin/env python
"""Runs the command line as an attacker would, in processes of its own, and counts what should never happen.

    python tools/check_attacks.py                 # the whole catalogue: less than four minutes on two cores
    python tools/check_attacks.py outputs signals # only these kinds
    python tools/check_attacks.py --seed 7        # other samples of the hostile files, other moments of interruption

Each process has limits of time and memory. Counted are crashes, hangs, tracebacks, silent acceptances (what must be refused
and is not, or fails without a word), control bytes in what is printed, endless messages, and files left behind or destroyed.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from attacks import KINDS, LLMTRACE, Attack, Stage  # noqa: E402 - of this checkout

SECONDS = 30
"""Of the processor, for one command; none of the catalogue takes a tenth of it."""
MEMORY = 3 << 30
OURS = b"/code/llmtrace"
GUARD = OURS + b"/interrupts.py"
"""In a traceback: what comes before the first lines of the package have been read can't be helped."""
LONGEST = 4000
"""Characters of an error message."""
EVERY = 10
"""Seconds between two lines of progress."""
PLAIN_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""Root, too, is kept out of what it may not write to."""
HARMLESS = {0, 1, 2, 130}
FAULTS = ("crash", "hang", "traceback", "silent acceptance", "control bytes", "endless message", "files")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (None where it had to be killed), and what it printed."""

    code: int | None
    out: bytes = b""
    err: bytes = b""


def limits(attack: Attack) -> Callable[[], None]:
    """What is done in the new process before it becomes the command."""

    def set_them() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (attack.memory or MEMORY,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if attack.file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (attack.file_size,) * 2)
        for stream in attack.closed:
            os.close(stream)

    return set_them


def as_it_is_now(scratch: Path) -> None:
    """A copy of the package, compiled: a command on a full disk would leave half a file of what it compiles in the checkout."""
    shutil.copytree(ROOT / "llmtrace", scratch / "code" / "llmtrace", ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(scratch / "code", quiet=1)


def environment(attack: Attack, folder: Path) -> dict[str, str | bytes]:
    """A small one: what belongs to the caller's terminal and languages is not passed on."""
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "LLMTRACE_NUM_THREADS": "1"}
    code = {"PYTHONPATH": str(folder.parent / "code"), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**own, **code, **attack.environment}


def run(attack: Attack, folder: Path) -> Ended:
    """The command in this folder, to its end or until it has to be killed."""
    process = subprocess.Popen(
        [*PLAIN_USER, LLMTRACE, *attack.arguments],
        cwd=folder,
        env=environment(attack, folder),
        stdin=subprocess.DEVNULL if attack.stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=limits(attack),
    )
    if attack.reads is not None:
        assert process.stdout is not None
        process.stdout.read(attack.reads)
        process.stdout.close()
        process.stdout = None
    if attack.interrupted is not None:
        time.sleep(attack.interrupted)
        process.send_signal(signal.SIGINT)
    for second in range(4 * SECONDS):  # while this process stands still, it does not count the seconds
        with contextlib.suppress(subprocess.TimeoutExpired):
            out, err = process.communicate(None if second else attack.stdin, timeout=1)
            return Ended(process.returncode, out or b"", err or b"")
    process.kill()
    process.communicate()
    return Ended(None)


def strange(text: bytes) -> set[str]:
    """Characters that a terminal would act on, or bytes that are no text."""
    return {c for c in text.decode("utf-8", "surrogateescape") if c not in "\n" and not c.isprintable()}


def faults(attack: Attack, ended: Ended) -> list[str]:
    """What should not have happened, of `FAULTS`."""
    if ended.code in {None, -signal.SIGXCPU, -signal.SIGKILL}:
        return ["hang"]
    found, printed = [], ended.out + ended.err
    if ended.code not in HARMLESS and not (attack.interrupted is not None and ended.code == -signal.SIGINT):
        found.append("crash")
    sign = any(each in printed for each in (b"Traceback (most", b"Exception ignored", b"Fatal Python", b"MemoryError"))
    if sign and (attack.interrupted is None or (OURS in printed and GUARD not in printed)):
        found.append("traceback")
    if attack.refused and ended.code == 0:
        found.append("silent acceptance")
    heard = 2 not in attack.closed and attack.interrupted is None and attack.reads is None
    if ended.code and ended.code > 0 and heard and not ended.err.strip():
        found.append("silent acceptance")
    if attack.encoding == "utf-8" and strange(printed):
        found.append("control bytes")
    if len(ended.err) > LONGEST:
        found.append("endless message")
    return found


@dataclass
class Report:
    """What was tried of each kind, and what was found."""

    tried: Counter[str] = field(default_factory=Counter)
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: float = field(default_factory=time.monotonic)

    def progress(self, of: int) -> None:
        """A line every few seconds: how many have been tried, and of how many something was found."""
        if time.monotonic() - self.told >= EVERY:
            self.told = time.monotonic()
            done, found = sum(self.tried.values()), sum(self.found.values())
            print(f"{done:,} of {of:,} tried, {found} faults", flush=True)

    def add(self, attack: Attack, ended: list[Ended], what: list[str]) -> None:
        """One more attack; what was found is printed at once."""
        self.tried[attack.kind] += 1
        for fault in what:
            self.found[attack.kind, fault] += 1
        if what:
            print(f"{attack.kind}: {attack.name}: {', '.join(what)}", flush=True)
            for each in ended:
                print(
                    f"    {list(attack.arguments)!r:.300}\n    exit {each.code}; {each.err[-600:] or each.out[-300:]!r}"
                )

    def table(self) -> None:
        """One line for each kind, one column for each fault."""
        print(f"\n{'kind':14}{'tried':>7}" + "".join(f"{fault:>19}" for fault in FAULTS))
        for kind, count in [*self.tried.items(), ("all", sum(self.tried.values()))]:
            kinds = self.tried if kind == "all" else [kind]
            print(f"{kind:14}{count:7}" + "".join(f"{sum(self.found[k, f] for k in kinds):19}" for f in FAULTS))


def tried(attack: Attack, stage: Stage) -> tuple[list[Ended], list[str]]:
    """One attack in a folder of its own: how each of its processes ended, and the faults."""
    with tempfile.TemporaryDirectory(dir=stage.scratch) as name:
        folder = Path(name)
        attack.prepare(folder)
        kept = {path: path.read_bytes() for path in folder.rglob("*") if path.name.startswith("precious")}
        with ThreadPoolExecutor(attack.at_once) as pool:
            ended = list(pool.map(lambda _: run(attack, folder), range(attack.at_once)))
        what = sorted({fault for each in ended for fault in faults(attack, each)})
        spoilt = any(not path.is_file() or path.read_bytes() != content for path, content in kept.items())
        left = [path for path in folder.rglob("*") if path.suffix == ".tmp" or path.name.startswith(".tmp")]
        if spoilt or left or not attack.after(folder):
            what.append("files")
        os.chmod(folder, 0o700)
        return ended, what


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kinds", nargs="*", help=f"only these of {', '.join(KINDS)}; all by default")
    parser.add_argument("--seed", type=int, default=0, help="other samples, other moments (default 0)")
    options = parser.parse_args()
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    start, report = time.monotonic(), Report()
    with tempfile.TemporaryDirectory(prefix="attacks-") as name:
        os.chmod(name, 0o755)
        as_it_is_now(Path(name))
        stage = Stage.built(Path(name), random.Random(options.seed))
        attacks = [attack for kind in options.kinds or KINDS for attack in KINDS[kind](stage)]
        with ThreadPoolExecutor(os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()) as pool:
            for attack, (ended, what) in zip(attacks, pool.map(lambda a: tried(a, stage), attacks), strict=True):
                report.add(attack, ended, what)
                report.progress(len(attacks))
    report.table()
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if report.found else 0


if __name__ == "__main__":
    sys.exit(main())
