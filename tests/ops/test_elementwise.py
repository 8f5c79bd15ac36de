"""The ops of training that work element by element: small examples to check by hand, NaN, ∞ and −0, gradients."""

import math
from io import StringIO

import numpy as np
import pytest
from helpers.by_hand import INF, NAN, REALS, bits_are, do
from rich.console import Console

from llmtrace import rng
from llmtrace.explain.exact_text import exact_text
from llmtrace.ops import OPS, Tensor
from llmtrace.testing import expect_same_bits
from llmtrace.testing.replays import traced
from llmtrace.testing.sampling import Arguments
from llmtrace.trace.codec import _plain

# ---- by hand -------------------------------------------------------------------------------------------------------


@REALS
def test_subtract_divide_sqrt_multiply_scalar(real):
    bits_are(do("subtract", [3, -0.0, INF, NAN], [1, 0, INF, 1], real=real), [2, -0.0, NAN, NAN])
    bits_are(do("divide", [1, 1, -1, 0, INF], [4, 0, 0, 0, INF], real=real), [0.25, INF, -INF, NAN, NAN])
    bits_are(do("sqrt", [9, -0.0, INF, -1, NAN], real=real), [3, -0.0, INF, NAN, NAN])
    bits_are(do("multiply_scalar", [3, -0.0, INF, NAN], 0.5, real=real), [1.5, -0.0, INF, NAN])
    bits_are(do("multiply_scalar", [3, 0], NAN, real=real), [NAN, NAN])


@REALS
def test_errors(real):
    bits_are(do("squared_error", [1, 2, INF, -0.0], [3, 2, 1, 0], real=real), [4, 0, INF, 0])
    bits_are(do("squared_error_gradient", [1, 3, 2], [3, 1, 2], [5, 5, -5], real=real), [-20, 20, -0.0])
    bits_are(do("absolute_error", [1, 3, INF, INF, -0.0], [3, 1, 0, INF, 0], real=real), [2, 2, INF, NAN, 0])
    a, b, dout = [1, 3, 2, INF, NAN, 1, 0], [3, 1, 2, INF, 1, NAN, -0.0], [5, 5, -5, INF, 1, 1, NAN]
    bits_are(do("absolute_error_gradient", a, b, dout, real=real), [-5, 5, 0, 0, NAN, NAN, 0])


@REALS
def test_gradients_of_bends(real):
    least = np.finfo(real).smallest_subnormal
    x, dout = [-1, 2, NAN, -0.0, 0, INF, least], [5, -5, 5, 5, NAN, -0.0, INF]
    bits_are(do("relu_gradient", x, dout, real=real), [0, -5, NAN, 0, 0, -0.0, INF])
    bits_are(do("tanh_gradient", [0, 0.5, 1, -1, NAN], [4, 4, 4, -4, 4], real=real), [4, 3, 0, -0.0, NAN])
    bits_are(do("sigmoid_gradient", [0.5, 0.25, 1, NAN], [4, 16, 4, 4], real=real), [1, 3, 0, NAN])
    bits_are(do("silu_gradient", [0, 200, NAN], [4, 4, 4], real=real), [2, 4, NAN])
    bits_are(
        do("erf_gradient", [0, INF, -INF, NAN], [4, 4, -4, 4], real=real), [4 * real(2 / math.pi**0.5), 0, -0.0, NAN]
    )
    bits_are(do("sin_gradient", [0, -0.0, INF, NAN], [4, -4, 4, 4], real=real), [4, -4, NAN, NAN])
    bits_are(do("cos_gradient", [0, -0.0, -INF, NAN], [4, 4, 4, 4], real=real), [-0.0, 0, NAN, NAN])
    for gelu in ("gelu_tanh_gradient", "gelu_erf_gradient"):
        bits_are(do(gelu, [0, -0.0, 300, -300, NAN], [4, 4, 4, 4, 4], real=real), [2, 2, 4, 0, NAN])


def test_gelu_at_1_as_a_calculator_has_it():
    assert do("gelu_tanh_gradient", [1.0], [1.0])[0] == pytest.approx(1.0829641)
    assert do("gelu_erf_gradient", [1.0], [1.0])[0] == pytest.approx(1.0833155)


