"""How surprised a model is by a text: every number is a recorded step, and windows change none that they share."""

import numpy as np
import pytest
from helpers.small_models import small_gpt
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.errors import PromptError
from llmtrace.experiments.surprise import MEAN, PERPLEXITY, TOTAL, windows
from llmtrace.explain.verify import verify_step

MODEL = small_gpt(texts="ABCD", context=8)
MODEL.begin = 3


def by_hand(ids, context, stride):
    """Probabilities in float64, token by token, each from the tokens that its window lets the model look back on."""
    found, first, end = [], 0, min(len(ids) - 1, context)
    while first < len(ids) - 1:
        start = max(0, end - context)
        for place in range(first, end):
            scores = MODEL.logits(ids[start : place + 1])[-1].astype(np.float64)
            found.append(np.exp(scores - scores.max())[ids[place + 1]] / np.exp(scores - scores.max()).sum())
        first, end = end, min(end + stride, len(ids) - 1)
    return np.array(found)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=20), st.integers(1, 8))
def test_every_token_is_judged_once_from_what_its_window_holds(ids, stride):
    found, truth = MODEL.surprise(ids, stride), by_hand(ids, 8, stride)
    np.testing.assert_allclose(found.probabilities, truth, rtol=1e-5)
    np.testing.assert_allclose(found.losses, -np.log(truth), rtol=1e-4, atol=1e-6)
    total = np.float32(0)
    for loss in found.losses:  # the rule of arithmetic: one after the other, from window to window too
        total = total + loss
    assert total == found.total
    assert found.mean == total / np.float32(len(ids) - 1)
    np.testing.assert_allclose(found.perplexity, np.exp(np.float64(found.mean)), rtol=1e-6)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=20), st.integers(1, 8), st.data())
def test_the_trace_of_a_token_has_the_same_bits_and_explains_them(ids, stride, data):
    found = MODEL.surprise(ids, stride)
    place = data.draw(st.sampled_from(found.places))
    trace = found.trace(place)
    for address, row in zip(found.addresses(place), (found.probabilities, found.losses), strict=True):
        assert trace.explain(address).replay() == row[place - 1]
    verify_step(trace, trace["losses"])
    last = found.trace()
    for name, value in ((TOTAL, found.total), (MEAN, found.mean), (PERPLEXITY, found.perplexity)):
        assert last.explain(name).replay() == value


@given(st.integers(1, 60), st.integers(1, 12), st.data())
def test_windows_cover_every_token_once_and_never_exceed_the_context(length, context, data):
    stride = data.draw(st.integers(1, context))
    found = list(windows(length, context, stride))
    assert [place for w in found for place in range(w.first, w.end)] == list(range(length))
    assert all(0 <= w.start <= w.first < w.end <= w.start + context for w in found)
    assert all(w.end - w.first <= stride for w in found[1:])
    assert all(w.end - w.start == context for w in found[1:])


def test_with_a_beginning_the_first_token_is_judged_too():
    with_it, without = MODEL.surprise("ABC", beginning=True), MODEL.surprise([3, 0, 1, 2])
    assert with_it.losses.tobytes() == without.losses.tobytes()
    assert len(with_it) == 3
    with pytest.raises(PromptError, match="no beginning-of-text token"):
        small_gpt().surprise("ABC", beginning=True)


@pytest.mark.parametrize(
    ("prompt", "stride", "message"),
    [
        ("A", None, "at least two"),
        (["AB", "BA"], None, "one text"),
        ("ABC", 9, "from 1 to 8"),
        ("ABC", 0, "stride"),
        ("ABC", 1.5, "stride"),
        ("ABC", "3", "stride"),
    ],
)
def test_what_cannot_be_judged_is_refused(prompt, stride, message):
    with pytest.raises(PromptError, match=message):
        MODEL.surprise(prompt, stride)


@pytest.mark.parametrize("place", [0, 3, -3])
def test_places_without_a_probability_are_refused(place):
    with pytest.raises(PromptError, match="place from 1 to 2"):
        MODEL.surprise("ABC").trace(place)


def test_progress_is_told_to_the_end():
    told = []
    MODEL.surprise([0] * 20, 3, progress=lambda done, whole: told.append((done, whole)))
    assert told[-1] == (19, 19)
    assert [done for done, _whole in told] == sorted({done for done, _whole in told})
