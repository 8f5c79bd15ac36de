"""Kills a process that saves traces, at random moments, and checks that a finished trace is always there and right.

    python tools/check_saving.py [--kills 200] [--seed 0]

Also fills a file system, where it may mount one (as root on Linux), and checks that saving fails with one clear error.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import llmtrace
from llmtrace.errors import TraceFileError
from llmtrace.explain.verify import verify

SAVER = """
import sys, llmtrace
trace = llmtrace.load().trace("The king had a child, a girl.")
print("ready", flush=True)
while True:
    trace.save(sys.argv[1], with_weights=True)
"""


def kill_at_random(path: Path, seconds: float) -> None:
    """Starts a saver, lets it save for a while, and kills it."""
    process = subprocess.Popen([sys.executable, "-c", SAVER, path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def full_disk() -> str:
    """What saving says on a full file system, or why that could not be tried."""
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True)
        if mounted.returncode:
            return "not tried: no file system could be mounted"
        try:
            llmtrace.load().trace("The king had a child, a girl.").save(Path(folder) / "a.trace", with_weights=True)
        except TraceFileError as error:
            left = os.listdir(folder)
            return f"{str(error).replace(folder, '…')}; left behind: {left}"
        finally:
            subprocess.run(["umount", folder], check=True)
    raise SystemExit("saving to a full disk raised nothing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    leftovers = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.trace"
        llmtrace.load().trace("The king had a child, a girl.").save(path, with_weights=True)
        for _ in range(options.kills):
            kill_at_random(path, chance.uniform(0, 0.05))
            verify(llmtrace.open(path))
            leftovers += len(os.listdir(folder)) > 1
        llmtrace.load().trace("The king had a child, a girl.").save(path, with_weights=True)
        assert os.listdir(folder) == ["a.trace"], os.listdir(folder)
    print(
        f"{options.kills} kills: a right trace after each; {leftovers} left a part behind, the next saving removed it"
    )
    print(f"full disk: {full_disk()}")


if __name__ == "__main__":
    main()
