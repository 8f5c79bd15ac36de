"""Verifying a trace: the one wrong number is named, in whichever step, and wherever else a file says something untrue."""

import numpy as np
import pytest
from helpers.forging import forged
from helpers.small_models import small_gpt

import llmtrace
from llmtrace.errors import LlmtraceError, ReplayError
from llmtrace.explain.verify import verify, verify_sample

TRACE = small_gpt().trace([0, 2, 1, 2])


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    path = tmp_path_factory.mktemp("honest") / "a.trace"
    TRACE.save(path, with_weights=True)
    verify(llmtrace.open(path))
    return path


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """With a text that was made tokens."""
    path = tmp_path_factory.mktemp("story") / "a.trace"
    llmtrace.load().trace("The king had a child, a girl.").save(path, with_weights=True)
    return path


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("name", list(TRACE))
def test_one_wrong_bit_in_any_step_is_named(honest, tmp_path, name, place):
    """The first step, the last, and all between; the lowest bit, which no tolerance would see."""

    def change(arrays, content):
        flat = arrays[name].reshape(-1)
        flat.view(f"u{flat.itemsize}")[0 if place == "first" else -1] ^= 1

    forged(honest, change, tmp_path / "b.trace")
    index = (0,) * TRACE[name].output.ndim if place == "first" else [n - 1 for n in TRACE[name].output.shape]
    said = ", ".join(f"{axis}={n}" for axis, n in zip(TRACE[name].axes, index, strict=True))
    with pytest.raises(LlmtraceError) as caught:
        verify(llmtrace.open(tmp_path / "b.trace"))
    assert str(caught.value).startswith(f"{name}[{said}] is recorded as"), caught.value


def zeros(arrays):
    """Places where a number is +0."""
    return [
        (name, tuple(place))
        for name, array in arrays.items()
        if array.dtype.kind == "f" and name in TRACE
        for place in np.argwhere((array == 0) & ~np.signbit(array))[:1]
    ]


def test_minus_zero_is_another_number(honest, tmp_path):
    found = zeros({name: TRACE.tensor(name) for name in TRACE})
    assert len(found) >= 2  # at least the masked places of the patterns
    for name, place in found:
        forged(
            honest,
            lambda arrays, content, name=name, place=place: arrays[name].__setitem__(place, -0.0),
            tmp_path / "b",
        )
        with pytest.raises(ReplayError, match=rf"{name}\[.*\] is recorded as -0.0, but its inputs give 0.0"):
            verify(llmtrace.open(tmp_path / "b"))


@pytest.mark.parametrize("count", [1, 10**9])
def test_the_text_is_what_the_tokens_were_made_of(story, tmp_path, count):
    def change(arrays, content):
        content["text"] = content["text"].replace("girl", "wolf")

    forged(story, change, tmp_path / "b.trace")
    with pytest.raises(ReplayError, match="not those that the prompt's text gives"):
        verify_sample(llmtrace.open(tmp_path / "b.trace"), count)
