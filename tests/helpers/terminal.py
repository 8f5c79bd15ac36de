"""A process on a terminal of its own."""

import os
import pty
import select
import sys
import time

SCRIPT = "import sys; sys.argv[0] = 'llmtrace'; from llmtrace.cli import main; main()"


class Terminal:
    """A process on a pseudo-terminal of 24 lines."""

    def __init__(self, *arguments, **environment):
        plain = {
            name: value for name, value in os.environ.items() if name not in {"PAGER", "LESS", "NO_COLOR", "COLUMNS"}
        }
        self.process, self.end = pty.fork()
        if not self.process:
            os.environ.clear()
            os.environ.update(plain | {"TERM": "xterm-256color", "LINES": "24", "COLUMNS": "80"} | environment)
            os.execv(sys.executable, [sys.executable, "-c", SCRIPT, *arguments])
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
