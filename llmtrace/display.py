"""The one door upward: what a thing asks of the rooms above it when a user wants to see, explain or save it.

Computation imports neither explanations nor renderers. Where a method of a Trace, a Step or an Explanation is only a short way
to them, they are fetched here, by name, when first asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Any


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
