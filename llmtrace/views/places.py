"""Places of an axis in words: with their tokens, and which of them are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llmtrace.i18n import _, listed
from llmtrace.views.document import Inline, Phrase, Token
from llmtrace.views.figures import Place, runs

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
