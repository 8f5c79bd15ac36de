"""Softmax and sampling: the numbers of the article, a place where the right letter is a close second, and honest draws."""

import numpy as np
import pytest
from helpers.fresh import some

from llmtrace.errors import LessonError
from llmtrace.lessons import load

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("softmax-and-sampling")


def test_the_right_answer_is_punished_more(lesson):
    assert lesson.sure_loss.tensor("apart.total") == 5
    assert lesson.wrong_loss.tensor("apart.total") == 2


def test_the_logistic_curve_is_softmax_beside_0(lesson):
    for score, curve, pair in lesson.curve_table:
        assert curve == pytest.approx(pair, abs=1e-6)
        assert curve == pytest.approx(1 / (1 + np.exp(-score)), abs=1e-6)
    values = [row[1] for row in lesson.curve_table]
    assert values == sorted(values)


def test_shares_add_up(lesson):
    shares = lesson.ten.tensor("ten.shares")
    assert shares.sum() == pytest.approx(1, abs=1e-6)
    assert shares == pytest.approx(lesson.ten.tensor("powers") / lesson.ten.tensor("powers.total"), rel=1e-5)


def test_a_wrong_u_is_first_and_the_right_letter_close_behind(lesson):
    assert lesson.names[:2] == ["u", "o"]
    assert (lesson.right, lesson.right_rank) == ("o", 1)
    assert lesson.plain[0] - lesson.plain[1] < 0.1
    assert [row[1] for row in lesson.goes_on] == ["put_humpty_tugether_again.", "put_humpty_together_again."]


def test_a_letter_comes_as_often_as_its_share_says():
    for seed in some([0, 2, 3, 1], 2):
        for _name, share, times in load("softmax-and-sampling", seed=seed).counts:
            assert abs(times - 1000 * share) <= 4 * np.sqrt(1000 * share * (1 - share)) + 1, seed


def test_the_drawn_letter_is_the_first_above_the_number(lesson):
    above = [name for name, _share, total in lesson.running if total > lesson.number]
    assert lesson.letter == above[0]


def test_what_stays_in_play(lesson):
    for k in range(1, 6):
        few = load("softmax-and-sampling", top_k=k).few.tensor("choice.0.probabilities")
        assert np.count_nonzero(few) == k
    before = 0.0
    for (_name, share, _total), left in zip(lesson.running, lesson.cut, strict=True):
        assert (left[4] > 0) == (before < lesson.top_p)
        before += float(share)


def test_cold_is_sure_and_hot_is_not(lesson):
    for name, cold, plain, hot in lesson.temperatures[:1]:
        assert cold > plain > hot
        assert name == lesson.names[0]
    assert lesson.temperatures[-1][1] < lesson.temperatures[-1][2] < lesson.temperatures[-1][3]


def test_the_model_writes_the_same_only_without_chance(lesson):
    texts = [text for _temperature, text in lesson.stories]
    assert len(set(texts)) == 4
    assert texts == [text for _temperature, text in load("softmax-and-sampling").stories]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"start": "xyz"}, "start must be a part of the rhyme, not 'xyz'"),
        ({"temperature": 0}, "temperature must be from 0.05 to 20"),
        ({"top_k": 6}, "top_k must be from 1 to 5"),
        ({"stop": 0}, "stop must be from 1 to 300"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("softmax-and-sampling", **inputs)
