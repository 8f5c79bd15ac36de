"""Whether plain sentences are wanted instead of what a terminal can draw."""

from __future__ import annotations

import os
import sys

VARIABLE = "LLMTRACE_PLAIN"

_asked: bool | None = None


def ask(plain: bool | None) -> None:
    """Says plain sentences from now on (or not), or with None what the environment says."""
    global _asked
    _asked = plain


def wanted() -> bool:
    """What `ask` said, else LLMTRACE_PLAIN, else whether a terminal says that it can do nothing (TERM=dumb)."""
    if _asked is not None:
        return _asked
    said = os.environ.get(VARIABLE, "")
    if said:
        return said.lower() not in {"0", "no", "false", "off"}
    return os.environ.get("TERM", "").lower() == "dumb" and sys.stdout is not None and sys.stdout.isatty()
