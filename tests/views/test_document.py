"""Documents as data: every number is the one at its address, tables know what matters, fewer places are among more."""

import re
from string import Formatter

import numpy as np
import pytest
from helpers.looks import LOOKS
from helpers.small_models import small_gpt
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.arithmetic.bits import same_bits
from llmtrace.errors import AddressError
from llmtrace.models import Sampling
from llmtrace.render import document_of
from llmtrace.views import sampling
from llmtrace.views.catalog import look
from llmtrace.views.document import (
    Document,
    Fold,
    Number,
    Paragraph,
    RunningSum,
    Start,
    Table,
    Term,
    places,
    said,
    walk,
)
from llmtrace.views.figures import Axis, Grid, Heatmap, NumberRow, Place, axis, runs
from llmtrace.views.overview import view as overview


@pytest.fixture(scope="module")
def trace():
    return small_gpt().trace("CBABBC")


@pytest.fixture(scope="module")
def choices():
    generation = small_gpt().generate("CBA", 2, Sampling(1.0, 2, 0.9, 1))
    list(generation)
    return generation.trace()


@pytest.fixture(scope="module")
def documents(trace):
    made = [look(trace, name, **options) for name, options in LOOKS]
    return [*made, document_of(trace, every=True), document_of(trace.explain("logits", -1, 0, depth=4))]


@pytest.fixture(scope="module")
def more(documents, choices):
    """The same, and documents of other traces."""
    return [*documents, sampling.view(choices, 1), sampling.working(choices, 1)]


def addressed(document):
    """Every number of a document that says where it stands: its value, and its address."""
    for each in walk(document):
        if isinstance(each, Number) and each.address:
            yield each.value, each.address
        elif isinstance(each, Grid | Heatmap) and each.address:
            for row in each.rows.indices():
                for column in each.columns.indices():
                    yield each.values[row, column], each.address.format(row=row, column=column)
        elif isinstance(each, NumberRow) and each.tensor:
            for value, place in zip(each.values, each.axis.places, strict=True):
                yield value, f"{each.tensor}[{', '.join([*each.where, f'{each.axis.name}={place.index}'])}]"


# ---- numbers ----------------------------------------------------------------------------------------------------------


def test_every_number_is_the_one_at_its_address(trace, documents):
    found = list(
        dict.fromkeys((np.asarray(value).tobytes(), at) for made in documents for value, at in addressed(made))
    )
    assert len(found) > 500
    for n in np.random.default_rng(0).choice(len(found), 300, replace=False):
        data, where = found[n]
        try:
            value = np.asarray(trace.explain(where).value)
        except AddressError:
            value = trace.tensor(where)  # a number by itself
        assert np.isnan(value) or value.tobytes() == data, where


def test_running_totals_are_in_order(documents):
    count = 0
    for block in (each for made in documents for each in walk(made) if isinstance(each, RunningSum)):
        before = np.float32(0)
        for row in block.rows:
            if isinstance(row, Start):
                before = row.total.value
            elif isinstance(row, Fold):
                assert same_bits(np.asarray(before), np.asarray(row.before.value))
                before = row.after.value
            else:
                assert isinstance(row, Term)
                assert same_bits(np.asarray(before + row.added.value), np.asarray(row.total.value))
                if block.products:
                    a, b = (factor.value for factor in row.factors)
                    assert same_bits(np.asarray(a * b), np.asarray(row.added.value))
                before = row.total.value
                count += 1
    assert count > 50


def test_numbers_are_read_as_they_are(more):
    for number in (each for made in more for each in walk(made) if isinstance(each, Number)):
        assert number.text == number.text.strip()
        text = number.text.replace("−", "-").replace("∞", "inf")
        if text.endswith(" %"):
            assert float(text.removesuffix(" %")) == pytest.approx(100 * float(number.value), rel=2e-2, abs=1e-9)
        elif np.isfinite(number.value):
            assert float(text) == pytest.approx(float(number.value), rel=2e-2, abs=6e-2)


# ---- tables: what matters -----------------------------------------------------------------------------------------------


def tables(document):
    return [each for each in walk(document) if isinstance(each, Table)]


def test_tables_are_whole(more):
    for table in (each for made in more for each in tables(made)):
        (rows,) = {len(column.cells) for column in table.columns}
        assert any(column.rank == 0 for column in table.columns)
        assert all(0 <= row <= rows for row, _block in table.between)


def going(table):
    """The titles of the columns that may be left out, those that go first at the beginning."""
    ranked = sorted((column for column in table.columns if column.rank), key=lambda column: -column.rank)
    return [column.title if isinstance(column.title, str) else "…" for column in ranked]


def staying(table):
    return [column.title for column in table.columns if not column.rank]


def test_what_goes_first_where_there_is_little_room(trace, choices):
    (steps,) = tables(look(trace))
    assert going(steps) == ["bytes", "operation", "histogram", "min", "max"]
    assert staying(steps) == ["name", "shape"]
    (stream,) = tables(look(trace, "residual"))
    assert going(stream) == ["added by", "", ""]
    assert staying(stream) == ["after", "norm", "change"]
    (likely,) = tables(look(trace, "logits", position=1))
    assert going(likely) == ["score", ""]
    assert staying(likely) == ["token", "probability"]
    weights, tokens = tables(look(trace, "block.0.mlp.up", neuron=3))
    assert going(weights) == ["", ""]
    assert staying(weights) == ["listens to", "weight", "writes to", "weight"]
    assert going(tokens) == ["sum", ""]
    (chosen,) = tables(sampling.view(choices, 0))
    assert going(chosen) == ["score", ""]
    (whole,) = tables(overview(trace))
    assert going(whole) == ["row length", "attention adds", "MLP adds", "…"]


# ---- texts and places -------------------------------------------------------------------------------------------------


def test_a_sentence_holds_its_values_at_their_places():
    one = Number(np.float32(1), "1")
    assert said("{b} of {a}, {b}", "quiet", a="x", b=one).parts == (one, " of ", "x", ", ", one)
    assert said("{n} left", n=3).parts == ("3", " left")


@given(st.text("ab {}", max_size=12), st.integers())
def test_a_sentence_says_what_format_says(text, n):
    try:
        wanted = text.format(a=n)
        keys = {key for _words, key, *_rest in Formatter().parse(text) if key}
    except (ValueError, IndexError, KeyError):
        return
    if keys <= {"a"} and not re.search(r"\{a[^}]", text):
        assert "".join(said(text, a=n).parts) == wanted


@given(st.integers(0, 100), st.integers(1, 60), st.integers(1, 60))
def test_fewer_places_are_among_more(count, room, more):
    few, many = places(count, min(room, more)), places(count, max(room, more))
    assert set(few) - {None} <= set(many)
    assert len(few) <= max(3, min(room, more))
    assert few.count(None) == (count > min(room, more))
    made = axis("key", count, str, max(room, more))
    assert [None if place is None else place.index for place in made.some(min(room, more))] == few


def test_runs_of_places():
    shown = [Place(0), Place(1), None, Place(7), None, Place(9), Place(10)]
    assert runs(shown) == [(0, 1), (7, 7), (9, 10)]
    assert Axis("", 3, (Place(0), None)).indices() == [0]


def test_a_document_is_walked_as_it_is_read():
    block = Paragraph((said("{a}{b}", a=Number(1, "1"), b=Number(2, "2")),))
    document = Document((block,), facts={"hidden": Number(3, "3")})
    assert [each.text for each in walk(document) if isinstance(each, Number)] == ["1", "2"]
