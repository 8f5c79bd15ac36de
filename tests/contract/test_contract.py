"""What every op keeps: the bits of its meaning, a bound on its error, explanations that replay, refusals."""

import math

import numpy as np
import pytest
from helpers.fresh import examples, quick
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.ops import OPS
from llmtrace.ops.shapes import added, fits, letters, parse, size_of
from llmtrace.testing import BOUNDS, CHECKS, COMPOSED, Arguments, arguments, arrays, bound, check_forward, hold, steady
from llmtrace.testing.composed import named
from llmtrace.testing.derived import derived_bound, is_derived
from llmtrace.testing.rounding import Rounding
from llmtrace.testing.sampling import sample

EXAMPLES = {  # of each op: in a quick run, in which all planted errors but one would show, and in a thorough one
    "forward": (100, 160),
    "bound": (12, 60),
    "backward": (24, 60),
    "explain": (20, 60),
    "refusals": (8, 60),
    "formula": (8, 40),
    "axes": (6, 20),
    "part": (12, 60),
}


def count(check):
    """How many arguments a check looks at."""
    return EXAMPLES[check][not quick()]


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("check", [check for check in CHECKS if check != "forward"])
def test_contract(name, check):
    hold(OPS[name], CHECKS[check], examples=count(check))


@pytest.mark.parametrize("name", OPS)
def test_forward_with_sizes_of_every_kind(name):
    op, cases = OPS[name], []

    def check(op, case):
        cases.append(case)
        check_forward(op, case)

    hold(op, check, examples=count("forward"))
    expect_every_kind(op, cases)


