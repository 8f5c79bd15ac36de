"""The lesson on Llama: what the norms leave, that only distances count, who shares, and that both small models learn."""

import numpy as np
import pytest
from helpers.printing import as_text

from llmtrace import i18n
from llmtrace.errors import LessonError
from llmtrace.lessons import load
from llmtrace.lessons.framework.pages import Pages
from llmtrace.lessons.framework.text import lesson_text
from llmtrace.lessons.llama import nets

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("llama")


@pytest.mark.parametrize("row", [(4, 2, 3, 7), (1, 1, 1, 9), (-3, 5, 0, 0.5)])
def test_what_the_norms_leave(row):
    lesson, x = load("llama", row=row), np.array(row, float)
    assert [r[1] for r in lesson.normed] == pytest.approx((x - x.mean()) / x.std(), abs=1e-4)
    assert [r[2] for r in lesson.normed] == pytest.approx(x / np.sqrt((x**2).mean()), abs=1e-4)
    assert lesson.means[0] == pytest.approx(0, abs=1e-6)


def test_both_models_learn_and_write(lesson):
    for column in (1, 2):
        losses = [row[column] for row in lesson.learned]
        assert losses[0] == pytest.approx(np.log(len(set(nets.TEXT))), abs=0.1)
        assert losses[-1] < 0.5
    written = lesson.written(lesson.model)
    assert written.startswith(lesson.prompt)
    assert len(written) == len(lesson.prompt) + 12
    assert written in nets.TEXT * 2


def test_only_the_distance_counts(lesson):
    assert lesson.unmoved
    assert len({tuple(row[1:]) for row in lesson.moves}) > 1  # turned by other angles, it is rounded otherwise
    plain = lesson.other
    ids, scores = plain.ids(lesson.prompt), []
    for text in (ids, np.concatenate([ids[-1:], ids])):
        scores.append(plain.trace(text.tolist()).tensor("block.0.attn.scores")[0, -1, -1])
    assert abs(scores[0] - scores[1]) > 1e-3  # where places are added, they count


def test_hands_turn_and_keep_their_length(lesson):
    for place, *fast_and_slow in lesson.hands_table:
        expected = [f(place * speed) for speed in (1, 0.1) for f in (np.cos, np.sin)]
        assert fast_and_slow == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("kv_heads", "groups"), [(1, [0, 0, 0, 0]), (2, [0, 0, 1, 1]), (4, [0, 1, 2, 3])])
def test_who_shares(kv_heads, groups):
    lesson = load("llama", kv_heads=kv_heads, steps=10)
    assert [row[1] for row in lesson.sharing] == groups
    assert len({row[2] for row in lesson.sharing}) == kv_heads
    assert lesson.kept[0][4] == lesson.kept[0][3] * kv_heads // 4
    assert [row[4] for row in lesson.kept[1:]] == [262_144, 163_840]


def test_gates_and_sizes(lesson):
    for _neuron, gate, act, up, product in lesson.gates:
        assert act == pytest.approx(gate / (1 + np.exp(-gate)), rel=1e-5)
        assert product == pytest.approx(act * up, rel=1e-5)
    counted = [
        sum(w.data.size for name, w in model.weights.items() if name.startswith("block.0.mlp") and "bias" not in name)
        for model in (lesson.other, lesson.model)
    ]
    assert [row[3] for row in lesson.mlps] == counted
    assert counted[0] == counted[1]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"kv_heads": 3}, "kv_heads must be 1, 2 or 4"),
        ({"row": (1,)}, "give 4 numbers"),
        ({"prompt": "The king"}, "the prompt must have from 2 to 20 letters"),
        ({"steps": 5}, "steps must be"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("llama", **inputs)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_of_what_changed_keeps_its_columns_in_narrow_terminals(language):
    i18n.use(language)
    lesson = load("llama")
    page = as_text(Pages(lesson, lesson_text("llama", language))[0], 60)
    lines = [" ".join(line.split()) for line in page.splitlines()]
    assert any(line.startswith("GPT-2 Llama ") for line in lines)
    assert [line for line in lines if line in [" ".join(row) for row in lesson.changes]] == [
        " ".join(row) for row in lesson.changes
    ]
