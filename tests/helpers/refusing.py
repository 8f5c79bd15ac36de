"""Whether a file is refused in one harmless line, quickly and in little memory."""

import gc
import os
import time
from contextlib import contextmanager
from pathlib import Path

from llmtrace.errors import LlmtraceError

SLACK = float(os.environ.get("LLMTRACE_TEST_SLACK") or 1)
"""What tools/check_sanitizers.py allows: a build that watches itself takes more of both."""

SECONDS, MEGABYTES = 1.0 * SLACK, 64 * SLACK
STATUS = Path("/proc/self/status")


def peak():
    """The most memory that this process has had at once since `forget_peak`, in MB."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def forget_peak():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return STATUS.exists()


def refusal_of(read, path, said):
    """With what it is refused."""
    try:
        read(path)
    except LlmtraceError as error:
        return str(error)
    except Exception as error:
        raise AssertionError(f"{said}: {type(error).__name__}: {str(error)[:200]}") from error
    raise AssertionError(f"{said}: it was read")


@contextmanager
def as_if_alone():
    """Whatever else this process holds, from the tests before, is not searched for rubbish meanwhile: no time goes there."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def expect_refused(said, read, path, size):
    """Reading fails with one line, in little time and memory."""
    measured = forget_peak()
    with as_if_alone():
        before, start = peak() if measured else 0, time.thread_time()
        message = refusal_of(read, path, said)
        seconds = time.thread_time() - start
    assert message.isprintable(), said
    assert len(message) <= 1000, said
    assert seconds < SECONDS, f"{said}: {seconds:.2f} s"
    if measured:
        assert peak() - before - size / 2**20 < MEGABYTES, f"{said}: {peak() - before:.0f} MB"
