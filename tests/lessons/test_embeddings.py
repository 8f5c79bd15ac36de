"""Embeddings: words that are used alike come together, letters are learned, and a step is what the formula says."""

import numpy as np
import pytest
from helpers.fresh import some

from llmtrace.errors import LessonError
from llmtrace.lessons import load
from llmtrace.lessons.embeddings.sentences import cluster_ratio
from llmtrace.lessons.next_character.characters import RHYME

pytestmark = pytest.mark.usefixtures("own_state")


def test_words_that_are_used_alike_come_together():
    for seed in some([2, 0, 5], 1):
        lesson = load("embeddings", seed=seed)
        assert cluster_ratio(lesson.word_weights) > 5, seed
        assert cluster_ratio(lesson.word_net[0]) < 0.6, seed


def test_it_recites_what_it_can_know():
    lesson = load("embeddings")
    assert RHYME.count(lesson.doubtful.replace("_", " ")) == 2
    assert lesson.recited != RHYME
    assert (lesson.longer, lesson.recited_by_longer) == (16, RHYME)
    assert lesson.guesses[1][1] == "y"
    assert lesson.guesses[1][2] > 0.9
    more = load("embeddings", context=20)
    assert (more.doubtful, more.recited) == ("", RHYME)


def test_a_letter_that_is_not_read_does_not_move():
    lesson = load("embeddings")
    gradient = lesson.reading.tensor("d.embedding")
    read = [letter in lesson.start for letter in lesson.letters]
    assert gradient.any(axis=1).tolist() == read
    assert lesson.reading.tensor("letters.beside").shape == (1, lesson.inputs_count) == (1, 120)


def test_one_step_goes_against_the_gradient():
    step = load("embeddings", word_rate=0.5).word_step
    moved = step.tensor("embedding") - np.float32(0.5) * step.tensor("d.embedding")
    assert np.array_equal(step.tensor("new.embedding"), moved)


def test_the_bundled_model_has_neighbours_that_mean_something():
    rows = load("embeddings").bundled[2]
    assert [row[0] for row in rows] == ["red", "three", "she"]
    assert len({"green", "blue", "pink", "white", "black", "yellow", "brown"} & set(rows[0])) >= 3
    assert {"one", "two", "four", "five"} & set(rows[1])
    assert {"he", "we", "She"} & set(rows[2])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"numbers": 1}, "numbers must be from 2 to 12, not 1"),
        ({"context": 21}, "context must be from 2 to 20"),
        ({"word_rate": 0}, "word_rate must be above 0"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("embeddings", **inputs)
