"""Places of an axis in words: with their tokens, and which of them are shown; the first and the last ones of long lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from llmtrace.i18n import _, listed
from llmtrace.views.document import Block, Inline, Phrase, Token, paragraph, quiet
from llmtrace.views.figures import Place, runs

T = TypeVar("T")
Label = Callable[[str, int], str | None]
"""The token at a place of an axis, or None."""


def label_of(place: Place, most: int = 12) -> Inline:
    """`3 'cat'`, or only the number."""
    if place.name:
        return place.name
    return str(place.index) if place.token is None else Phrase((f"{place.index} ", Token(place.token, most=most)))


def runs_text(shown: Sequence[Place | None], count: int) -> str:
    """`0–7 and 56–63 of 64`: which places of an axis are shown."""
    texts = [str(first) if first == last else f"{first}–{last}" for first, last in runs(shown)]
    return _(
        "{places} of {count}",
        places=f" {_('and')} ".join(texts) if len(texts) < 3 else listed(texts),
        count=f"{count:,}",
    )


def first_and_last(steps: list[T], most: int) -> tuple[list[T], tuple[tuple[int, Block], ...]]:
    """Of more than `most` steps, the first and the last ones, and the line of a table that stands for the others."""
    half = most // 2
    if len(steps) <= most:
        return steps, ()
    left_out = _("… {count} more steps: --all lists them", count=len(steps) - most)
    return [*steps[:half], *steps[-half:]], ((half, paragraph(quiet(left_out), indent=2)),)