def expect_every_kind(op, cases):
    """AssertionError unless arguments of both types and of no, one (or one pair), an odd number and many elements are there."""
    axes = next(name for name in op.inputs if op.shapes[name])  # of `broadcast` the first input is a single number
    first = [case.tensors[axes] for case in cases]
    assert {a.dtype for case in cases for a in case.tensors.values() if a is not None and a.dtype.kind == "f"} == {
        np.dtype("f4"),
        np.dtype("f8"),
    }
    assert any(a.size == 0 for a in first)
    one = dict.fromkeys(letters(op.shapes), 1) | dict.fromkeys(added(op.shapes, op.tensors), 0)
    least = math.prod(size_of(size, one) for size in parse(op.shapes[axes]).sizes)
    assert any(a.size == least for a in first)
    assert any(a.shape and a.shape[-1] > 1 and a.shape[-1] // least % 2 for a in first)
    assert any(a.size > 16 for a in first)
    for case in cases:
        assert fits(op.shapes, {n: None if a is None else a.shape for n, a in case.tensors.items()}, case.settings)


def test_every_op_is_bounded_and_described():
    assert {name for name, op in OPS.items() if not is_derived(op)} <= set(BOUNDS) <= {*OPS, *COMPOSED}
    for op in OPS.values():
        assert list(op.shapes)[: len(op.inputs + op.weights)] == [*op.inputs, *op.weights]


NO_BACKWARD = {
    "read from files of an earlier version only": {"cross_entropy_v1"},
    "made of a finished run, by somebody who looks": {"edit"},
    "done with scores only to choose a token": {"repetition_penalty"},
    "a choice, which no small change moves": {"argmax", "select", "sample", "top_k", "top_p"},
    "made on the way back itself": {
        *(name for name in OPS if name.endswith("_gradient")),
        *(
            "attention_back",
            "attention_products",
            "full_back",
            "normalise",
            "sum_outer_products",
            "slice_positions",
            "sum_products",
            "sum_positions",
            "broadcast",
            "rms_scaled",
            "sum_heads",
        ),
    },
    "done with gradients": {
        *(
            "adam_mean",
            "adam_square",
            "adam_update",
            "clip_factor",
            "sgd_step",
            "regularise",
            "squared_norm",
            "momentum",
        )
    },
}


def test_every_op_has_a_backward_or_a_reason():
    assert {name for name, op in OPS.items() if op.backward is None} == set().union(*NO_BACKWARD.values())


def drawn(strategy, examples):
    """What a strategy draws: as reproducible as the checks."""
    found = []

    @steady(examples, shrink=False)
    @given(strategy)
    def collect(value):
        found.append(value)

    collect()
    return found


def test_the_numbers_are_of_every_kind():
    for dtype in (np.float32, np.float64):
        x = np.concatenate([a.ravel() for a in drawn(arrays((40,), dtype), 60)])
        tiny = np.finfo(dtype).tiny
        assert np.isnan(x).any()
        assert np.isposinf(x).any()
        assert np.isneginf(x).any()
        assert ((x == 0) & np.signbit(x)).any()
        assert ((x != 0) & (np.abs(x) < tiny)).any()
        assert (np.isfinite(x) & (np.abs(x) > np.finfo(dtype).max / 1e4)).any()
        assert (np.abs(x) < 4).mean() > 0.3
        ordinary = np.concatenate([a.ravel() for a in drawn(arrays((40,), dtype, special=False), 60)])
        assert np.isfinite(ordinary).all()
        assert (np.abs(ordinary) <= 10).all()


def test_shapes_are_understood():
    op = OPS["linear_to_heads"]
    good = {"x": (5, 4), "weight": (4, 6), "bias": (6,)}
    assert fits(op.shapes, good, {"heads": 3})
    assert not fits(op.shapes, good, {"heads": 4})
    assert not fits(op.shapes, good, {"heads": 0})
    assert not fits(op.shapes, {**good, "bias": (5,)}, {"heads": 3})
    assert not fits(op.shapes, {**good, "x": (4,)}, {"heads": 3})
    assert fits(op.shapes, {**good, "bias": None}, {"heads": 6})
    assert not fits(OPS["attention_scores"].shapes, {"q": (3, 2), "k": (2, 2)}, {})
    assert fits(OPS["attention_scores"].shapes, {"q": (7, 3, 2), "k": (7, 3, 2)}, {})
    assert not fits(OPS["attention_scores"].shapes, {"q": (7, 3, 2), "k": (3, 2)}, {})
    assert not fits(OPS["argmax"].shapes, {"x": (2, 0)}, {})
    assert parse("* < V").below == "V"
    assert parse("H·D ?").optional
    assert fits(OPS["slice_positions"].shapes, {"x": (7, 2)}, {"first": 3, "count": 4})
    assert not fits(OPS["slice_positions"].shapes, {"x": (7, 2)}, {"first": 4, "count": 4})


def test_the_bound_of_a_sum_of_products():
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal((3, 50)).astype(np.float32), rng.standard_normal((50, 2)).astype(np.float32)
    case = Arguments({"x": x, "weight": weight, "bias": None}, {"transposed": False})
    value, error = bound(OPS["linear"], case, np.float32)
    sizes = np.abs(x).astype(np.float64) @ np.abs(weight).astype(np.float64)
    np.testing.assert_allclose(value, x.astype(np.float64) @ weight.astype(np.float64), rtol=1e-12)
    np.testing.assert_allclose(error, 51 * 2.0**-24 * sizes, rtol=1e-4)


EXACT = {
    "concatenate",
    "argmax",
    "embedding",
    "relu",
    "identity",
    "merge_heads",
    "split_heads",
    "slice_positions",
    "broadcast",
    "repeat_heads",
}


@pytest.mark.parametrize("name", sorted({*OPS, *COMPOSED} - EXACT))
def test_no_bound_is_idle(name):
    """Most bounds are small beside the numbers themselves, and all are finite."""
    op, seen, tried = named(name), 0, 0
    for seed in range(examples(36)):
        case = sample(op, seed, np.float32, special=False)
        value, error = bound(op, case, np.float32)
        value, error = value[np.isfinite(value)], error[np.isfinite(value)]
        if not value.size:
            continue
        assert np.isfinite(error).all()
        tried += 1
        seen += np.median(error) < 1e-3 * max(1.0, float(np.abs(value).max()))
    assert seen > max(5, tried / 2)


@pytest.mark.parametrize(
    "name", ["layer_norm", "layer_norm_gradient", "normalise", "softmax", "softmax_gradient", "squared_norm"]
)
def test_the_bound_that_follows_from_explain_is_the_one_by_hand(name):
    r = Rounding(np.float32)
    for case in drawn(arguments(OPS[name], np.float64, special=False, small=False), examples(20)):
        if all(tensor.size for tensor in case.tensors.values()):
            found = derived_bound(OPS[name], r, case.tensors, case.settings)
            by_hand = case.call(lambda *tensors, **settings: BOUNDS[name](r, *tensors, **settings))
            np.testing.assert_allclose(found.value, by_hand.value, rtol=1e-9)
            np.testing.assert_allclose(found.error, by_hand.error, rtol=1e-9)


@steady(20)
@given(st.data())
def test_arguments_can_be_copied_and_changed(data):
    case = data.draw(arguments(OPS["linear"]))
    other = case.copy().having(transposed="x")
    assert other.settings == {"transposed": "x"}
    assert not np.shares_memory(other.tensors["x"], case.tensors["x"])
    assert "weight = array" in repr(case)
