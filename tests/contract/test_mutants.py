"""Who checks the checkers? Each error of `tests/mutants` must be caught by the check that is named beside it, and
only the error: that the same check passes for the op as it is, the contract says of every op and every check."""

import numpy as np
import pytest
from mutants import PLANTED

from llmtrace.arithmetic import lines
from llmtrace.explain import Explanation, explanation
from llmtrace.ops import OPS
from llmtrace.testing import CHECKS, check_explain, hold

EXAMPLES = 240  # as a rule an error shows within 30; the search ends with the first that fails, so it may be long


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: f"{p.check}: {p.op.name}: {p.name}")
def test_a_planted_error_is_caught(planted):
    with pytest.raises(AssertionError) as caught:
        hold(planted.op, CHECKS[planted.check], examples=EXAMPLES, shrink=False)
    assert planted.op.name in str(caught.value)  # said by the check, not by an assertion of something else


def test_there_are_enough():
    assert len(PLANTED) >= 24
    assert {p.check for p in PLANTED} == set(CHECKS)
    assert {p.op.name for p in PLANTED} <= set(OPS)  # which keep the contract
    assert len({(p.name, p.op.name, p.check) for p in PLANTED}) == len(PLANTED)


# ---- the replay itself, broken -------------------------------------------------------------------------------------


def test_a_replay_that_accepts_everything_is_caught(monkeypatch):
    monkeypatch.setattr(explanation, "same_bits", lambda a, b: True)
    with pytest.raises(AssertionError, match="replay does not notice"):
        hold(OPS["add"], check_explain, examples=5, shrink=False)


def test_a_replay_that_does_nothing_is_caught(monkeypatch):
    monkeypatch.setattr(Explanation, "replay", lambda self: self.value)
    with pytest.raises(AssertionError, match="replay does not notice"):
        hold(OPS["add"], check_explain, examples=5, shrink=False)


def test_a_replay_to_six_digits_is_caught(monkeypatch):
    monkeypatch.setattr(explanation, "same_bits", lambda a, b: np.allclose(a, b, rtol=1e-6, equal_nan=True))
    with pytest.raises(AssertionError, match="replay does not notice"):
        hold(OPS["softmax"], check_explain, examples=20, shrink=False)


def test_json_that_forgets_digits_is_caught(monkeypatch):
    monkeypatch.setattr(lines, "to_plain", rounded(lines.to_plain))
    with pytest.raises(AssertionError):
        hold(OPS["softmax"], check_explain, examples=40, shrink=False)


def rounded(to_plain):
    def short(values):
        with np.errstate(over="ignore"):
            return to_plain(np.asarray(np.round(values, 6), values.dtype))

    return short
