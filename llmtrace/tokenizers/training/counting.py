"""What learning a merge is. `llmtrace._bpe` does the same, compiled and without so much counting; a test keeps them equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from llmtrace.tokenizers.byte_symbols import SYMBOLS, symbols_of


def learn_by_counting(pieces: Mapping[bytes, int], most: int, least: int = 1) -> list[tuple[str, str, int]]:
    """Up to `most` merges, each with its count, from pieces of text and how often each occurs.

    Again and again: of all pairs of neighbouring symbols, the one that occurs most often, if it occurs `least` times, becomes
    one symbol everywhere. Of equally frequent ones it is the one whose left symbol is older, then the one whose right symbol
    is older; the oldest symbols are those of the bytes, in the order of their characters.
    """
    words = [(list(symbols_of(data)), times) for data, times in pieces.items()]
    age = {symbol: number for number, symbol in enumerate(sorted(SYMBOLS))}
    merges: list[tuple[str, str, int]] = []
    while len(merges) < most:
        counts: Counter[tuple[str, str]] = Counter()
        for symbols, times in words:
            for pair in pairwise(symbols):
                counts[pair] += times
        best = min(counts, key=lambda pair: (-counts[pair], age[pair[0]], age[pair[1]]), default=None)
        if best is None or counts[best] < least:
            break
        merges.append((*best, counts[best]))
        age["".join(best)] = len(age)
        words = [(merge_pair(symbols, best), times) for symbols, times in words]
    return merges


def merge_pair(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    """The symbols after one merge, done from left to right: "aaa" becomes "aa", "a"."""
    merged: list[str] = []
    place = 0
    while place < len(symbols):
        size = 2 if tuple(symbols[place : place + 2]) == pair else 1
        merged.append("".join(symbols[place : place + size]))
        place += size
    return merged
