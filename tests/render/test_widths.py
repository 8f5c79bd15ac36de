"""A terminal shows what is true at every width: no number is cut, what has no room is named, nothing is said of what is gone."""

import itertools
import re

import numpy as np
import pytest
from check_widths import LOOKS, documents, lessons, shown
from helpers.fresh import quick, some
from helpers.lessons_once import lessons_once
from helpers.printing import as_text
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import llmtrace
from llmtrace import i18n
from llmtrace.render.terminal.cjk import SPACE, wrapped
from llmtrace.render.terminal.layout import bound
from llmtrace.views.catalog import look
from llmtrace.views.document import Column, Document, Histogram, Table, paragraph
from llmtrace.views.histogram import spread
from llmtrace.views.step_list import HISTOGRAM

WIDTHS = [20, 23, 28, 33, 39, 46, 60, 79, 80, 131]


@pytest.fixture(scope="module", autouse=True)
def computed_once():
    """What lessons compute is computed once for all tests and languages."""
    with lessons_once():
        yield


@pytest.fixture(params=["en", "zh"])
def language(request):
    i18n.use(request.param)
    yield request.param
    i18n.use(None)


def test_no_number_of_a_view_is_cut(language):
    """In a quick run at two of the widths, others for each document and language."""
    for n, (name, document) in enumerate(documents(), language == "zh"):
        whole = shown(document, 500)
        for width in WIDTHS[n % 5 :: 5] if quick() else WIDTHS:
            assert shown(document, width) <= whole, (name, width)
    assert len(LOOKS) > 12


def test_no_number_of_a_lesson_is_cut(language):
    for name, document in lessons(language, ("perceptron", "leaf-or-flower", "matrices-as-projections")):
        whole = shown(document, 500)
        for width in some(WIDTHS, 2):
            assert shown(document, width) <= whole, (name, width)


@pytest.mark.parametrize("width", WIDTHS)
def test_columns_without_room_are_named(width):
    document = look(llmtrace.load().trace("The king"))
    (table,) = (block for block in document.blocks if isinstance(block, Table))
    text = " ".join(as_text(document, width).split())
    named = re.search(r"Not shown for lack of room: ([^.]*)\.", text)
    gone = re.findall("“(.*?)”", named[1]) if named else []
    for column in table.columns:
        cell = column.cells[0]
        seen = f" {column.title} " in text.split("Not shown")[0]
        assert seen != (column.title in gone) or column.title == "name", column.title
        if isinstance(cell, str) and column.title not in gone:
            assert cell in text
    assert (" ".join(HISTOGRAM.split()) in text) == ("histogram" not in gone)


def test_rows_without_room_are_sentences():
    columns = (
        Column("name", ("a.rather.long.name", "b"), role="name"),
        Column("first", ("12345.678", "")),
        Column("picture", (Histogram((1, 2)),) * 2),
    )
    assert as_text(Document((Table(columns),)), 24).split("\n") == [
        "  a.rather.long.name:",
        "    first 12345.678",
        "  b",
        "Not shown for lack of",
        "room: “picture”.",
    ]


@given(
    st.lists(st.sampled_from(["' a'", "' girl'", "word", "12.75", "“two words”", "−3.2"]), max_size=30),
    st.integers(16, 60),
)
def test_lines_are_not_broken_within_quotes(parts, width):
    text = " ".join(parts)
    lines = [text[start:end].strip() for start, end in wrapped(bound(text, width), width, width)]
    assert " ".join(line for line in lines if line) == text
    assert all(line.count("'") % 2 == 0 and line.count("“") == line.count("”") for line in lines)


@given(
    st.lists(st.sampled_from(["'中华人民'", "'的'", "“ to”", "的问题与", "标签", "word", "。"]), max_size=30),
    st.integers(20, 60),
)
def test_lines_are_not_broken_within_chinese_tokens(parts, width):
    text = " ".join(parts)
    lines = [text[start:end] for start, end in wrapped(bound(text, width), width, width)]
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(line.count("'") % 2 == 0 and cell_len(line.rstrip()) <= width for line in lines)


@given(
    st.lists(st.sampled_from(["'中华人民'", "' king'", "的问题与", "和", "“ to”", '"床前"', "。"]), max_size=30),
    st.integers(20, 60),
)
def test_lines_are_not_broken_within_tokens_that_touch_chinese_characters(parts, width):
    text = "".join("的" + part if part[0] in "'\"“" else part for part in parts)
    lines = [text[start:end] for start, end in wrapped(bound(text, width), width, width)]
    assert "".join(lines) == text
    assert all(line.count("'") % 2 == 0 and line.count("“") == line.count("”") for line in lines)
    assert not any(line.startswith('"的') or line.endswith('的"') for line in lines)


@given(
    st.lists(st.floats(-1e6, 1e6).map(lambda x: f"{x:.4f}".replace("-", "−")), min_size=1, max_size=12),
    st.integers(16, 40),
)
def test_numbers_in_a_long_word_stay_whole(numbers, width):
    text = f"({'='.join(numbers)})"
    lines = [text[start:end] for start, end in wrapped(text, width, width)]
    assert "".join(lines) == text
    assert sorted(re.findall(r"−?\d+\.\d+", " ".join(lines))) == sorted(numbers)


