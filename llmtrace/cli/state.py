"""What was traced last: remembered for commands without a prompt, and for shells that complete names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import click

from llmtrace.errors import LlmtraceError
from llmtrace.i18n import _


def state_file() -> Path:
    """Where the last prompt is remembered (see the XDG Base Directory Specification)."""
    home = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(home) if home and Path(home).is_absolute() else Path.home() / ".local" / "state"
    return folder / "llmtrace" / "last.json"


def remember(prompt: str | list[int], model: str | None, steps: Iterable[str] = ()) -> str:
    """Notes what was traced, for `llmtrace explain` and for shells that complete the names of its steps.

    If that does not work, returns why: it is not important enough to fail.
    """
    from llmtrace.loading import named
    from llmtrace.models import WithSpecial
    from llmtrace.storage.files import reason
    from llmtrace.storage.replace import PRIVATE, write_whole

    try:
        path = os.path.expanduser(model or "")
        on_disk = model not in named() and os.path.exists(path)  # a name in the hub's cache is none
        note = {
            "prompt": prompt,
            "special": isinstance(prompt, WithSpecial),
            "model": os.path.abspath(path) if on_disk else model,
            "steps": list(steps),
        }
        file = state_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, [json.dumps(note).encode()], mode=PRIVATE)
    except OSError as error:
        return reason(error)
    except (LlmtraceError, RuntimeError) as error:
        return str(error)
    return ""


def last_traced() -> tuple[str | list[int], str | None]:
    """The prompt and the model that were traced last."""
    from llmtrace.models import WithSpecial
    from llmtrace.storage.files import read_json

    try:
        note = read_json(state_file())
        prompt, model = note["prompt"], note["model"]
        ids = isinstance(prompt, list) and all(type(each) is int for each in prompt)
        if (ids or isinstance(prompt, str)) and (model is None or isinstance(model, str)):
            return WithSpecial(prompt) if note.get("special") is True and not ids else prompt, model
    except (LlmtraceError, OSError, RuntimeError, ValueError, KeyError, TypeError):
        pass
    raise click.UsageError(_("no prompt was traced yet: give one, or trace one first with llmtrace trace TEXT"))


def last_steps() -> list[str]:
    """The names of the steps that were traced last, as far as that is known."""
    from llmtrace.storage.files import read_json

    try:
        return [name for name in read_json(state_file())["steps"] if name.isprintable()]
    except (LlmtraceError, OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError):
        return []
