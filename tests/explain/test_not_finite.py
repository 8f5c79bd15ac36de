"""The first number that is not finite is found and named: step, place, and the very term that made it."""

import numpy as np
import pytest
from helpers.small_models import small_gpt

from llmtrace.errors import PromptError
from llmtrace.explain.not_finite import first_not_finite, said
from llmtrace.models import Feedforward


def changed(model, name, place, value):
    """The model with one number of a weight changed."""
    weight = model.weights[name]
    data = weight.data.copy()
    data[place] = value
    model.weights = {**model.weights, name: weight.with_data(data)}
    return model


def test_a_finite_run_has_none():
    assert first_not_finite(small_gpt().trace("CBABBC")) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_is_named_where_it_is_first_used(value):
    found = first_not_finite(changed(small_gpt(), "block.1.mlp.up.weight", (3, 5), value).trace("CBA"))
    assert found.address == "block.1.mlp.up.weight[in=3, out=5]"
    assert found.line is None
    assert said(found).startswith("the first number that is not finite is block.1.mlp.up.weight[in=3, out=5] = ")


def test_an_overflowing_score_is_named_with_its_term():
    model = small_gpt()
    for name in ("block.0.attn.q.weight", "block.0.attn.k.weight"):
        weight = model.weights[name]
        model.weights = {**model.weights, name: weight.with_data(weight.data * np.float32(1e19))}
    with np.errstate(all="ignore"):
        trace = model.trace("CBABBC")
    found = first_not_finite(trace)
    assert found.name == "block.0.attn.scores"
    head, query, key = found.place
    assert key <= query  # a masked place holds −∞ on purpose
    before = np.isfinite(trace.tensor(found.name)[: head + 1].reshape(-1)) | (
        trace.tensor(found.name)[: head + 1] < 0
    ).reshape(-1)
    assert before[: head * 36 + query * 6 + key].all()
    q, k = trace.tensor("block.0.attn.q")[head, query], trace.tensor("block.0.attn.k")[head, key]
    total = np.float32(0)
    with np.errstate(all="ignore"):
        totals = [total := total + a * b for a, b in zip(q, k, strict=True)]
    assert found.term == int(np.isfinite(totals).argmin())
    assert f"term {found.term + 1} of {q.size}" in said(found)
    assert "into ∞" in said(found) or "into −∞" in said(found)


def test_the_term_is_among_those_that_an_explanation_shows():
    """Though many others are larger."""
    x = np.full(40, 1e38, np.float32)
    x[7:] = [-3e38, 3e38] * 16 + [1]
    net = Feedforward.of(np.ones((1, 40), np.float32))
    with np.errstate(all="ignore"):
        trace = net.trace(x)
        line = trace.explain("output.sum", 0).lines[0]
    assert np.isfinite(line.totals()[:3]).all()
    assert not np.isfinite(line.totals()[3])
    assert 3 in line.largest(2)
    assert len(line.largest(2)) == 2


def test_generation_says_where():
    model = changed(small_gpt(), "block.1.mlp.down.weight", (2, 4), np.nan)
    with pytest.raises(
        PromptError, match=r"the first number that is not finite is block\.1\.mlp\.down\.weight\[in=2, out=4\] = NaN"
    ):
        next(model.generate("CBA", 2))