@REALS
def test_optimisers(real):
    bits_are(do("regularise", [1, 1, 1, 1, NAN], [2, -2, 0, NAN, 1], real=real, l1=0.5, l2=0.25), [2, 0, 1, NAN, NAN])
    bits_are(do("momentum", [2, -0.0, INF], [1, -0.0, -INF], real=real, momentum=0.5), [2, -0.0, NAN])
    bits_are(do("sgd_step", [2, 0, -0.0], [4, 0, 0], real=real, rate=0.25), [1, 0, -0.0])
    bits_are(do("adam_mean", [2, NAN], [4, 1], real=real, beta=0.75), [2.5, NAN])
    bits_are(do("adam_square", [2, NAN], [4, 1], real=real, beta=0.75), [5.5, NAN])
    settings = {"rate": 0.5, "mean_correction": 0.5, "square_correction": 0.25, "epsilon": 0.0, "decay": 0.25}
    # mean 1 / 0.5 = 2, square 4 / 0.25 = 16, root 4; 8 − 0.125·8 = 7; 7 − 0.5·(2/4) = 6.75
    bits_are(do("adam_update", [8], [1], [4], real=real, **settings), [6.75])
    bits_are(do("adam_update", [8, 8], [1, 1], [-4, NAN], real=real, **settings), [NAN, NAN])


@REALS
def test_clip_factor(real):
    norms = [[8, 2, 1, 0, INF, NAN]]
    bits_are(do("clip_factor", norms, real=real, limit=2.0), [[0.25, 1, 1, 1, 0, NAN]])
    assert do("clip_factor", 8, real=real, limit=2.0).shape == ()


# ---- dropout -------------------------------------------------------------------------------------------------------


def test_what_is_chosen_one_after_the_other_has_all_bits():
    chance = rng.Chance(7)
    assert [chance.below(1 << 64) for _ in range(4)] == rng.bits(7, np.arange(4)).tolist()


@REALS
def test_dropout(real):
    x = np.array([1, 2, NAN, INF, -0.0, 3, 4, 5])
    u = rng.uniform(7, np.arange(8))
    assert 0 < (u < 0.5).sum() < 8
    bits_are(do("dropout", x, real=real, rate=0.5, seed=7, first=0), np.where(u < 0.5, 0, x * 2))
    bits_are(do("dropout", np.full(8, NAN), real=real, rate=0.5, seed=7, first=0), np.where(u < 0.5, 0, NAN))
    bits_are(do("dropout", x, real=real, rate=0.0, seed=7, first=0), x)


@REALS
def test_dropout_of_parts_is_that_of_the_whole(real):
    x = np.random.default_rng(1).standard_normal((6, 50))
    whole = do("dropout", x, real=real, rate=0.3, seed=12, first=0)
    parts = [do("dropout", x[i : i + 2], real=real, rate=0.3, seed=12, first=50 * i) for i in (0, 2, 4)]
    bits_are(np.concatenate(parts), whole)
    assert 0.2 < (whole == 0).mean() < 0.4
    assert whole[whole != 0][0] == real(x[whole != 0][0]) * real(1 / 0.7)


