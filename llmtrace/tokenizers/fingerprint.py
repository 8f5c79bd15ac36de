"""A checksum of what a tokenizer does: the same on every machine, another where a text could get other ids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, is_dataclass
from typing import Any

from llmtrace.pickling import FromArguments


def tokenizer_hash(tokenizer: Any) -> str:
    """SHA-256 of the arguments that a tokenizer was made of, of what it puts around every text, and of its tokens' flags; "" of
    none.
    """
    if tokenizer is None:
        return ""
    whole = [_plain(tokenizer), _plain(tokenizer.framing), _plain(getattr(tokenizer, "flags", {}))]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """What JSON can hold, in an order that depends on nothing else."""
    if isinstance(value, FromArguments):
        return [type(value).__name__, *map(_plain, value.__reduce__()[1])]
    if isinstance(value, Mapping):
        return [[name, _plain(value[name])] for name in sorted(value)]
    if isinstance(value, set | frozenset):
        return sorted(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(astuple(value))
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float) else repr(value)
