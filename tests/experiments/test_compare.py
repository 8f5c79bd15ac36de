"""Comparisons of runs: the first number that differs, distances, aligned tokens."""

import numpy as np
import pytest
from helpers.fresh import THOROUGH, quick
from helpers.printing import as_text
from helpers.small_models import small_gpt
from hypothesis import given, settings
from hypothesis import strategies as st

import llmtrace
from llmtrace.errors import AddressError
from llmtrace.experiments import what_if
from llmtrace.experiments.compare import _units, compare
from llmtrace.models import KVCache
from llmtrace.views.comparison import view

MODEL = small_gpt("ABCDE", seed=3)
P = "The king had a child, a girl, and the old lamp will belong to"


@pytest.fixture(scope="module")
def story():
    return llmtrace.load().trace(P)


def test_equal_runs_have_the_same_bits(story):
    found = compare(story, llmtrace.load().trace(P))
    assert found.first is None
    assert sum(step.size for step in found.steps) == sum(step.output.size for step in story.steps)
    assert "All 159,273 numbers have the same bits." in as_text(view(found))


@settings(max_examples=20 if quick() else THOROUGH)
@given(st.data())
def test_the_first_changed_number_is_found(data):
    before = MODEL.trace("CABDE")
    name = data.draw(st.sampled_from([name for name in before if before.tensor(name).dtype.kind == "f"]))
    place = tuple(data.draw(st.integers(0, size - 1)) for size in before.shape(name))
    value = float(data.draw(st.floats(-9, 9, width=32)))
    axes = ", ".join(map(str, place))
    after = what_if(before, {f"{name}[{axes}]": value}).after
    found, old = compare(before, after), before.tensor(name)[place]
    if np.float32(value).tobytes() == old.tobytes():
        assert found.first is None
        return
    assert found.first.name == name
    assert found.first.at[0] == found.first.at[1]
    assert before.explain(found.first.at[0]).value == old
    assert found.first.numbers == (old, np.float32(value))
    assert found.first.largest == abs(float(old) - float(np.float32(value)))
    for step in found.steps:
        pairs = zip(before.tensor(step.name).ravel(), after.tensor(step.name).ravel(), strict=True)
        assert step.differ == sum(a.tobytes() != b.tobytes() for a, b in pairs)


def test_texts_of_other_lengths_are_aligned_by_token(story):
    longer = llmtrace.load().trace("There was a lamp. " + P)
    found = compare(story, longer)
    assert all(story.tokens[i] == longer.tokens[j] for i, j in found.places)
    assert len(found.places) >= 14
    assert {step.name: step.differ for step in found.steps}["embed.token"] == 0
    assert found.first.name == "embed.position"
    assert found.tokens()[0][:2] == (0, 0)
    text = as_text(view(found), 80)
    assert "in the other run" in text


def test_what_differs_is_on_the_screen(story):
    other = llmtrace.load().trace(P.replace("girl", "boy"))
    text = as_text(view(compare(story, other)), 80)
    assert "at place 8: ' girl', in the other run ' boy'" in text
    assert "after ' to' at place 16: ' her', in the other run ' him'" in text


def test_models_of_other_sizes_are_compared_by_name():
    found = compare(MODEL.trace("CAB"), small_gpt("ABCDE", seed=4, blocks=1, width=24).trace("CAB"))
    assert "embed" in found.misshapen
    assert "logits" in {step.name for step in found.steps}
    assert "block.1.ln_1" in found.missing[0]
    assert not found.missing[1]
    assert as_text(view(found))


def test_batches_of_other_sizes_are_refused():
    with pytest.raises(AddressError, match="batches of different sizes"):
        compare(MODEL.trace("CAB"), MODEL.trace([[0, 1, 2]]))
    same = MODEL.trace([[0, 1, 2], [1, 1, 1]])
    assert compare(same, same).first is None
    assert as_text(view(compare(same, MODEL.trace([[0, 1, 2], [1, 2, 1]]))))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_infinitely_far(value):
    """Also against itself it has no distance, but the same bits."""
    before = MODEL.trace("CAB")
    after = what_if(before, {"logits[position=1, vocabulary=2]": value}).after
    assert compare(before, after).first.largest == compare(after, before).first.largest == np.inf
    assert compare(after, after).first is None
    assert {step.largest for step in compare(after, after).steps} == {0.0}


@pytest.mark.parametrize("key", range(5))
def test_what_is_seen_of_a_cache_is_compared(key):
    """A changed score is found whether its key was read with the query or stands in the cache."""
    cache = KVCache()
    MODEL.trace("CAB", cache)
    before = MODEL.trace("DE", cache)
    found = compare(before, what_if(before, {f"block.0.attn.scores[head=1, query=1, key={key}]": 0.5}).after)
    assert found.first.name == "block.0.attn.scores"
    assert found.first.differ == 1
    assert before.explain(found.first.at[0]).value == found.first.numbers[0]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(0, 9))
def test_units_count_neighbours(x, steps):
    start = end = np.float32(x)
    for _ in range(steps):
        end = np.nextafter(end, np.float32(np.inf))
    assert not np.isfinite(end) or _units(np.array([start]), np.array([end])) == steps
