"""Layer normalisation: the five marks against plain arithmetic, rows that share mean and deviation, and deep nets that learn."""

import numpy as np
import pytest
from helpers.fresh import some

from llmtrace.errors import LessonError
from llmtrace.lessons import load

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("layer-normalisation")


@pytest.mark.parametrize("marks", [(90, 80, 70, 60, 50), (1, 2, 3, 4, 100), (-5, 5, 0, 1, 2)])
def test_the_marks_as_in_textbooks(marks):
    lesson = load("layer-normalisation", marks=marks)
    x = np.array(marks, np.float64)
    assert lesson.marked.tensor("between") == pytest.approx((x - x.min()) / (x.max() - x.min()), abs=1e-6)
    normal = (x - x.mean()) / x.std()
    assert lesson.marked.tensor("normal") == pytest.approx(normal, abs=1e-5)
    assert lesson.marked.tensor("scaled") == pytest.approx(2 * normal + 1, abs=2e-5)
    assert (lesson.mean, lesson.deviation) == (pytest.approx(x.mean()), pytest.approx(x.std()))
    assert lesson.other_deviation == pytest.approx(x.std(ddof=1))


def test_one_number_changes_all(lesson):
    assert lesson.moved == 5


def test_small_weights_fade_and_large_ones_saturate(lesson):
    small, large, normed = zip(*(row[1:] for row in lesson.spreads), strict=True)
    assert small[-1] < 0.01 * small[0]
    assert min(large) > 2
    assert normed == pytest.approx(np.ones(8), abs=0.01)


def test_only_with_layer_norm_the_deep_net_learns():
    for seed in some([0, 2], 1):
        rows = load("layer-normalisation", seed=seed).learning
        assert rows[-1][1] > 0.4, seed
        assert rows[-1][3] < 0.1, seed
        assert rows[-1][4] >= 38 > rows[-1][2], seed


def test_the_model_has_a_norm_before_each_part_and_one_at_the_end(lesson):
    assert lesson.norms == 2 * 3 + 1
    for _token, _mean, deviation, mean_after, deviation_after in lesson.tokens:
        assert mean_after == pytest.approx(0, abs=1e-5)
        assert deviation_after == pytest.approx(1, abs=2e-3)
        assert deviation < 0.5


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"marks": (1, 1, 1, 1, 1)}, "the marks must not all be equal"),
        ({"std": 0}, "std must be from 0.01 to 3"),
        ({"prompt": ""}, "the prompt must have from 1 to 128 tokens"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("layer-normalisation", **inputs)
