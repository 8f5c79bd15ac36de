"""Ctrl-C while the command `llmtrace` starts or ends: the process is gone at once, without a traceback of half an import.

In between it is a KeyboardInterrupt, as in any program. Programs that import llmtrace keep what they do themselves.
"""

from __future__ import annotations

import os
import signal
import sys


def is_command() -> bool:
    """Whether this process was started as `llmtrace` or as `python -m llmtrace`."""
    name = (sys.argv[0] if sys.argv else "").replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
    module = zip(sys.orig_argv, sys.orig_argv[1:], strict=False)
    return name == "llmtrace" or ("-m", "llmtrace") in module


def end_the_process() -> None:
    """From here on, an interruption ends the command."""
    if is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_in_python() -> None:
    """From here on, an interruption is a KeyboardInterrupt."""
    if is_command() and signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        sys.unraisablehook = _hear_again
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _hear_again(swallowed: sys.UnraisableHookArgs) -> None:
    """Where Python tidies up, an exception is swallowed: an interruption that came there comes once more, a little later."""
    if not issubclass(swallowed.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(swallowed)
        return
    from threading import Timer

    timer = Timer(0.01, os.kill, (os.getpid(), signal.SIGINT))
    timer.daemon = True
    timer.start()
