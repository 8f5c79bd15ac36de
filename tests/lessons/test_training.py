"""The lesson on training: what it shows is really so."""

import numpy as np
import pytest

from llmtrace.errors import LessonError
from llmtrace.lessons import load


@pytest.fixture(scope="module")
def lesson():
    return load("training")


def test_the_article_begins_with_a_loss_of_two_fifths(lesson):
    assert np.round(lesson.got, 1).tolist() == pytest.approx([0.6, 0.4])
    assert lesson.missed.tensor("miss.total") == pytest.approx(0.4, abs=5e-4)


def test_nudges_and_the_formula_agree(lesson):
    for *_place, slope, formula in lesson.nudges:
        assert slope == pytest.approx(float(formula), rel=0.02)


def test_a_step_is_the_gradient_times_the_rate(lesson):
    trace = lesson.first_step
    weight = lesson.net.weights["output.weight"].data
    expected = weight - np.float32(lesson.rate) * trace.tensor("d.output.weight")
    assert trace.tensor("new.output.weight").tobytes() == expected.tobytes()


def test_descent_arrives_and_too_large_steps_do_not(lesson):
    assert lesson.calm[-1][3] < 1e-5
    assert lesson.wild[-1][3] > 1


def test_others_are_told_right_after_some_epochs(lesson):
    assert lesson.epochs[-1][1] < 0.1 * lesson.epochs[0][1]
    assert lesson.epochs[-1][2] >= 36


def test_gradients_vanish_and_explode(lesson):
    _layers, vanishing, exploding = zip(*lesson.sizes, strict=True)
    assert list(vanishing) == sorted(vanishing)
    assert list(exploding) == sorted(exploding, reverse=True)
    assert vanishing[0] < 0.01
    assert exploding[0] > 1000


def test_a_wide_net_learns_errors_by_heart(lesson):
    best = next(row for row in lesson.fitted if row[0] == lesson.best)
    assert lesson.best < lesson.fitted[-1][0]
    assert lesson.fitted[-1][1] < best[1]
    assert lesson.fitted[-1][2] > 2 * best[2]


def test_a_rate_that_throws_everything_away_ends_the_table():
    assert 1 <= len(load("training", large=1).wild) < 5


@pytest.mark.parametrize(("key", "value"), [("layers", 1), ("layers", 13), ("rate", 0), ("nudge", 2)])
def test_wrong_inputs(key, value):
    with pytest.raises(LessonError, match=f"{key} must be from"):
        load("training", **{key: value})
