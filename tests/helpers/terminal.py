"""`llmtrace` in a process of its own, on a terminal or in a pipe: a fork of this one, which has imported it already."""

import atexit
import fcntl
import gc
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback
import warnings
from functools import cache
from importlib import import_module

from click.testing import CliRunner

from llmtrace import i18n
from llmtrace.cli import COMMANDS, main
from llmtrace.environment import follow


class Terminal:
    """`llmtrace` on a pseudo-terminal of 80 × 24."""

    def __init__(self, *arguments, **environment):
        plain = {
            name: value for name, value in os.environ.items() if name not in {"PAGER", "LESS", "NO_COLOR", "COLUMNS"}
        }
        ready()
        environment = plain | {"TERM": "xterm-256color", "LINES": "24", "COLUMNS": "80"} | environment
        seen, look = os.pipe()
        self.process, self.end = pty.fork()
        if not self.process:
            os.close(look)
            os.read(seen, 1)  # until its settings were looked at
            os._exit(ended(arguments, environment))
        self.settings = termios.tcgetattr(self.end)
        """Those of the terminal, before anything else has changed them."""
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.close(seen)
        os.close(look)
        self.text = ""

    def read(self, until=None, seconds=60):
        """Reads until a text stands there, or to the end."""
        limit = time.monotonic() + seconds
        while until is None or until not in self.text:
            assert time.monotonic() < limit, self.text[-2000:]
            if select.select([self.end], [], [], 0.2)[0]:
                try:
                    part = os.read(self.end, 65536)
                except OSError:  # the other end is closed
                    part = b""
                if not part:
                    break
                self.text += part.decode(errors="replace")
        return self.text

    def code(self):
        self.read()
        code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        os.close(self.end)
        assert "Traceback" not in self.text
        return code


def piped(*arguments, **environment):
    """What a command writes into its two pipes, in bytes."""
    ready()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        process = os.fork()
        if not process:
            for stream, number in ((out, 1), (error, 2)):
                os.dup2(stream.fileno(), number)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os._exit(ended(arguments, {**os.environ, **environment}))
        os.waitpid(process, 0)
        for stream in (out, error):
            stream.seek(0)
        return out.read(), error.read()


def process(*arguments, before=lambda: None, closed=(), env=None, **options):
    """A Popen of a fork, in which `before` is called and streams are closed; `options` are those of Popen."""

    def begun():
        for number in closed:
            os.close(number)
        before()
        os._exit(ended(arguments, os.environ.copy() if env is None else env, closed))

    ready()
    return subprocess.Popen(["llmtrace", *arguments], preexec_fn=begun, restore_signals=False, **options)


@cache
def ready():
    """Imports once what every fork needs."""
    for name in COMMANDS:
        import_module(f"llmtrace.cli.{name.replace('-', '_')}")
    with tempfile.TemporaryDirectory() as state:
        CliRunner().invoke(main, ["trace", "the king", "--model", "tiny"], env={"XDG_STATE_HOME": state})


def ended(arguments, environment, closed=()):
    """The exit code of `llmtrace` in a fork, whose surroundings are made those of an interpreter that has just begun."""
    gc.disable()
    os.closerange(3, 4096)  # a browser's driver ends when nobody holds its pipe, and Popen waits for that
    os.environ.clear()
    os.environ.update(environment)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    encoding = environment.get("PYTHONIOENCODING")
    streams = (
        None if number in closed else open(number, "w" if number else "r", encoding=encoding, errors=errors)  # noqa: SIM115
        for number, errors in enumerate((None, None, "backslashreplace"))
    )
    sys.stdin, sys.stdout, sys.stderr = streams  # to the end of the process
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    sys.argv = ["llmtrace", *arguments]
    atexit._clear()
    i18n.use(None)
    code = 0
    try:
        follow()
        main()
    except SystemExit as end:
        code = end.code or 0
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream:
                stream.flush()
        except (OSError, ValueError):
            code = code or 120
    return code
