"""What merging is. `llmtrace._bpe` does the same, compiled and without so much searching; a test keeps them equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from llmtrace.tokenizers.tokenization import Merge


def merge_by_rank(symbols: Iterable[str], ranks: Mapping[tuple[str, str], int]) -> tuple[list[str], list[Merge]]:
    """The symbols that are left when no pair of neighbours is in `ranks` any more, and the merges in their order.

    Again and again: of all pairs of neighbours, the one of lowest rank becomes one symbol; of equal ones, the leftmost.
    """
    symbols = list(symbols)
    merges: list[Merge] = []
    while True:
        found = [(ranks[pair], place) for place, pair in enumerate(pairwise(symbols)) if pair in ranks]
        if not found:
            return symbols, merges
        rank, place = min(found)
        left, right = symbols[place : place + 2]
        merges.append(Merge(rank, left, right, where=len("".join(symbols[:place]))))
        symbols[place : place + 2] = [left + right]
