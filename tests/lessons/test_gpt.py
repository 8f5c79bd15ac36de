"""The lesson on GPT: put together to the same bits, each place alone, and parameters as published."""

import pytest

from llmtrace.errors import LessonError
from llmtrace.lessons import LESSONS, load
from llmtrace.lessons.gpt.counts import GPT_2, GPT_3, LLAMA_2_70B

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("gpt")


@pytest.mark.parametrize("prompt", ["The king", "Once upon a time there was a clever", "a"])
def test_put_together_it_has_the_same_bits(prompt):
    assert load("gpt", prompt=prompt).same_bits


@pytest.mark.parametrize("block", [0, 1, 2])
def test_the_mlp_sees_each_place_alone(block):
    lesson = load("gpt", block=block)
    assert lesson.alone_the_same
    assert [row[1] for row in lesson.alone_table] == [row[2] for row in lesson.alone_table]


def test_every_box_has_its_lesson(lesson):
    named = {name for _box, names, _shape in lesson.boxes for name in names.split(", ") if name}
    assert named <= set(LESSONS)
    assert len(named) >= 9


def test_the_parameters_are_those_that_are_published():
    assert [shape.total for shape in GPT_2] == [124_439_808, 354_823_168, 774_030_080, 1_557_611_200]
    assert round(GPT_3.total / 1e9) == 175
    assert GPT_3.matrices_of_mlp == 1_207_959_552
    assert LLAMA_2_70B.total == 68_976_648_192
    assert all(shape.width // shape.heads == 64 for shape in GPT_2)


def test_the_formula_counts_what_is_there(lesson):
    assert lesson.bundled.total == lesson.counted == 709_760
    assert sum(row[2] for row in lesson.parts[:-1]) == lesson.parts[-1][2] == lesson.counted
    for _name, count, numbers in lesson.parts[:-1]:
        assert eval(count.replace("×", "*")) == numbers


def test_on_the_way_it_becomes_her(lesson):
    rows = lesson.early_table
    assert [row[1] for row in rows[:2]] == ["_to", "_to"]
    assert [row[1] for row in rows[-3:]] == ["_him", "_her", "_her"]
    assert lesson.jump == "block.2.residual_mid"
    assert rows[-1][3] == lesson.real.tensor("probabilities")[-1].max()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"block": 3}, "block must be from 0 to 2"),
        ({"width": 1}, "width must be from 4"),
        ({"prompt": ""}, "the prompt must have from 1 to 128 tokens"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("gpt", **inputs)
