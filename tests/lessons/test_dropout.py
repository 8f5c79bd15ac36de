"""Dropout: the exact mean over all masks, the same expectation in training, and less learned by heart."""

import numpy as np
import pytest
from helpers.fresh import some

from llmtrace.errors import LessonError
from llmtrace.lessons import load

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("dropout")


@pytest.mark.parametrize("leaf", [(32, 107, 56, 11.2), (241, 200, 4, 59.5), (1, 2, 3, 4)])
def test_the_mean_over_all_masks_is_half_of_the_whole(leaf):
    lesson = load("dropout", leaf=leaf)
    masks = lesson.masks
    assert len({tuple(mask) for mask in masks.tolist()}) == 16
    expected = (masks * np.array(leaf)) @ lesson.weights[0].astype(np.float64)
    assert lesson.over.tensor("neuron")[:, 0] == pytest.approx(expected, abs=1e-4)
    assert lesson.over.tensor("mean") == pytest.approx(0.5 * lesson.whole, abs=1e-4)
    assert lesson.over.tensor("halved")[0] == pytest.approx(0.5 * lesson.whole, abs=1e-6)


def test_the_pictures_leave_out_half(lesson):
    assert lesson.kept_in_pictures == 0.5
    assert [row[-1] for row in lesson.pictures] == pytest.approx([-0.72, -34.95, 8.352], abs=1e-3)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_what_is_kept_is_made_larger(rate):
    lesson = load("dropout", rate=rate)
    for _name, number, random, becomes, _next in lesson.drawn:
        assert becomes == pytest.approx(0 if random < rate else number / (1 - rate), rel=1e-6)
    for _name, number, mean in lesson.average:
        assert mean == pytest.approx(number, rel=4 * np.sqrt(rate / (1 - rate) / 1000))


def test_with_dropout_less_is_learned_by_heart():
    for seed in some([0, 1], 1):
        last = load("dropout", seed=seed).fitted[-1]
        assert last[1] < 0.1 * last[3], seed
        assert last[4] < 0.8 * last[2], seed


def test_the_step_leaves_out_whole_numbers(lesson):
    kept = lesson.step.tensor("hidden.1.dropout") / lesson.step.tensor("hidden.1.act")
    assert set(np.round(kept.ravel(), 5).tolist()) == {0.0, 1.25}
    assert 0.1 < (kept == 0).mean() < 0.3


@pytest.mark.parametrize(
    ("inputs", "message"),
    [({"rate": 1}, "rate must be from 0.05 to 0.95"), ({"curve_rate": -0.1}, "curve_rate must be from 0 to 0.9")],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("dropout", **inputs)
