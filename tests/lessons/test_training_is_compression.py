"""Training is compression: figures of the article, bits against gzip and against the least there can be, and what is lost."""

import gzip
import math

import numpy as np
import pytest
from helpers.fresh import some

from llmtrace.errors import LessonError
from llmtrace.lessons import load
from llmtrace.lessons.training_is_compression import measures

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("training-is-compression")


def test_the_figures_of_the_article(lesson):
    assert lesson.gigabytes == 140
    assert lesson.ratio == pytest.approx(71.43, abs=0.01)
    assert lesson.cost.tensor("price.hours")[0] == 1_728_000
    assert lesson.cost.tensor("price.hour")[0] == pytest.approx(1.157, abs=1e-3)


def test_bits_are_logarithms(lesson):
    for probability, bits in lesson.bit_table:
        assert bits == pytest.approx(-math.log2(probability), abs=1e-5)


@pytest.mark.parametrize("seed", some([2, 0, 5], 1))
def test_the_net_comes_near_the_least_and_beats_gzip(seed):
    lesson = load("training-is-compression", seed=seed)
    assert lesson.kinds == 24
    assert lesson.least == pytest.approx(math.log2(24))
    assert lesson.least - 0.15 < lesson.bits_each < lesson.least + 0.3
    as_it_is, packed, surprises, whole = (row[1] for row in lesson.sizes)
    assert surprises < whole < packed < as_it_is
    assert whole - surprises == lesson.net_bytes == 280
    assert lesson.held_out_bits == pytest.approx(lesson.bits_each, abs=0.3)


def test_the_packed_size_is_that_of_gzip(lesson):
    data = measures.written(lesson.text)
    assert len(data) == lesson.size
    assert (
        0 < len(gzip.compress(data, 9, mtime=0)) - lesson.packed < 20
    )  # the head of a file in gzip's format is longer


def test_numbers_do_not_depend_on_the_language(lesson):
    assert (load("training-is-compression", "zh").size, load("training-is-compression", "en").size) == (
        lesson.size,
    ) * 2


def test_the_net_writes_sentences_of_the_right_kind_but_others(lesson):
    kinds = {" ".join(row) for row in (lesson.sentence(lesson.text, n).split() for n in range(lesson.sentences))}
    assert len(kinds) == 24
    was, written = zip(*(row[1:] for row in lesson.dreams), strict=True)
    assert was != written
    assert set(written) <= kinds


def test_the_bits_of_a_text_are_the_losses_of_the_model(lesson):
    ids = lesson.model.ids(lesson.prompt)
    scores = lesson.model.logits(lesson.prompt).astype(np.float64)[:-1]
    losses = np.log(np.exp(scores).sum(axis=-1)) - scores[np.arange(len(ids) - 1), ids[1:]]
    whole, each = measures.model_bits(lesson.model, lesson.prompt)
    assert np.array(each) == pytest.approx(losses / math.log(2), abs=1e-4)
    assert whole == pytest.approx(sum(each) + math.log2(lesson.model.config.vocabulary))


def test_a_story_is_short_and_noise_is_long(lesson):
    story, english, noise = (row[4] for row in lesson.texts)
    assert story < 0.5 < english < 8 < noise


def test_details_are_lost(lesson):
    begin, really, model = lesson.goes_on
    assert begin + really == lesson.prompt
    assert model != really
    assert model.split()[:4] == really.split()[:4]
    assert lesson.unchanged


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"prompt": "short"}, "the prompt must have more than 41 characters, and at most 128 tokens"),
        ({"sentences": 5}, "sentences must be from 20 to 2000"),
        ({"cards": 0}, "cards must be from 0.001"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("training-is-compression", **inputs)
