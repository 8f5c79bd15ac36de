"""Small examples of the ops that choose a token, to check by hand."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from helpers.by_hand import INF, NAN, REALS, done

from llmtrace.ops import OPS
from llmtrace.testing import Arguments, check_explain
from llmtrace.testing.gradients import check_backward


def do(op, *arrays, **settings):
    """The op's result as lists."""
    return done(op, *arrays, **settings).tolist()


@REALS
def test_divide_by(real):
    assert do("divide_by", np.array([3, -0.0, INF], real), divisor=2) == [1.5, -0.0, INF]
    assert do("divide_by", np.array([1, -1, 0], real), divisor=0.0)[:2] == [INF, -INF]
    assert do("divide_by", np.array([1], real), divisor=3) == [real(1) / real(3)]
    assert do("divide_by", np.array([1], np.float32), divisor=0.1) == [np.float32(1) / np.float32(0.1)]


def test_the_gradient_of_divide_by(monkeypatch):
    case = Arguments({"x": np.array([3.0, -5.0, 0.0])}, {"divisor": -3.0})
    check_backward(OPS["divide_by"], case)
    monkeypatch.setitem(OPS.imported, "divide_by", replace(OPS["divide_by"], backward=lambda g: g.pass_on("x")))
    with pytest.raises(AssertionError, match="the gradient of x"):
        check_backward(OPS["divide_by"], case)


@REALS
def test_pick(real):
    x = np.arange(12, dtype=real).reshape(2, 3, 2)
    assert do("select", np.array([2, 0]), x) == [[4, 5], [6, 7]]
    assert do("select", np.array(1), x[0]) == [2, 3]
    for place in (-1, 3):
        with pytest.raises(IndexError, match=f"no row {place}; x has 3"):
            OPS["select"].forward(np.array(place), x[0])


@REALS
def test_repetition_penalty(real):
    x = np.array([3, -3, 3, -3, 0, NAN], real)
    assert do("repetition_penalty", x, np.array([0, 1, 0, 4]), penalty=2)[:5] == [1.5, -6, 3, -3, 0]
    assert math.isnan(do("repetition_penalty", x, np.array([5]), penalty=2)[5])
    assert do("repetition_penalty", x[:5], np.zeros(0, np.int64), penalty=2) == x[:5].tolist()
    assert do("repetition_penalty", np.array([1], real), np.array([0]), penalty=3) == [real(1) / real(3)]
    assert do("repetition_penalty", np.ones((2, 2), real), np.array([[0], [1]]), penalty=4) == [[0.25, 1], [1, 0.25]]
    for token in (-1, 6):
        with pytest.raises(IndexError, match=f"no score of token {token}; x has 6"):
            OPS["repetition_penalty"].forward(x, np.array([token]), penalty=2)


@REALS
def test_top_k(real):
    x = np.array([3, 1, 3, 2, 3], real)
    assert do("top_k", x, k=1) == [3, -INF, -INF, -INF, -INF]  # the first of equals
    assert do("top_k", x, k=2) == [3, -INF, 3, -INF, -INF]
    assert do("top_k", x, k=4) == [3, -INF, 3, 2, 3]
    assert do("top_k", x, k=99) == x.tolist()
    assert do("top_k", np.array([[1, 2], [2, 1]], real), k=1) == [[-INF, 2], [2, -INF]]
    assert do("top_k", np.array([-0.0, 0.0], real), k=1) == [-0.0, -INF]
    assert do("top_k", np.array([INF, NAN, 5, NAN], real), k=3)[2] == -INF  # a NaN counts as largest
    with pytest.raises(ValueError, match="at least 1"):
        OPS["top_k"].forward(x, k=0)


@REALS
def test_top_p(real):
    x = np.log(np.array([0.1, 0.5, 0.1, 0.3])).astype(real)
    assert [v > -INF for v in do("top_p", x, p=0.4)] == [False, True, False, False]
    assert [v > -INF for v in do("top_p", x, p=0.6)] == [False, True, False, True]
    assert [v > -INF for v in do("top_p", x, p=0.85)] == [True, True, False, True]  # of equals the first
    assert do("top_p", x, p=0.95) == x.tolist()
    assert do("top_p", np.zeros(2, real), p=0.5) == [0, -INF]  # one share is 0.5 already
    assert do("top_p", np.array([7], real), p=1e-30) == [7]
    assert all(math.isnan(v) or v == 1 for v in do("top_p", np.array([1, NAN], real), p=0.5))
    for wrong in (0, -1, 1.1, NAN, INF):
        with pytest.raises(ValueError, match="above 0 and at most 1"):
            OPS["top_p"].forward(x, p=wrong)


@REALS
def test_sample(real):
    shares = np.array([0.25, 0, 0.5, 0.25, 0], real)
    for number, place in ((0, 0), (0.2, 0), (0.25, 2), (0.7, 2), (0.75, 3), (0.999, 3), (1, 3), (2, 3)):
        assert do("sample", shares, np.array(number, real)) == place
    assert do("sample", np.array([0, 1], real), np.array(0, real)) == 1  # never one of probability 0
    assert do("sample", np.array([3, 1], real), np.array(0.7, real)) == 0  # they need not add up to 1
    assert do("sample", np.zeros(3, real), np.array(0.5, real)) == 2
    assert do("sample", np.array([[1, 0], [0, 1]], real), np.array([0.5, 0.5], real)) == [0, 1]


def test_sample_adds_up_from_left_to_right_in_its_own_type():
    shares, number = np.array([1, 2**-24, 2**-24, 2**-22]), np.array(1 - 2**-22)
    assert do("sample", shares, number) == 2  # the limit is a little less than 1 + 2^-23
    # In float32, 1 + 2^-24 is 1, twice, and number · (1 + 2^-22) is 1: only the last total is above it.
    assert do("sample", shares.astype(np.float32), number.astype(np.float32)) == 3


def test_the_share_of_numbers_that_lead_to_a_token_is_its_probability():
    shares = np.array([0.125, 0.5, 0.0, 0.375], np.float32)
    numbers = (np.arange(256) / 256).astype(np.float32)
    found = OPS["sample"].forward(np.broadcast_to(shares, (256, 4)).copy(), numbers)
    assert np.bincount(found, minlength=4).tolist() == (shares * 256).tolist()


@pytest.mark.parametrize("k", [1, 2])
def test_every_rank_is_explained(k):
    """Rows of NaN, equals and others, in every order: which numbers are kept is explained for each of them."""
    for row in product((np.nan, 2, -np.inf), repeat=3):
        case = Arguments({"x": np.float32([row])}, {"k": k})
        for place in range(3):
            check_explain(OPS["top_k"], case, place)
