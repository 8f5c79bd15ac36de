"""Optimisers: the bits of plain NumPy, one operation at a time, and near float64."""

import numpy as np
import pytest

from llmtrace.ops import Weight, by_name
from llmtrace.ops.losses.squared_error import squared_error
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.testing import expect_same_bits
from llmtrace.trace import Trace
from llmtrace.training import Settings, Trainer
from llmtrace.training.settings import power

F = np.float32


def plain(settings, weight, gradients, real=F):
    """Plain NumPy, one operation at a time: the weight after each gradient. `gradients` are those of 0.5·Σ(w − target)²."""
    rate = settings.rate
    w, mean, square, moved = weight, real(0) * weight, real(0) * weight, real(0) * weight
    matrix = weight.ndim > 1
    for step, gradient in enumerate(gradients, 1):
        decay = settings.decay if matrix else 0.0
        l2 = settings.l2 if settings.optimiser == "adamw" else settings.l2 + decay
        g = gradient(w)
        if settings.l1 or l2:
            g = (g + real(l2) * w) + real(settings.l1) * np.sign(w)
        if settings.optimiser == "sgd":
            moved = real(settings.momentum) * moved + g
            w = w - real(rate) * moved
            continue
        b1, b2 = settings.momentum, settings.square_keep
        mean = real(b1) * mean + real(1 - b1) * g
        square = real(b2) * square + real(1 - b2) * (g * g)
        if settings.optimiser == "adamw" and decay:
            w = w - real(rate * decay) * w
        m, v = mean / real(1 - power(b1, step)), square / real(1 - power(b2, step))
        w = w - real(rate) * (m / (np.sqrt(v) + real(settings.epsilon)))
    return w


def pulled(target):
    """A part whose loss is Σ(w − target)²."""

    def part(run, start):
        zero = run.leaf("goal", target, ("in", "out")[-target.ndim :])
        w = run.weights["w"]
        loss = run.do("losses", squared_error, (w, zero), {})
        summed = run.do("loss", sum_all, (loss, None), {})
        return summed, summed

    return part


SETTINGS = [
    {"optimiser": "sgd", "momentum": 0.0, "decay": 0.0},
    {"optimiser": "sgd", "momentum": 0.9, "l1": 0.01},
    {"optimiser": "adam", "decay": 0.1},
    {"optimiser": "adamw", "decay": 0.1},
    {"optimiser": "adamw", "decay": 0.0, "l2": 0.02, "l1": 0.001},
]


@pytest.mark.parametrize("shape", [(5,), (3, 4)])
@pytest.mark.parametrize("settings", SETTINGS)
def test_optimisers_are_the_formulas(settings, shape):
    rng = np.random.default_rng(0)
    start, target = rng.standard_normal(shape).astype(F), rng.standard_normal(shape).astype(F)
    settings = Settings(steps=5, schedule="constant", warmup=0, rate=0.05, clip=0, **settings)
    axes = ("in", "out")[-len(shape) :]
    trainer = Trainer(by_name([Weight("w", start, axes)]), settings)
    for _ in range(5):
        trainer.step([pulled(target)])
    new = trainer.state.weights["w"].data
    expect_same_bits(new, plain(settings, start, [lambda w: F(2) * (w - target)] * 5), "w", settings)
    exact = plain(settings, start.astype(np.float64), [lambda w: 2 * (w - target)] * 5, np.float64)
    np.testing.assert_allclose(new, exact, rtol=1e-5, atol=1e-6)


def test_a_long_gradient_is_shortened():
    settings = Settings(
        steps=1, schedule="constant", warmup=0, rate=1.0, clip=0.5, optimiser="sgd", decay=0.0, momentum=0
    )
    trainer = Trainer(by_name([Weight("w", np.array([3.0, 4.0], F), ("in",))]), settings)
    report = trainer.step([pulled(np.zeros(2, F))])
    assert (report.norm, report.loss) == (10, 25)
    np.testing.assert_allclose(trainer.state.weights["w"].data, [3 - 0.3, 4 - 0.4], rtol=1e-6)


@pytest.mark.parametrize(("clip", "shortened"), [(np.nextafter(F(10), F(0)), True), (10.0, False), (11.0, False)])
def test_only_a_gradient_that_is_longer_than_the_longest_length_is_shortened(clip, shortened):
    settings = Settings(steps=1, warmup=0, clip=float(clip))
    weights = by_name([Weight("w", np.array([3.0, 4.0], F), ("in",))])
    trace = Trace(weights)
    Trainer(weights, settings).step([pulled(np.zeros(2, F))], trace=trace)
    assert ("clip" in trace) == ("clipped.w" in trace) == shortened