def test_dropout_refuses():
    x = np.ones(3, np.float32)
    for wrong in ({"rate": 1.0}, {"rate": -0.1}, {"rate": NAN}, {"seed": -1}, {"first": 0.5}, {"first": 2**54}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            OPS["dropout"].forward(x, **{"rate": 0.1, "seed": 1, "first": 0, **wrong})


# ---- gradients -----------------------------------------------------------------------------------------------------


class Walk:
    """What `backward` is given, doing each op at once."""

    def __init__(self, op, operands, dout, settings):
        self.op, self.operands, self.settings = op, dict(zip(op.inputs, operands, strict=True)), settings
        self.out, self.dout = Tensor("out", op.meaning(*operands, **settings), ()), Tensor("dout", dout, ())
        self.found = {}
        op.backward(self)

    def __getitem__(self, name):
        return Tensor(name, self.operands[name], ())

    def wants(self, *names):
        return True

    def do(self, part, op, *operands, **settings):
        return Tensor(part, op.forward(*(operand.data for operand in operands), **settings), ())

    def accumulate(self, name, op, *operands, **settings):
        assert name not in self.found
        self.found[name] = self.do(name, op, *operands, **settings).data

    def pass_on(self, *names):
        self.found.update(dict.fromkeys(names, self.dout.data))


SETTINGS = {"scale": {"factor": -1.7}, "dropout": {"rate": 0.4, "seed": 3, "first": 11}}
DIFFERENTIATED = [
    "add",
    "multiply",
    "subtract",
    "divide",
    "scale",
    "sqrt",
    "exp",
    "log",
    "tanh",
    "erf",
    "relu",
    "sigmoid",
]
DIFFERENTIATED += [
    "sin",
    "cos",
    "silu",
    "gelu_tanh",
    "gelu_erf",
    "squared_error",
    "absolute_error",
    "dropout",
    "multiply_scalar",
]


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_backward_is_the_slope(name):
    """The gradients are those of (out · dout) summed, by differences over 2·10⁻⁶, all numbers well away from 0 and corners."""
    op, rng, settings = OPS[name], np.random.default_rng(5), SETTINGS.get(name, {})
    sizes = [(40,), () if name == "multiply_scalar" else (40,)]
    operands = [np.asarray(rng.uniform(0.3, 2.5, size)) for size in sizes[: len(op.inputs)]]
    if name not in {"log", "sqrt"}:
        operands = [np.asarray(x * rng.choice([-1, 1], x.shape)) for x in operands]
    dout = rng.uniform(-2, 2, 40)
    found = Walk(op, operands, dout, settings).found
    assert set(found) == set(op.inputs)
    for i, x in enumerate(operands):
        if op.inputs[i] not in found:
            continue
        more, less = ([*operands[:i], x + step, *operands[i + 1 :]] for step in (1e-6, -1e-6))
        slope = (op.meaning(*more, **settings) - op.meaning(*less, **settings)) / 2e-6
        expected = dout * slope if x.shape else np.sum(dout * slope)
        np.testing.assert_allclose(found[op.inputs[i]], expected, rtol=1e-7, atol=1e-8)


def test_gradients_and_optimisers_have_no_gradients():
    assert not [op.name for op in OPS.values() if op.name.endswith("_gradient") and op.backward]
    optimisers = ("regularise", "momentum", "sgd_step", "adam_mean", "adam_square", "adam_update", "clip_factor")
    assert not any(OPS[name].backward for name in optimisers)


def test_two_steps_of_adam_as_the_paper_writes_them():
    """Algorithm 1 of Kingma & Ba in float64, with the ops in between."""
    weight, mean, square = (np.array([x]) for x in (1.0, 0.0, 0.0))
    paper, m, v = 1.0, 0.0, 0.0
    for t, gradient in ((1, 0.3), (2, -0.1)):
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        paper -= 0.01 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        mean = do("adam_mean", mean, [gradient], real=np.float64, beta=0.9)
        square = do("adam_square", square, [gradient], real=np.float64, beta=0.999)
        shares = {"mean_correction": 1 - 0.9**t, "square_correction": 1 - 0.999**t}
        weight = do("adam_update", weight, mean, square, real=np.float64, rate=0.01, epsilon=1e-8, decay=0.0, **shares)
        assert weight[0] == pytest.approx(paper, rel=1e-14)


# ---- explanations --------------------------------------------------------------------------------------------------


def shown(name, *numbers, **settings):
    tensors = dict(zip(OPS[name].inputs, (np.array([x], np.float32) for x in numbers), strict=True))
    trace = traced(OPS[name], Arguments(tensors, settings))
    console = Console(file=StringIO(), width=150, color_system=None)
    console.print(trace.explain("out", 0))
    expect_same_bits(trace.explain("out", 0).replay(), trace.tensor("out")[0], name, numbers)
    return console.file.getvalue()


def test_explanations_say_why():
    assert "result = (dout if x > 0, else 0) = (0.5 if 2 > 0, else 0) = 0.5" in shown("relu_gradient", 2, 0.5)
    assert "result = (dout if x > 0, else 0) = (0.5 if −2 > 0, else 0) = 0" in shown("relu_gradient", -2, 0.5)
    assert "result = |a − b| = |−2| = 2" in shown("absolute_error", 1, 3)
    assert "step = rate × gradient = 0.1 × 5 = 0.5" in shown("sgd_step", 2, 5, rate=0.1)  # not the weight's letter
    text = shown("dropout", 3, rate=0.5, seed=7, first=0)
    assert "result = (0 if u < rate, else kept) = (0 if 0.524346 < 0.5" in text
    assert "a random number from 0 to 1, made from the seed and the place" in text


def test_a_comparison_shows_the_digits_that_decide():
    x = np.nextafter(np.float32(2), np.float32(3))
    assert "> 2, else 1" in shown("clip_factor", x, limit=2.0)
    assert "if 2 > 2" not in shown("clip_factor", x, limit=2.0)


def test_the_exact_text_of_a_comparison():
    trace = traced(OPS["relu_gradient"], Arguments({name: np.float32([2]) for name in ("x", "dout")}))
    line = '0: "in.x[axis0=0]" 2.0 , {0} 0.0 , "in.dout[axis0=0]" 2.0 , {0} 0.0 = 2.0'
    assert line in exact_text(trace.explain("out", 0))


@pytest.mark.parametrize(
    ("kind", "values", "right", "wrong"),
    [
        (float, "rate", [0, 0.5], [1, 1.0, -0.1, NAN, True]),
        (float, "real", [0, 1.5, -2.0], [INF, NAN, 10**400]),
        (int, "whole", [0, 7, 2**53], [-1, 2**53 + 1, 1.0, False]),
        (int, "H≥1", [1, 12], [0, 2**31]),
    ],
)
def test_the_settings_that_a_file_may_have(kind, values, right, wrong):
    assert all(_plain(value, kind, values) for value in right)
    assert not any(_plain(value, kind, values) for value in wrong)