@given(
    st.lists(
        st.sampled_from(["print(lesson.tra", "n(steps=100))", ">>> ", " ", "12.75", "的问题与标签", "'a b'"]),
        max_size=12,
    ),
    st.integers(16, 40),
    st.integers(0, 24),
)
def test_a_line_that_goes_on_with_less_room_loses_nothing(parts, rest, more):
    text = "".join(parts)
    lines = [text[start:end] for start, end in wrapped(text, rest + more, rest)]
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cell_len(line.rstrip()) <= (rest if n else rest + more) for n, line in enumerate(lines))


@given(st.floats(0, 1, width=64), st.integers(0, 10), st.integers(20, 40), st.sampled_from(["train=", "的", "f(x)="]))
def test_a_number_as_long_as_the_page_is_not_cut(number, indent, width, before):
    shown_number = f"{number:.17f}"
    text = as_text(Document((paragraph(f"{before}{shown_number}, right", indent=indent),)), width)
    assert shown_number in text
    assert max(map(cell_len, text.split("\n"))) <= width


def test_the_mark_of_a_bound_space_is_in_no_text():
    assert bound("it's ' a' and 'b c'", 40) == f"it's ‘{SPACE}a’ and ‘b{SPACE}c’"  # curly for where a line may end
    assert bound("' wor… 4 % ' a'", 40) == f"‘{SPACE}wor… 4 % ‘{SPACE}a’"
    text = "it's ' a' and 'b c', and ' 一 二' and \"d e\""
    for width in range(12, 60):
        printed = as_text(Document((paragraph(text),)), width)
        assert " ".join(printed.split()) == " ".join(text.split())


def test_whole_numbers_are_names_and_have_no_mean():
    trace = llmtrace.load().trace("The king")
    for step in ("tokens", "next_token"):
        text = as_text(look(trace, step), 100)
        assert "mean" not in text
        assert "histogram" not in text
    listed = as_text(look(trace), 120)
    (line,) = (line for line in listed.splitlines() if line.startswith("  next_token "))
    assert line.split() == ["next_token", "argmax", "3p", "24", "B"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e38, -1e38])
def test_numbers_too_large_for_steps_between_them_have_no_histogram(dtype, scale):
    largest = np.finfo(dtype).max
    for values in ([scale] * 3, [largest, -largest], [largest] * 2):
        found = spread(np.array(values, dtype))
        assert (found.smallest, found.largest) == (min(values), max(values))
        assert sum(found.histogram) in {0, len(values)}


def test_a_narrow_sum_has_no_heading_over_nothing():
    shown_sum = llmtrace.load().trace("The king").explain("block.0.attn.scores[0, 1, 0]")
    assert "total so far\n" in as_text(shown_sum, 80)
    assert "product" not in as_text(shown_sum, 40).split("added")[1].split("✓")[0]


PARTS = st.sampled_from(
    [
        "词元",
        "数",
        "weight",
        "block.0.attn.q",
        "0.25",
        "−3",
        "，",
        "。",
        "、",
        "）",
        "（",
        "“",
        "”",
        "；",
        "：",
        "[head=2]",
        " ",
        "12,288",
    ]
)


@given(st.lists(PARTS, min_size=1, max_size=30).map("".join), st.integers(20, 80))
def test_lines_begin_and_end_with_what_may_stand_there(text, width):
    """No line begins with a mark that closes or ends with one that opens, and none is broken within a word or number."""
    lines = [text[start:end] for start, end in wrapped(text, width, width)]
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line, following in itertools.pairwise(lines):
        assert cell_len(line.rstrip()) <= width
        marks = "，。、）”；："
        if not re.fullmatch(rf"[{marks}（“]*", text[text.find(line) :][:width]):  # nothing but marks
            assert following[0] not in marks or line[-1:] in f"{marks}（“"
            assert line.rstrip()[-1] not in "（“" or following[0] in f"{marks}（“"
        assert (
            not (re.search(r"[A-Za-z]$", line) and re.match(r"[A-Za-z]", following))
            or len(line.split()[-1]) > width // 2
        )
        assert not (re.search(r"[\d.,]$", line) and re.match(r"\d", following)) or len(line) > width // 2


def test_chinese_lines_of_views_and_lessons_are_well_broken():
    i18n.use("zh")
    try:
        views = ((name, document) for name, document in documents() if not name.startswith("trace"))
        found = [*views, *lessons("zh", ("perceptron", "leaf-or-flower"))]
        for n, (name, document) in enumerate(found):
            for width in some((20 + n % 10, 30 + n % 10, 40 + n % 20, 60 + n % 21), 2):
                for line in as_text(document, width).split("\n"):
                    text = line.strip(" │├└─")
                    assert len(text) < 2 or text[0] not in "。、；：？！）」』】》〉”’", (name, line)
                    assert width < 28 or len(text) < 2 or text[0] != "，", (name, line)
                    assert not text or text[-1] not in "（「『【《〈“‘", (name, line)
    finally:
        i18n.use(None)


def test_a_line_ends_at_the_last_place_where_it_may():
    assert wrapped("ab cd ef", 5, 5) == [(0, 6), (6, 8)]
    assert wrapped("词元 词元词元", 5, 6) == [(0, 3), (3, 6), (6, 7)]


def test_a_name_that_has_no_room_is_broken_at_its_joints():
    text = "运算 linear_to_heads，形状"
    assert [text[start:end] for start, end in wrapped(text, 16, 16)] == ["运算 ", "linear_to_", "heads，形状"]
    text = "block.0.attn.pattern[head=2, query=8]"
    assert [text[start:end] for start, end in wrapped(text, 24, 24)] == ["block.0.attn.pattern", "[head=2, query=8]"]
