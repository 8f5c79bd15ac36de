"""Residual connections: the additions to the bit, the gradients that reach the first layer, and who learns."""

import numpy as np
import pytest
from helpers.fresh import some

from llmtrace.errors import LessonError
from llmtrace.lessons import load

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("residual-connections")


def test_the_way_round_is_an_addition(lesson):
    went, given, out = map(lesson.box.tensor, ("input", "box.act", "box.out"))
    assert (went + given).tobytes() == out.tobytes()
    assert lesson.box["box.out"].op == "add"


def test_the_table_is_that_of_the_lesson_training(lesson):
    assert [row[:3] for row in lesson.sizes] == load("training").sizes


@pytest.mark.parametrize("seed", range(4))
def test_gradients_reach_the_first_layer(seed):
    rows = load("residual-connections", seed=seed).sizes
    assert rows[0][1] < 0.01 < 0.3 < rows[0][3] < 10
    assert rows[-1][1:] == (1, 1, 1)


def test_the_gradient_of_what_went_in_has_two_parts(lesson):
    parts = [lesson.reaching.tensor(f"d.hidden.1.out.from.hidden.2.{part}") for part in ("out", "sum")]
    assert np.array_equal(parts[0] + parts[1], lesson.reaching.tensor("d.hidden.1.out"))
    assert np.array_equal(parts[0], lesson.reaching.tensor("d.hidden.2.out"))


def test_only_with_ways_round_many_layers_learn():
    for seed in some([0, 1], 1):
        rows = load("residual-connections", seed=seed).learning
        assert rows[-1][2] < 30 < 38 <= rows[-1][4], seed
        assert rows[-1][3] < 0.1 < 0.4 < rows[-1][1], seed


def test_the_stream_is_the_sum_of_all_parts(lesson):
    assert lesson.same_bits
    assert len(lesson.added) == 1 + 2 * 3
    total = np.float32(0)
    for _name, adds, so_far in lesson.stream_table:
        total = np.float32(total + adds)
        assert total == so_far
    assert total == lesson.end[lesson.feature]


def test_without_ways_round_the_model_is_lost(lesson):
    (_with, said, sure), (_without, other, unsure) = lesson.without
    assert said == "_girl"
    assert other != said
    assert unsure < 0.1 < sure


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"layers": 1}, "layers must be from 2 to 12"),
        ({"feature": 128}, "feature must be from 0 to 127"),
        ({"prompt": ""}, "the prompt must have from 1 to 128 tokens"),
        ({"prompt": "a " * 200}, "the prompt must have from 1 to 128 tokens"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("residual-connections", **inputs)
