"""The one door upward: what a thing asks of the rooms above it when a user wants to see, explain or save it.

Computation imports neither explanations nor renderers. Where a method of a Trace, a Step or an Explanation is only a short way
to them, they are fetched here, by name, when first asked for. Whether a user wants plain sentences is said here, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

_plain: bool | None = None
_commands = False


def speak_plainly(plain: bool | None) -> None:
    """Says plain sentences from now on instead of drawing (or not), or with None what the environment asks for."""
    global _plain
    _plain = plain


def plain_wanted() -> bool:
    """What `speak_plainly` said, else LLMTRACE_PLAIN, else whether the terminal says that it can do nothing (TERM=dumb)."""
    if _plain is not None:
        return _plain
    said = os.environ.get("LLMTRACE_PLAIN", "")
    if said:
        return said.lower() not in {"0", "no", "false", "off"}
    return os.environ.get("TERM", "").lower() == "dumb" and sys.stdout is not None and sys.stdout.isatty()


@contextmanager
def on_command_line() -> Iterator[None]:
    """While a command runs, hints are said in its words: `--all` instead of `show(every=True)`."""
    global _commands
    before, _commands = _commands, True
    try:
        yield
    finally:
        _commands = before


def asked(command: str, python: str) -> str:
    """How a reader asks for something: on the command line, or else in Python."""
    return command if _commands else python


def asked_option(option: str, python: str = "", value: object = True) -> str:
    """`--all`, or in Python `.show(every=True)`."""
    shown = "" if value is True else f" {value}"
    return asked(f"--{option}{shown}", f".show({python or option}={value})")


def asked_explain(address: str) -> str:
    """`llmtrace explain "…"`, or in Python `trace.explain("…").show()`."""
    written = repr(address) if '"' in address else f'"{address}"'
    return asked(f'llmtrace explain "{address}"', f"trace.explain({written}).show()")


def above(module: str) -> Any:
    """A module of a room above the caller's."""
    return import_module(module)


class Displayed:
    """Prints itself: in terminals (Rich), in notebooks, and by `show`."""

    def __rich__(self) -> Any:
        return above("llmtrace.render").renderable(self)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        bundle: dict[str, str] = above("llmtrace.render.notebook").mimebundle(self, include, exclude)
        return bundle
