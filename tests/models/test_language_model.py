"""Batches of texts of different lengths: each has the bits that it has alone, whatever stands beside it."""

import numpy as np
import pytest
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt
from hypothesis import given
from hypothesis import strategies as st

import llmtrace
from llmtrace.arithmetic.bits import same_bits
from llmtrace.errors import PromptError
from llmtrace.experiments.compare import compare
from llmtrace.explain.verify import verify_step
from llmtrace.models import KVCache
from llmtrace.render import render
from llmtrace.views import catalog, guided, next_token, residual_stream, step_list

MODEL, LLAMA = small_gpt(texts="ABCD", context=9), small_llama(texts="ABCD")
ROWS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9), min_size=1, max_size=5)


def own(trace, name, row, length):
    """What of a tensor belongs to one text of a batch."""
    place = {"batch": row} | dict.fromkeys(("position", "query", "key"), slice(length))
    return trace.tensor(name)[tuple(place.get(axis, slice(None)) for axis in trace.axes(name))]


@pytest.mark.parametrize("model", [MODEL, LLAMA], ids=["gpt", "llama"])
@given(rows=ROWS)
def test_each_text_has_the_scores_that_it_has_alone_and_none_behind_its_end(model, rows):
    scores = model.logits(rows)
    assert scores.shape == (len(rows), max(map(len, rows)), 4)
    for row, found in zip(rows, scores, strict=True):
        assert same_bits(found[: len(row)], model.logits(row))
        assert np.isnan(found[len(row) :]).all()


@given(ROWS)
def test_every_step_of_each_text_is_the_one_that_it_has_alone(rows):
    trace = MODEL.trace(rows)
    assert [len(texts) for texts in trace.tokens] == [len(row) for row in rows]
    for number, row in enumerate(rows):
        alone = MODEL.trace(row)
        assert trace.tokens[number] == alone.tokens
        for name in [*alone, *alone.leaves]:
            assert same_bits(np.ascontiguousarray(own(trace, name, number, len(row))), alone.tensor(name)), name


@pytest.fixture(scope="module")
def trace():
    return MODEL.trace(["ABCDAB", "CA", "DBCA"])


def test_it_is_verified_and_saved_and_explained_like_any_other(trace, tmp_path):
    for step in trace.steps:
        verify_step(trace, step)
    trace.save(tmp_path / "a.trace", with_weights=True)
    again = llmtrace.open(tmp_path / "a.trace")
    assert again.tokens == trace.tokens
    assert str(again.explain("logits", 1, 1, 2)) == str(trace.explain("logits", 1, 1, 2))
    assert repr(trace) == f"<Trace of small: {len(trace)} steps, 6, 2, 4 tokens>"
    assert not [step for step in compare(trace, again).steps if step.largest]


@pytest.mark.parametrize("medium", ["terminal", "plain", "json"])
def test_every_view_shows_it(trace, medium):
    documents = [guided.view(trace), guided.view(trace, layer=1), step_list.view(trace), residual_stream.view(trace)]
    documents += [next_token.view(trace, text=text) for text in range(3)]
    documents += [catalog.look(trace, name) for name in trace]
    for document in documents:
        assert render(document, medium) if medium != "terminal" else document.blocks


def test_the_next_token_is_that_after_the_own_end(trace):
    for number, text in enumerate(["ABCDAB", "CA", "DBCA"]):
        mine, alone = next_token.view(trace, text=number).facts, next_token.view(MODEL.trace(text)).facts
        assert mine["next_token"] == alone["next_token"]
        assert mine["position"] == len(text) - 1


def test_an_empty_text_of_a_batch_is_the_beginning():
    model = small_gpt(texts="ABCD")
    with pytest.raises(PromptError, match="the prompt is empty"):
        model.ids(["AB", ""])
    model.begin = 3
    assert model.ids(["AB", ""]).tolist() == [[0, 1], [3, 0]]
    assert same_bits(model.logits(["AB", ""])[1, :1], model.logits(""))


def test_a_cache_takes_texts_of_one_length_only():
    with pytest.raises(PromptError, match=r"these texts have 2, 1 tokens.*cache"):
        MODEL.logits(["AB", "A"], KVCache())


@pytest.mark.parametrize("wrong", [5, 1.5, [1.5], [[1], "A"], [[[1]]], [["A"]], [[1, 2], [1.5]], None, np.array(3), {}])
def test_what_is_no_prompt_is_refused(wrong):
    with pytest.raises(PromptError):
        MODEL.ids(wrong)


@pytest.mark.parametrize("empty", ["", [], (), np.zeros(0, np.int64), [[]], [""]])
def test_nothing_is_refused_where_there_is_no_beginning(empty):
    with pytest.raises(PromptError, match="the prompt is empty"):
        MODEL.ids(empty)


def test_a_model_whose_tokens_look_at_later_ones_takes_no_sources_of_different_lengths():
    model = llmtrace.load("translator")
    for use in (model.logits, model.trace):
        with pytest.raises(PromptError, match=r"must have the same number for a model each of whose tokens"):
            use([[4, 5, 6], [4, 5]])
    with pytest.raises(PromptError, match=r"model\.reading"):
        model.surprise([4, 5, 6])
    found = model.reading(np.array([4, 5, 6])).surprise([model.config.start, 7, 8])
    assert found.trace().tensor("losses").tobytes() == found.losses.tobytes()
