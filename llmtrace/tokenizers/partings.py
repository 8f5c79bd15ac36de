"""All the ways to part a piece of text into entries of a vocabulary: the best ones, and how often each entry is expected.

A parting x = (x₁ … x_M) has the probability P(x) = ∏ p(x_i), the product of its parts'. Its score is the
logarithm of that, a sum. A word of n letters can have 2ⁿ⁻¹ partings; both functions go through the word once instead, and
keep for each place what all ways to it have in common.

    Subword Regularization, Kudo, 2018, https://arxiv.org/abs/1804.10959, section 3.2
    Error Bounds for Convolutional Codes, Viterbi, 1967
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import frexp, ldexp

from llmtrace.tokenizers.tokenization import Parting

Scaled = tuple[float, int]
"""A number as m · 2ᵉ, so that the product of many small probabilities does not become 0."""


def best_partings(
    text: str, scores: Mapping[str, float], longest: int, unknown: float, count: int = 1
) -> list[Parting]:
    """The `count` partings with the largest scores, best first: x* = argmax P(x), and those that follow.

    The best way to a place is the best way to an earlier one and one part more, so that only few ways to each place are
    kept (Viterbi). Of equal ones, the one whose last part is longer. scores: by entry; longest: of the entries, in
    characters; unknown: the score of a single character that is no entry.
    """
    ways: list[list[tuple[float, int, int]]] = [[(0.0, 0, 0)]]  # to each place: score, where from, which way there
    for end in range(1, len(text) + 1):
        found = [
            (before + score, start, way)
            for start, score in _last_parts(text, end, scores, longest, unknown)
            for way, (before, _from, _way) in enumerate(ways[start])
        ]
        found.sort(key=lambda way: -way[0])  # of equals, the first stays first
        ways.append(found[:count])
    return [_parting(text, ways, way, scores, unknown) for way in range(len(ways[-1]))]


def _last_parts(
    text: str, end: int, scores: Mapping[str, float], longest: int, unknown: float
) -> Iterator[tuple[int, float]]:
    """The parts that can end at a place: where each begins, and its score."""
    for start in range(max(0, end - longest), end):
        score = scores.get(text[start:end], unknown if start == end - 1 else None)
        if score is not None:
            yield start, score


def _parting(
    text: str, ways: list[list[tuple[float, int, int]]], way: int, scores: Mapping[str, float], unknown: float
) -> Parting:
    """One way to the end, followed back."""
    parts: list[str] = []
    end = len(text)
    while end:
        _score, start, way = ways[end][way]
        parts.append(text[start:end])
        end = start
    parts.reverse()
    return Parting(tuple(parts), tuple(scores.get(part, unknown) for part in parts))


def expected_counts(
    text: str, probabilities: Mapping[str, float], longest: int, times: float, counts: dict[str, float]
) -> Scaled:
    """Adds to `counts` how often each entry is expected in `times` such texts, and returns P = Σ P(x) over all partings.

    Each parting counts as much as its share of P. Forward: α(end) = Σ α(start) · p(part) is the probability of all ways to
    a place, and each part's share of it is α(start) · p(part) / α(end). Backward: of the whole, so much arrives at each
    place; a part's share of that is its expected count. (Forward and backward as in Baum, Petrie, Soules and Weiss, 1970.)
    """
    alpha: list[Scaled] = [(1.0, 0)]
    shares: list[list[tuple[int, str, float]]] = [[]]
    for end in range(1, len(text) + 1):
        ways: list[tuple[int, str, float, int]] = []
        top = -(1 << 62)
        for start in range(max(0, end - longest), end):
            p = probabilities.get(part := text[start:end])
            if p:
                before, scale = alpha[start]
                m, e = frexp(before * p)
                if m:
                    e += scale
                    ways.append((start, part, m, e))
                    if e > top:
                        top = e
        if not ways:
            shares.append([])
            alpha.append((0.0, 0))
            continue
        whole = 0.0
        arrived = []
        for start, part, m, e in ways:
            size = ldexp(m, e - top)
            whole += size
            arrived.append((start, part, size))
        shares.append([(start, part, size / whole) for start, part, size in arrived])
        m, e = frexp(whole)
        alpha.append((m, e + top))
    arriving = [0.0] * len(text) + [times]
    for end in range(len(text), 0, -1):
        here = arriving[end]
        for start, part, share in shares[end]:
            expected = here * share
            counts[part] = counts.get(part, 0.0) + expected
            arriving[start] += expected
    return alpha[-1]
