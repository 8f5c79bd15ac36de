"""Learning a unigram tokenizer from texts in which characters are nearly never needed alone."""

import hashlib
import math
from functools import cache

import pytest
from helpers.fresh import some

from llmtrace.rng import Chance
from llmtrace.tokenizers import train_unigram
from llmtrace.tokenizers.byte_symbols import SPACE
from llmtrace.tokenizers.training.unigram import count, pruned, seeds, shares


def some_text(seed, words=200):
    """Words that begin and end alike, so that there is something to learn."""
    chance = Chance(seed)
    starts, ends = [
        ["".join(chance.choice("abcdeéß中") for _ in range(1 + chance.below(5))) for _ in range(30)] for _ in range(2)
    ]
    return " ".join(chance.choice(starts) + chance.choice(ends) for _ in range(words))


@cache
def learned(seed):
    """Of a text and a size of its own."""
    return train_unigram(some_text(seed), 257 + 40 + 15 * seed)


def test_learning_is_what_the_page_says():
    """EM twice, keep three quarters, and again until there are few enough."""
    for seed in some(range(6), 2):
        expect_what_the_page_says(learned(seed), 40 + 15 * seed)


def expect_what_the_page_says(trained, size):
    characters, rounds = frozenset("".join(trained.words)) | {SPACE}, []
    probabilities = shares(seeds(trained.words))
    while True:
        probabilities = shares(count(trained.words, probabilities)[0])
        counts, likelihood = count(trained.words, probabilities)
        probabilities = shares(counts)
        rounds.append((len(probabilities), likelihood))
        if len(characters.union(probabilities)) <= size:
            break
        kept = max(size, len(probabilities) * 3 // 4)
        probabilities = shares(pruned(counts, probabilities, characters, kept))
    assert [(entry.pieces, entry.likelihood) for entry in trained.rounds] == rounds
    assert len(rounds) >= 4
    assert set(probabilities) <= set(trained.probabilities) <= characters.union(probabilities)


def test_what_was_learned_stays_as_it_is():
    """The same texts give the same bits, also in a later version."""
    digest = hashlib.sha256()
    for seed in (0, 1, 3, 5):
        for text, score in learned(seed).tokenizer.entries:
            digest.update(f"{text} {score.hex()}\n".encode())
    assert digest.hexdigest() == "0c1fe0c8ee03a725a16d9b68606366420071d5fbdc5cddc434a7d87b2bb06b03"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("aacacbcc bcaaa " * 2, 261),  # was one token too many
        ("ggigla iijdl " * 2, 265),  # had words without any parting
        ("acabacb baaa " * 30, 261),  # had no pieces left
    ],
)
def test_characters_that_only_stand_in_larger_pieces_do_not_vanish(text, size):
    trained = train_unigram(text, size)
    assert len(trained.tokenizer) <= size
    assert all(math.isfinite(entry.likelihood) for entry in trained.rounds)
    assert min(trained.probabilities.values()) > 0
