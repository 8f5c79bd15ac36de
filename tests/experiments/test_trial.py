"""Causes on trial: what is tried on a few rows and columns first has the verdict that it has when tried on all."""

import numpy as np
import pytest

from llmtrace.experiments import trial
from llmtrace.experiments.casts import TYPES
from llmtrace.experiments.causes import BY_NUMBER, FORMULAS, ROUNDINGS
from llmtrace.experiments.referee import judge
from llmtrace.experiments.situation import Situation
from llmtrace.experiments.trial import Trial
from llmtrace.ops import Tensor, Weight
from llmtrace.ops.rows.layer_norm import layer_norm
from llmtrace.trace import Run, Trace

RNG = np.random.default_rng(3)
LAYERS = {"linear": {}, "linear_to_heads": {"heads": 5}, "linear_from_heads": {}}


def layer(op):
    """A layer of 7 rows, 130 inputs and 45 outputs."""
    x, weight, bias = (RNG.standard_normal(shape).astype(np.float32) for shape in [(7, 130), (130, 45), (45,)])
    if op == "linear_from_heads":
        x = np.ascontiguousarray(np.moveaxis(x.reshape(7, 5, 26), 0, 1))
    return Situation(op, {"x": x, "weight": weight, "bias": bias}, LAYERS[op], {})


@pytest.mark.parametrize("op", LAYERS)
@pytest.mark.parametrize("exactly", [True, False])
def test_a_few_numbers_first_change_no_verdict(op, exactly, monkeypatch):
    situation = layer(op)
    ours = situation.done()
    causes = ROUNDINGS[op] if exactly else FORMULAS[op] | TYPES
    for title, cause in causes.items():
        theirs = cause(situation)
        if theirs is None or (theirs == ours).all():
            continue
        unit = np.abs(ours).astype(np.float64) * 2**-20
        with monkeypatch.context() as all_of_them:
            all_of_them.setattr(trial, "BY_NUMBER", frozenset())
            wanted = Trial(situation, ours, theirs, unit, exactly).best(causes)
        assert Trial(situation, ours, theirs, unit, exactly).best(causes) == wanted
        assert wanted[1] == theirs.size, title


def test_what_is_right_for_a_few_numbers_only_is_not_named():
    """The last number of all is wrong, and not among those that are tried first."""
    situation = layer("linear")
    ours, causes = situation.done(), ROUNDINGS["linear"]
    for title in BY_NUMBER & causes.keys():
        made = causes[title](situation)
        if made is None:
            continue
        theirs = made.copy()
        theirs[-1, -1] = np.nextafter(theirs[-1, -1], np.float32(np.inf))
        assert Trial(situation, ours, theirs, np.ones(ours.shape), exactly=True).best(causes) == ("", 0)


@pytest.mark.parametrize("op", LAYERS)
def test_a_part_of_a_layer_is_those_rows_and_columns(op):
    situation = layer(op)
    rows, columns = np.array([1, 4]), np.array([0, 3, 44])
    assert (situation.part(rows, columns).done() == situation.flat(situation.done())[np.ix_(rows, columns)]).all()
    assert (situation.laid_out(situation.flat(situation.done())) == situation.done()).all()


@pytest.mark.parametrize("size", [768, 6000])
def test_long_rows_may_lose_more_than_a_few_roundings(size):
    """The sums of a norm go from the first to the last number here, elsewhere in lanes: neither is an error."""
    x = (RNG.standard_normal((20, size)) * 10 + 3).astype(np.float32)
    gain, bias = (RNG.standard_normal(size).astype(np.float32) for _ in range(2))
    weights = {f"normed.{kind}": Weight(kind, data, ("feature",)) for kind, data in (("gain", gain), ("bias", bias))}
    trace = Trace(weights)
    trace.add_leaf("x", x, ("position", "feature"))
    with Run(weights, trace) as run:
        run("normed", layer_norm, Tensor("x", x, ("position", "feature")), epsilon=1e-5)
    wide = x.astype(np.float64)
    exact = (wide - wide.mean(-1, keepdims=True)) / np.sqrt(wide.var(-1, keepdims=True) + 1e-5) * gain + bias
    found = judge(trace, {"normed": exact.astype(np.float32)}).findings[0]
    assert found.verdict == "rounding"
    wrong = exact * (1 + 4e-6)
    assert judge(trace, {"normed": wrong.astype(np.float32)}).findings[0].verdict == "open"
