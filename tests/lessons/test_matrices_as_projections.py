"""Matrices: as they are typed, multiplied step by step, and what they do to points and words."""

import math

import numpy as np
import pytest
from helpers.fresh import some
from helpers.printing import drawn
from rich.cells import cell_len

from llmtrace import i18n
from llmtrace.errors import LessonError
from llmtrace.lessons import load
from llmtrace.lessons.matrices_as_projections.matrix import read_matrix, rotation

NAME = "matrices-as-projections"


pytestmark = pytest.mark.usefixtures("own_state")


# ---- matrices as they are typed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "1 -2.5; 3 4",
        "1,-2.5;3,4",
        " 1, −2.5 ; 3 , 4 ; ",
        "[[1, -2.5], [3, 4]]",
        "((1, -2.5), (3, 4))",
        "[[ 1.  -2.5]\n [ 3.   4. ]]",
        "１ －2.5；３，４",
    ],
)
def test_a_matrix_is_read(text):
    matrix = read_matrix("a", text)
    assert matrix.dtype == np.float32
    assert matrix.tolist() == [[1, -2.5], [3, 4]]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"a": "1 x; 2 3"}, "a can't be '1 x; 2 3': write a matrix row by row, such as 1 2; 3 4"),
        ({"a": ""}, "a can't be '': write a matrix"),
        ({"b": "1 2;; 3 4"}, "write a matrix"),
        ({"a": "1 2; 3"}, "the rows of a have 2, 1 numbers: every row needs as many as the first"),
        ({"a": "1 2 3 4 5"}, "a is 1×5: at most 4 rows and 4 columns fit on the screen"),
        ({"a": "1000 2; 3 4"}, "the numbers of a must be from −999 to 999"),
        ({"a": "nan 2; 3 4"}, "the numbers of a must be from −999 to 999"),
        ({"a": "1 2; 3 4"}, "a is 2×2 and b is 3×2 (rows × columns): a needs as many columns as b has rows"),
        ({"points": "1 2 3"}, "points must be 1×2 (rows × columns), not 1×3"),
        ({"screen": "1 2; 3 4"}, "screen must be 3×2 (rows × columns), not 2×2"),
        ({"screen": "1 2; 2 4; 3 6"}, "the columns of screen must not point the same way"),
        ({"w": "1 2 3"}, "w must be 1×2"),
        ({"bias": "1 2"}, "bias must be 1×3"),
        ({"token": -1}, "token must be from 0 to 50256"),
        ({"activation": "none"}, "activation must be one of relu, sigmoid, tanh"),
    ],
)
def test_a_wrong_matrix_is_refused_in_one_line(inputs, message):
    with pytest.raises(LessonError) as error:
        load(NAME, **inputs)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


# ---- what they do ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [0, 30, 90, -90, 180, 270, 359.5, 450])
def test_turning(degrees):
    angle = math.radians(degrees)
    turned = np.array([2, 1], np.float32) @ rotation(degrees)
    wanted = (2 * math.cos(angle) - math.sin(angle), 2 * math.sin(angle) + math.cos(angle))
    assert turned == pytest.approx(wanted, abs=1e-6)
    if degrees % 90 == 0:
        assert set(np.abs(rotation(degrees)).reshape(-1)) == {0, 1}


def test_rows_turn_one_way_and_columns_the_other():
    lesson = load(NAME, theta=30)
    other = load(NAME, theta=-30)
    assert other.rows_turned == pytest.approx(lesson.columns_turned.T, abs=1e-6)
    assert abs(lesson.rows_turned - lesson.columns_turned.T).max() > 1


@pytest.mark.parametrize("screen", ["1 0; 0 1; 0.5 0.5", "1 0; 0 1; 0 0", "2 1; -1 3; 0.25 4"])
def test_two_points_have_one_shadow_and_nothing_leads_back(screen):
    lesson = load(NAME, screen=screen)
    first, second = lesson.things
    assert abs(first - second).max() > 0.4
    assert lesson.one_shadow
    back = lesson.shadow["shadow.back"].output
    assert back[0] == pytest.approx(back[1], abs=1e-4)


def test_a_word_comes_back_as_the_largest_score():
    lesson = load(NAME, token=50_256)
    table = lesson.word.tensor("word.table")
    assert table.shape == (50_257, 768)
    assert -1 <= table.min() < -0.9999 < 0.9999 < table.max() < 1
    assert len(np.unique(table[[0, 127, 128, 50_256]])) > 3000
    assert (lesson.vector == table[50_256]).all()
    assert lesson.best[0][0] == 50_256
    assert np.count_nonzero(lesson.scores) == 50_257


def test_a_layer_is_a_product_with_a_bias_and_an_activation():
    lesson = load(NAME, x="1 2; -1 0", w="2 1", bias="-3", activation="relu")
    assert lesson.layer["output.sum"].output.tolist() == [[1], [-5]]
    assert lesson.layer["output.act"].output.tolist() == [[1], [0]]


# ---- the product, step by step -----------------------------------------------------------------------------------------

LARGE = {"a": "; ".join(["-12.5 3 4.25 100"] * 4), "b": "; ".join(["7 -8.5 99 1"] * 4)}
WIDEST = {"a": "; ".join(["-998.7 0.1234 -998.7 -998.7"] * 4), "b": "; ".join(["-998.7 0.1234 -998.7 1"] * 4)}


def test_frames_add_up_term_by_term():
    lesson = load(NAME)
    a, b = lesson.matrix("a").tolist(), lesson.matrix("b").tolist()
    done = 0
    for column in range(2):
        for row in range(2):
            total = 0
            for k in range(3):
                done += 1
                total += a[row][k] * b[k][column]
                text = drawn(lesson.steps.frame(done))
                assert f"product {done} of 12" in text
                assert f"Column {column} of b lies over row {row} of a" in text
                assert f"[{a[row][k]:g}×{b[k][column]:g}" in text
                assert f"{a[row][k] * b[k][column]:g}  {total:>12g}\n" in text
                assert f"[{total:>3g}]" in text
                assert f"product[{row}, {column}] = {f'{total:g}' if k == 2 else '…'}\n" in text
            assert lesson.product["product"].output[row, column] == total
    assert done == len(lesson.steps)


def test_totals_are_rounded_as_the_op_rounds():
    lesson = load(NAME, a="0.1 0.2 0.3", b="0.7; 0.11; 0.13")
    working = lesson.steps.workings[0, 0]
    total = np.float32(0)
    for a, b, so_far in zip(lesson.matrix("a")[0], lesson.matrix("b")[:, 0], working.totals(), strict=True):
        total = np.float32(total + np.float32(a * b))
        assert so_far == total
    assert total == lesson.product["product"].output[0, 0]


@pytest.mark.parametrize("inputs", [{}, LARGE, WIDEST, {"a": "5", "b": "1 2 3 4"}, {"a": "1; 2; 3; 4", "b": "-5"}])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_frame_fits_the_screen(inputs, language):
    i18n.use(language)
    steps = load(NAME, **inputs).steps
    assert len(steps) <= 64
    heights = set()
    for n in some(range(len(steps) + 1), 12):
        lines = drawn(steps.frame(n)).rstrip("\n").split("\n")
        assert max(map(cell_len, lines)) <= 80
        heights.add(len(lines))
    assert len(heights) == 1  # it does not jump
    assert max(heights) <= 21
    assert drawn(steps).count("\n") <= 64  # in a pipe
