"""Self-attention: the small one against plain NumPy, what keeps its bits, and what the bundled model and the trained net do."""

import numpy as np
import pytest
from helpers.fresh import some

from llmtrace.errors import LessonError
from llmtrace.lessons import load
from llmtrace.lessons.attention_nets import attention, random_attention, random_rows
from llmtrace.lessons.self_attention import order

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("self-attention")


def plain(weights, x, y, masked=False):
    """Attention as the paper has it."""
    q, k, v = (
        side.astype(np.float64) @ weights[f"{name}.weight"].data.T for name, side in (("q", x), ("k", y), ("v", y))
    )
    scores = q @ k.T / np.sqrt(q.shape[-1])
    if masked:
        scores[np.triu_indices(len(scores), 1)] = -np.inf
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True) @ v


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_attention_is_that_of_the_paper(seed, masked):
    weights, x = random_attention(seed, 8, 4, 6), random_rows(seed, "x", 7, 8)
    assert attention(weights, x, masked) == pytest.approx(plain(weights, x, x, masked), abs=1e-5)


def test_the_other_sentence_is_asked(lesson):
    expected = plain(lesson.matrices, lesson.vectors, lesson.crossed.tensor("y"))
    assert lesson.crossed["mix"].output == pytest.approx(expected, abs=1e-5)


def test_one_word_decides(lesson):
    assert [(row[1], row[2] > 0.9999) for row in lesson.answers] == [("_her", True), ("_him", True)]
    assert [row[1:] for row in lesson.orders] == [("_her", "_him")] * 3
    assert len({row[0] for row in lesson.orders}) == 3
    assert lesson.real.tokens[lesson.place] == " girl"
    assert lesson.looks[lesson.head][3] > 0.95
    assert lesson.distance == 28


def test_the_mixture_is_what_the_article_writes(lesson):
    x1, x2, x3 = lesson.vectors.astype(np.float64)
    assert lesson.mixture["mixed"].output[0] == pytest.approx(0.5 * x1 + 0.25 * x2 + 0.25 * x3, abs=1e-6)


def test_only_the_first_two_change_places_without_a_trace():
    for seed in some([2, 0, 3, 11, 1], 2):
        rows = load("self-attention", seed=seed).swapped
        assert [row[2] for row in rows[:2]] == [300, 300], seed
        assert rows[0][3] == rows[1][3] == 0, seed
        assert 0 < rows[2][2] < 300, seed
        assert 0 < rows[2][3] < 1e-4, seed


@pytest.mark.parametrize(("trace", "step", "index"), [("mixture", "mixed", (0, 0)), ("small", "mix", (2, 0))])
def test_a_mixture_is_not_said_to_have_weights(lesson, trace, step, index):
    explanation = lesson.trace(trace).explain(step, *index)
    assert explanation.op == "full_mix"
    assert explanation.replay() == lesson.trace(trace).tensor(step)[index]


def test_equal_characters_differ_only_where_they_see_others(lesson):
    free, masked = ([row[start : start + 2] for row in lesson.meanings] for start in (1, 3))
    assert len(free) == 4
    assert [lesson.meaning[row[0]] for row in lesson.meanings] == ["意"] * 4
    assert len({np.float32(row).tobytes() for row in free}) == 1
    assert len({np.float32(row).tobytes() for row in masked}) == 4


def test_long_vectors_need_the_root(lesson):
    for size, before, after, _largest, _calm in lesson.spreads:
        assert before == pytest.approx(np.sqrt(size), rel=0.15)
        assert after == pytest.approx(1, rel=0.15)
    assert lesson.spreads[-1][3] > 0.9 > lesson.spreads[-1][4]


def test_swapped_characters_are_put_right(lesson):
    learned, held = order.sentences(lesson.seed)
    assert not set(learned) & set(held)
    assert order.RIGHT in held
    assert lesson.put_right == order.RIGHT
    assert lesson.order_exam >= 0.95 * len(held)
    assert lesson.order_share("顺", "序") > 0.5 < lesson.order_share("序", "顺")
    assert lesson.order_shares.shape == (13, 13) == (len(lesson.order_letters),) * 2
    assert lesson.order_shares.sum(1) == pytest.approx(1)
    assert lesson.order_letters[lesson.order_shares[lesson.order_letters.index("顺")].argmax()] == "序"
    assert sorted(order.SHUFFLED) == sorted(order.RIGHT)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"word": "king"}, "sentence must have the word 'king' in it"),
        ({"other": " "}, "other must be a word"),
        ({"sentence": "girl " * 200}, "at most 128 tokens"),
        ({"order_steps": 0}, "order_steps must be from 1 to 2000"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("self-attention", **inputs)
