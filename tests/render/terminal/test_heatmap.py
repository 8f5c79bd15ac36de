"""Heatmaps in a terminal show all that fits, keep what is largest, and say of the rest how much it is and how it is seen."""

import re

import numpy as np
import pytest
from helpers.fresh import examples
from helpers.looks import coloured
from helpers.printing import as_text
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from llmtrace.lessons.framework.pages import picture
from llmtrace.render.terminal.heatmap import fitted
from llmtrace.render.terminal.layout import STYLES, Page
from llmtrace.render.terminal.palette import COLOURS, background
from llmtrace.views.document import Document
from llmtrace.views.figures import Heatmap, Heatmaps, Scale, axis

WIDTHS = [*range(20, 90, 7), 120, 160, 200]


def pattern(size, seed, cells="shades", heads=1):
    """Causal shares of some heads, peaked as those of a model are, as a view would make them."""
    values = np.exp(np.random.default_rng(seed).normal(0, 3, (heads, size, size)))
    blank = np.triu(np.ones((size, size), bool), 1)
    values = np.where(blank, 0, values)
    values = (values / values.sum(-1, keepdims=True)).astype(np.float32)
    order = [int(i) for i in np.argsort(-values.max(axis=(0, 1)), kind="stable")]
    rows, columns = (axis(name, size, lambda i: f" t{i}oken", None, order) for name in ("query", "key"))
    maps = [Heatmap(each, blank, Scale(0.0, 1.0), rows, columns, "", cells, shares=True) for each in values]
    return Heatmaps(tuple(maps), left_out="Shown: rows {rows}, columns {columns}.")


def numbers_over(text, first, count):
    """The numbers of the columns over a map, read downwards in their lines above the row `first`."""
    lines = text.splitlines()
    below = next(n for n, line in enumerate(lines) if line.startswith(first))
    start = next(n for n in range(below, -1, -1) if n == 0 or not re.fullmatch(r"[\d ]*", lines[n - 1]))
    heads = [line.ljust(200) for line in lines[start:below]]
    read = ["".join(column).strip() for column in zip(*heads, strict=True)]
    return [int(number) for number in read if number][:count]


@given(
    st.integers(2, 90),
    st.integers(0, 1 << 30),
    st.sampled_from(WIDTHS),
    st.sampled_from(["shades", "numbers if they fit"]),
)
@settings(max_examples=examples(40))
def test_what_is_hidden_of_a_row_is_said_of_it(size, seed, width, cells):
    block = pattern(size, seed, cells)
    text = as_text(Document((block,)), width)
    made = fitted(block.maps[0], Page(width))
    shown = [place.index for place in made.columns if place is not None]
    values, blank = block.maps[0].values, block.maps[0].blank
    lines = text.splitlines()
    behind = [line for line in lines if re.search(r"  ?\d+\.\d %$", line)]
    hiding = [i for i in range(size) if set(range(i + 1)) - set(shown)]
    assert len(behind) == len(hiding)
    for line, i in zip(behind, hiding, strict=True):
        rest = sum(float(values[i, j]) for j in range(i + 1) if j not in shown)
        assert abs(float(line.split()[-2]) - 100 * rest) < 0.0501
    assert ("Behind a row" in " ".join(text.split())) == bool(hiding)
    assert int(np.where(blank, 0, values).max(axis=0).argmax()) in shown


@given(st.integers(2, 60), st.integers(0, 1 << 30), st.integers(20, 60))
@settings(max_examples=examples(25))
def test_a_window_as_wide_as_is_said_shows_all(size, seed, width):
    block = Document((pattern(size, seed, heads=3),))
    said = re.search(r"A window of (\d+) columns shows all of them", " ".join(as_text(block, width).split()))
    if said:
        assert "A window of" in " ".join(as_text(block, int(said[1]) - 1).split())
        assert "A window of" not in as_text(block, int(said[1]))
    else:
        assert " of " not in as_text(block, width)


@pytest.mark.parametrize("size", [3, 12, 40, 101])
@pytest.mark.parametrize("width", [60, 140, 200])
@pytest.mark.parametrize("cells", ["shades", "numbers if they fit"])
def test_columns_have_their_numbers_in_full(size, width, cells):
    block = pattern(size, 3, cells)
    made = fitted(block.maps[0], Page(width))
    if made.cells.cell:  # with numbers in them, cells are wide enough for labels
        shown = [place.index for place in made.columns]
        assert numbers_over(as_text(Document((block,)), width), "0 '", len(shown)) == shown


def test_tokens_over_a_large_map_are_written_out():
    text = as_text(Document((pattern(20, 1, "numbers if they fit"),)), 70)
    upright = zip(*(line.ljust(70) for line in text.splitlines()[:8]), strict=True)
    assert "_t7oken" in {"".join(column).strip() for column in upright}


def test_numbers_that_do_not_fit_are_told_of_the_last_row():
    block = pattern(20, 1, "numbers if they fit")
    text = " ".join(as_text(Document((block,)), 70).split())
    last = block.maps[0].values[-1]
    best = np.argsort(-last, kind="stable")[:5]
    said = ", ".join(f"{i} ' t{i}oken': {last[i]:.3f}" for i in best)
    assert f"The largest numbers of the last row, 19 ' t19oken': {said}." in text
    width = int(re.search(r"A window of (\d+) columns shows the numbers of all rows", text)[1])
    assert "A window" in as_text(Document((block,)), width - 1)
    assert "A window" not in as_text(Document((block,)), width)


def test_the_brightest_cells_have_a_mark():
    made = pattern(6, 2)
    seen = [segment.text for segment in coloured(Document((made,)), 60)]
    cells = [segment for segment in coloured(Document((made,)), 60) if segment.style == background(len(COLOURS) - 1)]
    assert cells
    assert all(set(cell.text) == {" ", "*"} or set(cell.text) == {"*"} for cell in cells)
    assert (
        sum(text.count("*") for text in seen) == np.count_nonzero(made.maps[0].values >= 0.9) + 1
    )  # and in the legend


def test_results_have_no_colour_of_their_own():
    assert all(
        Style.parse(STYLES[role]).color is None for role in ("", "name", "number", "value", "total", "good", "quiet")
    )
    assert Style.parse(STYLES["value"]).bold


def test_signs_stand_beside_numbers_only_where_a_scale_explains_them():
    matrix = picture(np.array([[0.5, -1.0], [0.25, 1.0]]))
    assert as_text(Document((matrix,))).split() == ["0.500", "−1.000", "0.250", "1.000"]
    with_scale = as_text(Document((pattern(3, 0, "numbers"),)))
    assert "shades: 0 .:-=+*#%@ 1" in with_scale
    assert re.search(r"[\d.]+ [.:=+*#%@-]$", with_scale, re.MULTILINE)
