"""Nine words: a line is a line and a curve is none, rates that are too small and too large, and what a pull does."""

import numpy as np
import pytest
from helpers.fresh import some
from helpers.lessons_once import short_trainings

from llmtrace.cli import train
from llmtrace.errors import LessonError
from llmtrace.lessons import LESSONS, load
from llmtrace.lessons.framework.text import lesson_text

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("words")


@pytest.mark.parametrize("weights", [(0.5, -0.3), (1, 1), (2, -1)])
def test_linear_and_not(weights):
    lesson = load("words", weights=weights)
    a, b, both, twice = (row[1] for row in lesson.line)
    assert both == pytest.approx(a + b, abs=1e-5)
    assert twice == pytest.approx(2 * a, abs=1e-5)
    bent = [row[1] for row in lesson.curve]
    assert bent == pytest.approx(np.tanh([a, b, both, twice]), abs=1e-6)
    assert abs(bent[2] - bent[0] - bent[1]) > 0.01


def test_nine_words(lesson):
    assert len(set(lesson.nine)) == 9


def test_every_command_names_a_lesson_or_an_option():
    text = lesson_text("words")
    shown = " ".join(block.text for page in text.pages for block in page.blocks)
    for word in shown.split("llmtrace learn ")[1:]:
        assert word.split()[0].rstrip("`.") in LESSONS
    options = {name for parameter in train.command.params for name in parameter.opts}
    assert {option for _what, option, _size in load("words").hyperparameters} <= options


def test_rates(lesson):
    steps, small, right, large, wild = zip(*lesson.descents, strict=True)
    for step, weight in zip(steps, right, strict=True):
        assert weight == pytest.approx(3 * (1 - 0.8**step), abs=1e-4)
    assert small[-1] < right[-1] < 3
    assert (np.diff(large[:3]) > 0).tolist() == [True, False]
    assert abs(wild[-1]) > 100


def pulled_smaller(lesson):
    spreads, learned = ([row[place] for row in lesson.pulls] for place in (3, 1))
    return spreads == sorted(spreads, reverse=True) and learned == sorted(learned) and lesson.best == 0.01


def test_a_pull_makes_weights_smaller():
    for seed in some([0, 2], 1):
        assert pulled_smaller(load("words", seed=seed)), seed
    with short_trainings():
        assert pulled_smaller(load("words", seed=1))


def test_the_pull_is_added_to_the_gradient(lesson):
    gradient, weight = (float(lesson.pulled.tensor(name)[0, 0]) for name in ("d.output.weight", "output.weight"))
    assert lesson.pulled.tensor("penalised.output.weight")[0, 0] == pytest.approx(gradient + 0.5 * weight)
    assert lesson.free.tensor("d.output.weight")[0, 0] == gradient


def test_large_nets_overfit_and_small_ones_underfit(lesson):
    (_one, small, small_held), (_many, large, large_held) = lesson.fits
    assert large < small < small_held < large_held


@pytest.mark.parametrize(
    ("inputs", "message"), [({"rate": 0}, "rate must be from"), ({"pull": 11}, "pull must be from 0 to 10")]
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("words", **inputs)
