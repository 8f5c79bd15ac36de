"""Tables in a terminal: where there is little room, the least important columns go first, and bars share what is left."""

from dataclasses import replace

import pytest
from helpers.fresh import some
from helpers.printing import as_text
from helpers.small_models import small_gpt
from hypothesis import assume, given
from hypothesis import strategies as st

from llmtrace.render.terminal import table as tables
from llmtrace.views.catalog import look
from llmtrace.views.document import Bar, Column, Document, Paragraph, Table, walk

COLUMNS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), min_size=1, max_size=8)


@given(COLUMNS, st.integers(0, 120), st.integers(1, 2))
def test_as_few_columns_go_as_will_do(columns, room, gap):
    ranks, widths = [rank for rank, _width in columns], {n: width for n, (_rank, width) in enumerate(columns)}
    gone = tables.dropped(ranks, widths, room, gap)
    kept = [n for n in widths if n not in gone]
    assert all(ranks[n] for n in gone)
    used = sum(widths[n] + gap for n in kept) - gap
    assert used <= room or not any(ranks[n] for n in kept)
    assert all(used + widths[n] + gap > room for n in gone)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=8, unique=True), st.integers(1, 20), st.integers(0, 150))
def test_of_columns_of_one_width_the_least_important_go(ranks, width, room):
    gone = tables.dropped(ranks, dict.fromkeys(range(len(ranks)), width), room, 1)
    kept = [n for n in range(len(ranks)) if n not in gone]
    assert max((ranks[n] for n in kept), default=0) <= min((ranks[n] for n in gone), default=9)


def left(document, width):
    """The titles that a terminal of that width shows."""
    (table,) = (each for each in walk(document) if isinstance(each, Table))
    heads = next(line for line in as_text(document, width).splitlines() if line.startswith("  name")).split()
    return [column.title for column in table.columns if column.title in heads]


def test_a_narrow_terminal_loses_its_least_important_columns_first():
    document = look(small_gpt().trace("CBABBC"))
    (table,) = (each for each in walk(document) if isinstance(each, Table))
    ranks = {column.title: column.rank for column in table.columns}
    seen = [left(document, width) for width in [*some(range(40, 130), 30), 130]]
    assert seen[-1] == list(ranks)
    for titles in seen:
        gone = ranks.keys() - set(titles)
        last = max(ranks[title] for title in titles)
        # where a wide column has gone, there may be room for a narrow one that matters less
        assert all(ranks[title] >= last or title in {"histogram", "operation"} for title in gone)
        assert ("bytes" in titles) <= ("shape" in titles)


def test_the_wrong_order_would_be_seen(monkeypatch):
    right = tables.dropped
    monkeypatch.setattr(tables, "dropped", lambda ranks, *more: right([rank and 10 - rank for rank in ranks], *more))
    with pytest.raises(AssertionError):
        test_a_narrow_terminal_loses_its_least_important_columns_first()
    with pytest.raises(AssertionError):
        test_of_columns_of_one_width_the_least_important_go()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.integers(20, 200), st.integers(4, 60))
def test_bars_grow_with_their_shares(shares, width, longest):
    bars = tuple(Bar(share, longest) for share in shares)
    block = Table((Column("name", tuple("x" for _ in bars)), Column("", bars, rank=1)))
    assert tables.SHORTEST <= tables.bar_length(block, width) <= longest
    assume(width > 60)
    lengths = [line.count("█") for line in as_text(Document((block,)), width).splitlines()[1:]]
    assert [length for _share, length in sorted(zip(shares, lengths, strict=True))] == sorted(lengths)


def test_blocks_stand_between_the_rows_before_which_they_are():
    column = Column("title", ("a", "b"))
    between = tuple((n, Paragraph((f"before {n}",))) for n in range(3))
    assert as_text(Document((Table((column,), between),)), 40).split("\n") == [
        "  title",
        "before 0",
        "  a",
        "before 1",
        "  b",
        "before 2",
    ]
    empty = replace(column, cells=())
    assert as_text(Document((Table((empty,), between[:1]),)), 40).split("\n") == ["  title", "before 0"]
