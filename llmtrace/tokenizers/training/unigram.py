"""Learning a unigram tokenizer: guess the probabilities of many pieces, count, guess again, and drop what is needed least.

The texts are cut into words as for merges (`training`), so that both kinds of tokenizers can be compared. Then

1. seeds: every character, and of all parts of words that occur twice, those that cover most (Kudo, section 3.2, step 1);
2. EM, twice: count how often each piece is expected, over all partings; the counts' shares are the new probabilities. That
   never makes L = Σ log P(word), the logarithm of the texts' probability, smaller (Kudo's ℒ; Dempster, Laird and Rubin, 1977);
3. of the pieces, keep those without which L would fall most (step 2), and again from 2 until there are few enough.

SentencePiece does the same but for details: it finds seeds by a suffix array, lowers rare counts (by digamma) in each round,
and estimates the loss of a piece from the best partings only.

    Subword Regularization, Kudo, 2018, https://arxiv.org/abs/1804.10959, section 3.2
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from llmtrace.errors import TrainingError
from llmtrace.i18n import _
from llmtrace.ops.elementwise.log import log
from llmtrace.tokenizers.byte_symbols import SPACE, written
from llmtrace.tokenizers.partings import best_partings, expected_counts
from llmtrace.tokenizers.training.bpe import Progress, count_pieces
from llmtrace.tokenizers.unigram import BYTES, WORD, UnigramTokenizer

UNKNOWN = "<unk>"
LONGEST = 16
"""Characters of the longest piece (SentencePiece, max_sentencepiece_length)."""
SEEDS = 1_000_000
"""So many pieces there are at most in the beginning (SentencePiece, seed_sentencepiece_size)."""
KEPT = 0.75
"""The share of the pieces that is kept in each round (SentencePiece, shrinking_factor)."""
STEPS = 2
"""Steps of EM in each round (SentencePiece, num_sub_iterations)."""
RAREST = 2.0**-20
"""The count of a character that is not expected any more, and the least one in the end: each must be writable."""
NEVER = 2.0**-1000
"""A piece that is expected less often is not needed: its share of all counts may be smaller than any float but 0."""

Words = Mapping[str, int]
"""How often each word occurs; spaces are written "▁"."""


@dataclass(frozen=True, slots=True)
class Round:
    """What was known after one round."""

    pieces: int
    likelihood: float
    """L, the logarithm of the probability of the texts, before the last step of EM in this round."""


@dataclass(frozen=True, slots=True)
class TrainedUnigram:
    """A tokenizer that was learnt from texts."""

    tokenizer: UnigramTokenizer
    probabilities: Mapping[str, float]
    """Of the pieces, most probable first."""
    rounds: tuple[Round, ...]
    words: Words
    """What was learnt from."""


def train_unigram(texts: str | Iterable[str], vocabulary: int, progress: Progress | None = None) -> TrainedUnigram:
    """Learns a tokenizer of at most `vocabulary` tokens: "<unk>", the 256 bytes, the pieces.

    A "▁" in the texts is taken for a space. progress: is told how many pieces are dropped, and how many must be.
    TrainingError where there is nothing to learn from, or where the characters alone are more than the vocabulary holds.
    """
    words = words_of(count_pieces(texts).counts)
    if not words:
        raise TrainingError(_("there is nothing to learn a tokenizer from: the texts are empty"))
    characters = frozenset("".join(words)) | {SPACE}
    size = vocabulary - 1 - len(BYTES)
    if size < len(characters):
        raise TrainingError(
            _(
                "a vocabulary of {size} tokens is too small: it needs at least {least}, for bytes and characters",
                size=vocabulary,
                least=len(characters) + 1 + len(BYTES),
            )
        )
    probabilities, rounds = shares(seeds(words)), []
    first = len(probabilities)
    while True:
        for _step in range(STEPS):
            counts, likelihood = count(words, probabilities)
            probabilities = shares(counts)
        rounds.append(Round(len(probabilities), likelihood))
        if progress is not None:
            progress(first - len(probabilities), max(0, first - size))
        if len(characters.union(probabilities)) <= size:
            break
        kept = max(size, int(KEPT * len(probabilities)))
        probabilities = shares(pruned(counts, probabilities, characters, kept))
    ordered = sorted({**dict.fromkeys(characters, 0.0), **counts}.items(), key=lambda entry: (-entry[1], entry[0]))
    final = shares({piece: max(number, RAREST) for piece, number in ordered})
    entries = [(UNKNOWN, 0.0), *((name, 0.0) for name in BYTES), *logarithms(final).items()]
    return TrainedUnigram(UnigramTokenizer(entries, unknown=0, in_bytes=True), final, tuple(rounds), words)


def words_of(pieces: Mapping[str, int]) -> dict[str, int]:
    """The words in which an encoder parts texts, so that no piece is learnt that it would not use; in a fixed order."""
    words: Counter[str] = Counter()
    for piece, times in pieces.items():
        for word in WORD.findall(piece.replace(SPACE, " ")):
            words[written(word)] += times
    return dict(sorted(words.items()))


def seeds(words: Words) -> dict[str, float]:
    """What the first probabilities are shares of: how much of the texts each part of a word covers."""
    found: Counter[str] = Counter()
    for word, times in words.items():
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + LONGEST) + 1):
                found[word[start:end]] += times
    covered = {part: float(times * len(part)) for part, times in found.items() if len(part) == 1 or times > 1}
    ordered = sorted(covered.items(), key=lambda entry: (len(entry[0]) > 1, -entry[1], entry[0]))
    return dict(ordered[:SEEDS])


def count(words: Words, probabilities: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """The E step: how often each piece is expected in all words, and L = Σ log P(word), Kudo's ℒ."""
    counts: dict[str, float] = {}
    longest = max(map(len, probabilities))
    scaled = [expected_counts(word, probabilities, longest, times, counts) for word, times in words.items()]
    logs = log.forward(np.array([m for m, _e in scaled] + [2.0]))
    likelihood = 0.0
    for times, m, (_m, e) in zip(words.values(), logs[:-1].tolist(), scaled, strict=True):
        likelihood += times * (m + e * float(logs[-1]))
    return {piece: number for piece, number in counts.items() if number > NEVER}, likelihood


