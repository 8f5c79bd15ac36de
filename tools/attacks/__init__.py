"""The catalogue of `check_attacks.py`: hostile arguments, environments, files, streams and moments, by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attacks.around import outputs, signals, sizes, streams, writers
from attacks.files import files, special
from attacks.stage import LLMTRACE, Attack, Stage
from attacks.typed import environments, names, numbers, texts

__all__ = ["KINDS", "LLMTRACE", "Attack", "Stage"]

KINDS: dict[str, Callable[[Stage], Iterator[Attack]]] = {
    each.__name__: each
    for each in (texts, names, numbers, environments, files, special, outputs, streams, signals, sizes, writers)
}
