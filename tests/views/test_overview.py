"""The first table of a trace: what each block adds."""

import pytest
from helpers.printing import drawn
from helpers.small_models import small_gpt, small_transformer

from llmtrace.views.document import Table
from llmtrace.views.overview import view


def table_of(trace):
    return next(block for block in view(trace).blocks if isinstance(block, Table))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_column_is_empty(width):
    trace = small_gpt().trace([0, 2, 1])
    assert "source adds" not in drawn(view(trace), width)
    for column in table_of(trace).columns:
        assert any(cell != "" for cell in column.cells)


def test_what_a_source_adds_is_shown_where_there_is_one():
    trace = small_transformer().trace([3, 4, 5])
    titles = [str(column.title) for column in table_of(trace).columns]
    assert "source adds" in titles
