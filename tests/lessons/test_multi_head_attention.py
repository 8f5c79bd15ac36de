"""Multi-head attention: heads against plain NumPy, the article's extra matrix, and the model without one head."""

import numpy as np
import pytest

from llmtrace.errors import LessonError
from llmtrace.lessons import load
from llmtrace.lessons.multi_head_attention import heads

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("multi-head-attention")


def plain(weights, x, count):
    """Heads as the paper has them: each with its own columns of the matrices, concatenated, times the output matrix."""
    size, mixed = x.shape[1] // count, []
    for head in range(count):
        own = slice(head * size, (head + 1) * size)
        q, k, v = (x.astype(np.float64) @ weights[f"heads.{name}.weight"].data[:, own] for name in "qkv")
        scores = q @ k.T / np.sqrt(size)
        scores[np.triu_indices(len(x), 1)] = -np.inf
        powers = np.exp(scores)
        mixed.append(powers / powers.sum(axis=1, keepdims=True) @ v)
    return np.concatenate(mixed, axis=1) @ weights["heads.out.weight"].data


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_heads_are_those_of_the_paper(seed, count):
    lesson, weights = load("multi-head-attention", seed=seed), heads.weights(seed)
    trace = heads.attention(weights, lesson.vectors, lesson.words, count)
    assert trace["heads.out"].output == pytest.approx(plain(weights, lesson.vectors, count), abs=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_extra_matrix_is_not_needed(seed):
    lesson = load("multi-head-attention", seed=seed)
    one = lesson.extra.weights["shared.v.weight"].data @ lesson.extra.weights["extra.v.weight"].data
    assert lesson.extra.tensor("one.weight") == pytest.approx(one, abs=1e-6)
    assert lesson.apart < 1e-5


def test_the_widths_of_models(lesson):
    assert [row[3] for row in lesson.sizes] == [128, 768, 1600, 12288]
    assert lesson.sizes[0][:3] == ("storyteller", 4, 32)


def test_two_heads_look_elsewhere(lesson):
    (token, back, share), (other, _back, _share) = lesson.two_heads[0][:3], lesson.two_heads[0][4:]
    assert (token, back) == ("_girl", 28)
    assert share > 0.95
    assert other == "_child"


def test_without_the_head_that_finds_the_word(lesson):
    whole, *rows = lesson.without
    assert lesson.answer == "_her"
    assert whole[3] > 0.9999
    assert rows[2][3] < 0.7
    assert all(row[3] > 0.99 for n, row in enumerate(rows) if n != 2)


def test_taking_a_head_away_changes_nothing_else(lesson):
    changed = heads.without_head(lesson.model, 2, 1)
    different = [
        name
        for name in changed.weights
        if not np.array_equal(changed.weights[name].data, lesson.model.weights[name].data)
    ]
    assert different == ["block.2.attn.out.weight"]
    matrix = changed.weights["block.2.attn.out.weight"].data
    assert not matrix[32:64].any()
    assert matrix[64:].any()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"first": (3, 0)}, "first must be a block up to 2 and a head up to 3"),
        ({"second": (0, -1)}, "second must be a block up to 2 and a head up to 3"),
        ({"sentence": ""}, "sentence must have from 1 to 128 tokens"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("multi-head-attention", **inputs)
