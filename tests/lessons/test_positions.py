"""Positions: the codes of the paper, what keeps its bits without them, and that only the distance counts."""

import numpy as np
import pytest

from llmtrace.errors import LessonError
from llmtrace.lessons import load
from llmtrace.lessons.positions import codes

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def lesson():
    return load("positions")


@pytest.mark.parametrize(("text", "seed"), [("张麻子正在打李麻子", 0), ("abba", 0), ("你是什么意思意思", 3)])
def test_a_character_is_the_same_everywhere_without_places(text, seed):
    lesson = load("positions", text=text, seed=seed)
    assert lesson.equal
    for trace in (lesson.placed, lesson.masked):
        rows = trace.tensor("mix")[lesson.where]
        assert len({row.tobytes() for row in rows}) == len(lesson.where) >= 2
    assert [row[0] for row in lesson.both] == [n for n, letter in enumerate(text) if letter == lesson.twice]


@pytest.mark.parametrize(("places", "width"), [(12, 8), (4, 64), (60, 16)])
def test_codes_are_those_of_the_paper(places, width):
    p, i = np.arange(places)[:, None], np.arange(width)
    angles = p / 10000.0 ** (2 * (i // 2) / width)
    expected = np.where(i % 2 == 0, np.sin(angles), np.cos(angles))
    assert codes.sinusoids(places, width) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("places", "width"), [(4, 64), (12, 8), (1, 2)])
def test_sines_and_cosines_as_steps_have_the_bits_of_the_codes(places, width):
    trace, expected = codes.waves(places, width), codes.sinusoids(places, width)
    assert trace.tensor("sine").tobytes() == expected[:, 0::2].tobytes()
    assert trace.tensor("cosine").tobytes() == expected[:, 1::2].tobytes()
    assert trace.explain("sine", places - 1, width // 2 - 1).replay() == expected[-1, -2]


def test_the_articles_four_places(lesson):
    assert lesson.paper.round(3).tolist() == [
        pytest.approx(row)
        for row in (
            [0, 1, 0, 1],
            [0.841, 0.540, 0.682, 0.732],
            [0.909, -0.416, 0.997, 0.071],
            [0.141, -0.990, 0.778, -0.628],
        )
    ]
    assert lesson.ends == "6.28, 25,014"


def test_only_the_distance_counts(lesson):
    for _distance, *products in lesson.far:
        assert products == pytest.approx([products[0]] * 3, abs=1e-3)
    by_distance = {}
    for _q, _k, distance, score in lesson.turn_table:
        by_distance.setdefault(distance, []).append(score)
    assert {len(scores) for scores in by_distance.values()} == {2, 3}
    for scores in by_distance.values():
        assert scores == pytest.approx([scores[0]] * len(scores), abs=1e-5)
    assert abs(by_distance[1][0] - by_distance[5][0]) > 0.1


@pytest.mark.parametrize("theta", [0.0, 0.3, 1.5, 3.1])
def test_to_turn_keeps_the_length(theta):
    (trace,) = codes.turned((1, 0.5), (0.8, -0.3), [(7, 3)], theta)
    for name, place, z in (("q", 7, 1 + 0.5j), ("k", 3, 0.8 - 0.3j)):
        expected = z * np.exp(1j * place * theta)
        assert trace.tensor(f"turned.{name}")[0, 0] == pytest.approx([expected.real, expected.imag], abs=1e-5)


def test_near_places_are_alike_in_the_model(lesson):
    cosines = [row[2] for row in lesson.near]
    assert cosines[0] == pytest.approx(1)
    assert cosines[1] > cosines[4] > cosines[6]
    assert len(lesson.table) == 128


def test_two_ideas_that_fail(lesson):
    assert [row[3] for row in lesson.counted] == sorted(row[3] for row in lesson.counted)
    assert lesson.counted[-1][3] > 100
    assert [row[1:] for row in lesson.shared_table] == [
        ("0.33", "0.25"),
        ("0.67", "0.50"),
        ("1.00", "0.75"),
        ("–", "1.00"),
    ]


@pytest.mark.parametrize("words", range(2, 9))
def test_no_half_is_rounded_away_in_shares(words):
    lesson = load("positions", words=words)
    for exact, written in zip(lesson.shared, lesson.shared_table, strict=True):
        for share, text in zip(exact[1:], written[1:], strict=True):
            assert text == share or abs(float(text) - share) < 0.0049


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"width": 7}, "width must be even"),
        ({"width": 18}, "width must be from 2 to 16"),
        ({"text": "abc"}, "text must have from 2 to 20 characters, one of them twice"),
        ({"prompt": " "}, "the prompt must have from 1 to 128 tokens"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(LessonError, match=message):
        load("positions", **inputs)
