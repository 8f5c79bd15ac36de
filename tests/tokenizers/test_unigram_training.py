"""Learning a unigram tokenizer from texts in which characters are nearly never needed alone."""

import math

import pytest

from llmtrace.tokenizers import train_unigram


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
