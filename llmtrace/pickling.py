"""How objects are pickled and copied whose parts can't be: compiled tables, memory maps, functions made on the way."""

from __future__ import annotations

from inspect import signature
from typing import Any


class FromArguments:
    """An object that is pickled and copied as the arguments of its constructor, each of which it keeps under its own name."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, name) for name in signature(type(self)).parameters)