def shares(counts: Mapping[str, float]) -> dict[str, float]:
    """The M step: the probability of each piece is its share of all counts."""
    whole = 0.0
    for number in counts.values():
        whole += number
    return {piece: number / whole for piece, number in counts.items()}


def logarithms(probabilities: Mapping[str, float]) -> dict[str, float]:
    """The score of each piece, correctly rounded."""
    values = log.forward(np.array(list(probabilities.values())))
    return dict(zip(probabilities, values.tolist(), strict=True))


def pruned(
    counts: Mapping[str, float], probabilities: Mapping[str, float], characters: frozenset[str], kept: int
) -> dict[str, float]:
    """The counts of the pieces that are kept: the characters, and those without which L would fall most.

    What a piece does for L: its count, times how much larger its score is than that of its best parting into others. A
    character that is only needed in larger pieces is expected less often in each round, in the end never; it comes back
    here, because the pieces around it may be dropped.
    """
    scores = logarithms(probabilities)
    longest, lowest = max(map(len, scores)), min(scores.values())

    def loss(piece: str) -> float:
        two = best_partings(piece, scores, longest, lowest, count=2)
        otherwise = next(parting for parting in two if len(parting.parts) > 1)
        return counts[piece] * (scores[piece] - otherwise.score)

    losses = {piece: loss(piece) for piece in counts if piece not in characters}
    first = sorted(losses, key=lambda piece: (-losses[piece], piece))[: kept - len(characters)]
    chosen = characters.union(first)
    gone = dict.fromkeys(sorted(characters.difference(counts)), RAREST)
    return {**{piece: number for piece, number in counts.items() if piece in chosen}, **gone}
