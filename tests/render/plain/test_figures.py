"""Figures in sentences: the numbers that matter most are said, and of the others how many they are and what they come to."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmtrace
from llmtrace import i18n
from llmtrace.render import plain
from llmtrace.render.plain import figures
from llmtrace.render.plain.blocks import lines
from llmtrace.render.plain.words import calculated
from llmtrace.views import figures as f
from llmtrace.views.catalog import look
from llmtrace.views.document import Column, Number, Table, Tree, paragraph

NUMBERS = st.floats(-100, 100, width=32) | st.sampled_from([math.nan, math.inf, 0.0])


def heatmap(values, blank=None, shares=False):
    values = np.array(values, np.float32)
    blank = np.zeros(values.shape, bool) if blank is None else np.array(blank)
    finite = values[np.isfinite(values)]
    scale = f.Scale(min(0.0, float(finite.min(initial=0.0))), float(finite.max(initial=0.0)))
    axes = (f.axis("query", values.shape[0]), f.axis("key", values.shape[1]))
    return f.Heatmap(values, blank, scale, *axes, shares=shares)


@given(st.lists(st.tuples(NUMBERS, st.booleans()), min_size=1, max_size=8))
def test_of_a_row_what_is_no_number_comes_first_and_then_the_largest(row):
    values, blank = zip(*row, strict=True)
    (said,) = figures.heatmap(heatmap([values], [blank]))
    known = [n for n, hidden in enumerate(blank) if not hidden]
    known.sort(key=lambda n: -math.inf if math.isnan(values[n]) else -values[n])
    places, _sep, others = said.partition("; ")[2].partition(" other")
    assert [int(n) for n in re.findall(r"(\d+): ", places)] == known[: figures.MOST] or not set(known)
    assert ("no numbers" in said) == (not known)
    left = known[figures.MOST :]
    assert bool(others) == bool(left)
    assert not left or places.endswith(f" {len(left)}")


@given(st.lists(st.integers(1, 100), min_size=4, max_size=8))
def test_shares_that_are_not_said_alone_are_said_together(parts):
    shares = np.array(parts) / sum(parts)
    (said,) = figures.heatmap(heatmap([shares], shares=True))
    said_numbers = [float(x) for x in re.findall(r"([\d.]+) %", said)]
    assert sum(said_numbers) == pytest.approx(100, abs=0.1)
    assert said_numbers[:3] == pytest.approx(sorted(shares * 100, reverse=True)[:3], rel=1e-3)


def test_only_shares_are_said_in_per_cent():
    trace = llmtrace.load("tiny").trace("the king has a girl")
    assert "%" not in plain.render(look(trace, "residual"))
    assert "%" not in plain.render(look(trace, "block.0.attn.scores"))
    assert "%" in plain.render(look(trace, "block.0.attn.pattern"))
    (said,) = figures.heatmap(heatmap([[0.0, 3.5, 12.0]]))  # numbers whose scale begins at 0
    assert "%" not in said


@given(st.integers(1, 9), st.integers(1, 9))
def test_how_many_rows_there_are_is_said_where_some_are_left_out(size, room):
    values = np.arange(2 * size, dtype=np.float32).reshape(size, 2)
    said = list(figures.grid(f.Grid(values, f.axis("position", size, room=room), f.axis("feature", 2))))
    shown = len([line for line in said if line.startswith("position") or line.startswith("feature")])
    assert [line for line in said if line.endswith(" rows")] == ([] if shown == size else [f"{shown} of {size} rows"])


@given(st.integers(3, 40), st.integers(3, 40))
def test_of_a_picture_the_corners_are_said(rows, columns):
    values = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    above, middle, below = figures.picture(f.Picture(values, 0, 1))
    assert above.startswith("above, from left to right: 0, ")
    corners = [float(x) for x in re.findall(r"[\d.]+", below)]
    assert (corners[0], corners[-1]) == pytest.approx((values[-1, 0], values[-1, -1]), rel=1e-3)
    assert middle.startswith("in the middle")


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=6, unique=True))
def test_the_nearest_point_is_named(places):
    points = {f"p{n}": place for n, place in enumerate(places)}
    for said, (name, place) in zip(figures.scatter(f.Scatter(points)), points.items(), strict=True):
        near = said.rpartition("nearest to ")[2]
        assert near != name
        assert math.dist(points[near], place) == min(
            math.dist(other, place) for key, other in points.items() if key != name
        )


@given(st.integers(1, 60))
def test_a_curve_is_said_to_its_last_point(count):
    curve = f.Curve("loss {mark}", tuple((n, float(n)) for n in range(1, count + 1)))
    (said,) = figures.chart(f.Chart((curve,)))
    steps = [int(n) for n in re.findall(r"step (\d+): ", said)]
    assert (steps[0], steps[-1]) == (1, count)
    assert steps == sorted(set(steps))
    assert len(steps) <= 12


@pytest.mark.parametrize("terms", [0, 1, 2, 3])
def test_a_sum_is_said_as_far_as_it_is_done(terms):
    def matrix(name, *rows):
        return f.Matrix(name, tuple(tuple(Number(float(x), str(x)) for x in row) for row in rows))

    totals = {(0, 0): tuple(Number(float(x), str(x)) for x in (1, 5, 14))}
    matrices = (matrix("a", (1, 2, 3)), matrix("b", (1,), (2,), (3,)), matrix("c", (14,)))
    block = f.MatrixProduct(*matrices, totals, frozenset(), (0, 0), terms)
    said = list(figures.matrix_product(block))[-1]
    assert re.findall(r"\b(\d+)\b", said.partition("so far: ")[2]) == ["1", "5", "14"][:terms]


def test_every_step_of_a_tree_has_its_depth():
    def tree(depth):
        return Tree("", paragraph(f"at {depth}"), (), "from", (tree(depth + 1),) if depth < 4 else ())

    said = list(lines([tree(1)]))
    assert [line for line in said if line.startswith(("at", "step"))] == [
        "at 1",
        *(f"step {n}: at {n}" for n in (2, 3, 4)),
    ]


def test_what_stands_behind_the_last_row_of_a_table_is_said():
    column = Column("x", ("1", "2"))
    for place in (0, 1, 2, 3):
        said = list(lines([Table((column,), between=((place, paragraph("between")),))]))
        assert said.count("between") == 1
        assert said.index("between") == min(place, 2)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_signs_of_calculations_are_said_as_words(language):
    i18n.use(language)
    signs = calculated("2 × −3 + 4 − 5 ÷ 6"), calculated("a × b")
    assert not any(sign in text for text in signs for sign in "×÷+−")
    assert len({calculated(f"2 {sign} 3") for sign in "×÷+−"}) == 4
