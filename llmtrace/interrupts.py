"""Ctrl-C while the command `llmtrace` starts or ends: the process is gone at once, without a traceback of half an import.

In between it is a KeyboardInterrupt, as in any program. Programs that import llmtrace keep what they do themselves.
"""

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
        signal.signal(signal.SIGINT, signal.default_int_handler)
