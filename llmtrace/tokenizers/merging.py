"""What merging is. `llmtrace._bpe` does the same, compiled and without so much searching; a test keeps them equal."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
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


def merge_by_queue(
    symbols: Iterable[str], rank_of: Callable[[tuple[str, str]], int | None]
) -> tuple[list[str], list[Merge]]:
    """The same for long texts: pairs wait in a queue by rank and place, and one whose symbols are gone is passed over."""
    texts: list[str] = list(symbols)
    count = len(texts)
    following, before = list(range(1, count + 1)), list(range(-1, count - 1))
    queue: list[tuple[int, int, str, str]] = []

    def wait(place: int, after: int) -> None:
        if place >= 0 and after < count:
            rank = rank_of((texts[place], texts[after]))
            if rank is not None:
                heapq.heappush(queue, (rank, place, texts[place], texts[after]))

    for place in range(count - 1):
        wait(place, place + 1)
    merges: list[Merge] = []
    while queue:
        rank, place, left, right = heapq.heappop(queue)
        after = following[place]
        if texts[place] != left or after >= count or texts[after] != right:
            continue
        merges.append(Merge(rank, left, right, place))
        texts[place], texts[after] = left + right, ""
        following[place] = following[after]
        if following[place] < count:
            before[following[place]] = place
        wait(before[place], place)
        wait(place, following[place])
    return [text for text in texts if text], merges
