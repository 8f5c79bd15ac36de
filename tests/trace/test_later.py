"""A trace that keeps the residual stream has the logits of a few tokens at once, and those of many when somebody asks."""

import copy

import numpy as np
import pytest
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt

from llmtrace.arithmetic.bits import same_bits
from llmtrace.models import KVCache
from llmtrace.trace.later import FEW
from llmtrace.trace.recompute import Recomputer

FEW_TOKENS = [[0], [0, 1, 2] * 3, [[0, 1, 2]] * 5, [[0] * (FEW // 2)] * 2]
MANY_TOKENS = [[[0, 1, 2]] * 6, [[0] * (FEW // 2 + 1)] * 2, [[1]] * (FEW + 1)]
pytestmark = pytest.mark.parametrize("make", [small_gpt, small_llama])


@pytest.fixture
def asked(monkeypatch):
    """The names that are computed again, as they come."""
    names, plan = [], Recomputer._plan

    def planning(self, name, box):
        names.append(name)
        return plan(self, name, box)

    monkeypatch.setattr(Recomputer, "_plan", planning)
    return names


@pytest.mark.parametrize("prompt", FEW_TOKENS, ids=str)
def test_the_logits_of_a_few_tokens_are_there(make, prompt, asked):
    model = make()
    expected = model.trace(prompt, keep="all")
    for _time in range(3):
        trace = model.trace(prompt, keep="residual")
        assert all(same_bits(trace.tensor(name), expected.tensor(name)) for name in ("logits", "ln_f"))
        assert not asked
        assert not {"logits", "ln_f"} & set(trace.kept())
    assert same_bits(trace.tensor("probabilities"), expected.tensor("probabilities"))
    assert asked == ["probabilities"]


@pytest.mark.parametrize("prompt", MANY_TOKENS, ids=str)
def test_those_of_many_are_made_when_somebody_asks(make, prompt, asked):
    model = make()
    expected = model.trace(prompt, keep="all")
    for time in range(3):
        trace = model.trace(prompt, keep="residual")
        assert len(asked) == time
        assert same_bits(trace.tensor("logits"), expected.tensor("logits"))
    assert asked == ["logits"] * 3


def test_few_and_many_by_turns(make, asked):
    model, few, many = make(), [[0, 1, 2]], [[0, 1, 2]] * 6
    expected = {len(ids): model.trace(ids, keep="all") for ids in (few, many)}
    for ids in [few, many] * 3:
        asked.clear()
        trace = model.trace(ids, keep="residual")
        assert [*trace.records()] == [*expected[len(ids)].records()]
        assert same_bits(trace.tensor("logits"), expected[len(ids)].tensor("logits"))
        assert asked == ["logits"] * (ids is many)
        assert same_bits(model.logits(ids), expected[len(ids)].tensor("logits"))


def test_each_token_that_is_read_on_has_its_logits(make, asked):
    model, ids, cache = make(), [0, 1, 2, 1, 0], KVCache()
    expected = model.trace(ids, keep="all").tensor("logits")
    found = [model.trace([i], cache, keep="residual").tensor("logits")[0] for i in ids]
    assert same_bits(np.array(found), expected)
    assert not asked


def test_they_hold_no_other_memory_of_the_run(make):
    model = make()
    for _time in range(3):
        found = model.trace([0, 1, 2], keep="residual").tensor("logits")
        while found.base is not None:
            found = found.base
        assert isinstance(found, np.ndarray)


def test_a_copy_makes_them_again(make, asked):
    trace = make().trace([0, 1, 2], keep="residual")
    assert same_bits(copy.deepcopy(trace).tensor("logits"), trace.tensor("logits"))
    assert asked == ["logits"]


def test_they_are_read_only(make):
    assert not make().trace([0, 1, 2], keep="residual").tensor("logits").flags.writeable


def test_they_are_counted(make):
    model, size = make(), 4 * make().config.vocabulary
    one, two = (model.trace_bytes(n, keep="residual") for n in (1, 2))
    assert model.trace_bytes(FEW, keep="residual") == one + (FEW - 1) * (two - one)
    many = model.trace_bytes(FEW + 1, keep="residual")
    assert many == one + FEW * (two - one) - (FEW + 1) * size
    assert model.trace_bytes(FEW, keep="residual", texts=2) == 2 * (one + (FEW - 1) * (two - one) - FEW * size)
