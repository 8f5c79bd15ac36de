"""The cosines and sines of rotary positions: the angle is told, and a wrong one is found."""

import math
import re

import numpy as np
import pytest
from helpers.forging import forged
from helpers.small_llamas import small_llama

import llmtrace
from llmtrace.errors import LlmtraceError, ReplayError
from llmtrace.explain.verify import verify, verify_sample

TOLD = re.compile(r"(cos|sin)\((\d+) × (\d+)\^\(−(\d+)/(\d+)\)\)")


@pytest.fixture(scope="module")
def trace():
    return small_llama(base=5000.0).trace([1, 2, 0, 2, 1])


@pytest.mark.parametrize("name", ["rotary.cosine", "rotary.sine"])
def test_the_angle_is_told(trace, name):
    for place in ((0, 0), (4, 1), (3, 0)):
        found = trace.explain(name, *place)
        function, position, base, twice, width = TOLD.search(found.sentence).groups()
        value = getattr(math, function)(int(position) * float(base) ** (-int(twice) / int(width)))
        assert np.float32(value) == found.value
        assert (int(position), int(twice)) == (place[0], 2 * place[1])


@pytest.mark.parametrize("name", ["rotary.cosine", "rotary.sine"])
@pytest.mark.parametrize("keep", ["all", "residual"])
def test_a_wrong_one_is_found(tmp_path, name, keep):
    trace = small_llama().trace([1, 2, 0, 2], keep=keep)
    trace.save(tmp_path / "a.trace", with_weights=True)

    def change(arrays, content):
        arrays[name][2, 1] = np.nextafter(arrays[name][2, 1], np.float32(2))

    forged(tmp_path / "a.trace", change, tmp_path / "b.trace")
    assert verify(llmtrace.open(tmp_path / "a.trace")) > 0
    for check in (verify, lambda opened: verify_sample(opened, 5)):
        with pytest.raises(ReplayError, match=re.escape(f"{name}[position=2, pair=1] is recorded as")):
            check(llmtrace.open(tmp_path / "b.trace"))


def test_the_base_is_told_as_it_is():
    for base, told in ((123456.789, "123456.789"), (1234567.5, "1234567.5"), (1e6, "1000000"), (10000.0, "10000")):
        assert f"× {told}^" in small_llama(base=base).trace([1, 2]).explain("rotary.sine", 1, 1).sentence


def test_a_batch_has_angles_for_each_text():
    trace = small_llama().trace([[1, 2, 0], [0, 1, 1]])
    assert verify(trace) > 0
    assert TOLD.search(trace.explain("rotary.sine", 1, 2, 1).sentence)


@pytest.mark.parametrize("shape", [(3, 2), (5, 2), (4,), (), (4, 0), (2, 2, 2)])
def test_one_of_another_shape_is_refused(tmp_path, shape):
    small_llama().trace([1, 2, 0, 2]).save(tmp_path / "a.trace", with_weights=True)

    def change(arrays, content):
        arrays["rotary.cosine"] = np.ones(shape, np.float32)

    forged(tmp_path / "a.trace", change, tmp_path / "b.trace")
    with pytest.raises(LlmtraceError):
        verify(llmtrace.open(tmp_path / "b.trace"))


@pytest.mark.parametrize("base", [10**400, -1, 0, "many", None, True, [1]])
def test_a_base_that_is_none_is_not_believed(tmp_path, base):
    """What it was when the trace was made can't be told; nothing is said of the angle."""
    small_llama().trace([1, 2, 0, 2]).save(tmp_path / "a.trace", with_weights=True)

    def change(arrays, content):
        content["model"]["config"]["base"] = base

    forged(tmp_path / "a.trace", change, tmp_path / "b.trace")
    try:
        trace = llmtrace.open(tmp_path / "b.trace")
        verify(trace)
    except LlmtraceError:
        return
    assert not TOLD.search(trace.explain("rotary.sine", 1, 1).sentence)
