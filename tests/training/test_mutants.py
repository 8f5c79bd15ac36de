"""A whole training against one in plain NumPy (`plain_training.py`), and errors planted in it, which that must find."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from helpers import plain_training
from helpers.fresh import some
from helpers.small_models import small_gpt

from llmtrace.models import GPT, LanguageModel
from llmtrace.ops import OPS
from llmtrace.trace import Backward
from llmtrace.training import Settings, Trainer, optimiser, trainer
from llmtrace.training.optimiser import Update

HEADS, BLOCKS, STEPS = 3, 2, 3
RNG = np.random.default_rng(8)
BATCHES = [(ids[:, :-1].copy(), ids[:, 1:].copy()) for ids in RNG.integers(0, 3, (STEPS, 3, 7))]
COMMON = {"steps": 6, "warmup": 2, "momentum": 0.8, "clip": 0.6, "decay": 0.3, "seed": 5}
SETTINGS = {
    "adamw": Settings(optimiser="adamw", rate=0.02, **COMMON),
    "adamw with dropout": Settings(optimiser="adamw", rate=0.02, dropout=0.3, **COMMON),
    "adam": Settings(optimiser="adam", rate=0.02, **COMMON),
    "sgd": Settings(optimiser="sgd", rate=0.2, l1=0.01, l2=0.05, **COMMON),
    "sgd with dropout": Settings(optimiser="sgd", rate=0.2, dropout=0.2, **COMMON),
}


def initial():
    """Weights in float64, by their names."""
    return {w.name: w.data.astype(np.float64) for w in small_gpt(heads=HEADS, blocks=BLOCKS).weights.values()}


def ours(settings, sizes=(2, 1)):
    """The weights as llmtrace trains them, each batch in parts, and the reports of the steps."""
    model, data = small_gpt(heads=HEADS, blocks=BLOCKS), initial()
    own = {w.name: w.with_data(data[w.name]) for w in model.weights.values()}
    training = Trainer({key: own[w.name] for key, w in model.weights.items()}, settings)
    reports = []
    for ids, targets in BATCHES:
        parts, first = [], 0
        for size in sizes:
            rows = slice(first, first + size)

            def part(run, summed, rows=rows, ids=ids, targets=targets):
                now = GPT(model.config, training.state.weights)
                return now.loss(run, ids[rows], targets[rows], ids.size, summed)

            parts.append(part)
            first += size
        reports.append(training.step(parts, sizes))
    return {w.name: w.data for w in training.state.weights.values()}, reports


unbroken = cache(ours)
"""The same, where no error is planted."""


@cache
def plain(kind):
    """The weights as plain NumPy trains them, and the losses: computed without anything in which errors are planted."""
    return plain_training.train(initial(), BATCHES, HEADS, BLOCKS, SETTINGS[kind])


def expect_agreement(kind, sizes=(2, 1), training=ours):
    """AssertionError where the two trainings part ways."""
    weights, reports = training(SETTINGS[kind], sizes)
    expected, losses = plain(kind)
    np.testing.assert_allclose([report.loss for report in reports], losses, rtol=1e-9, err_msg="loss")
    assert set(weights) == set(expected)
    for name, weight in weights.items():
        np.testing.assert_allclose(weight, expected[name], rtol=1e-8, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_training_is_what_plain_numpy_does(kind):
    for sizes in some([(2, 1), (3,), (1, 1, 1)], 2):
        expect_agreement(kind, sizes, unbroken)


# ---- errors planted in it --------------------------------------------------------------------------------------------

BROKEN = {}


def breaks(name, kind="adamw"):
    """Decorates what plants an error, by `patch.setattr` and the like, and names the training that finds it."""

    def register(function):
        BROKEN[name] = kind, function
        return function

    return register


def doing(op, change):
    """The op with other arguments: `change(tensors, settings)` gives both."""

    def forward(*tensors, empty=np.empty, **settings):
        tensors, settings = change(tensors, settings)
        return op.forward(*tensors, empty=empty, **settings)

    return replace(op, forward=forward)


@breaks("sums that begin anew in each part of a batch")
def _(patch):
    patch.setattr(trainer, "Backward", lambda run, trace, loss, starts=None, **more: Backward(run, trace, loss, **more))


@breaks("each part's loss divided by its own size")
def _(patch):
    true = LanguageModel.loss
    patch.setattr(
        LanguageModel,
        "loss",
        lambda self, run, ids, targets, count, start=None: true(self, run, ids, targets, ids.size, start),
    )


@breaks("targets that are not the next tokens")
def _(patch):
    true = LanguageModel.loss
    patch.setattr(LanguageModel, "loss", lambda self, run, ids, targets, *more: true(self, run, ids, ids, *more))


@breaks("the second part of a shared table lost")
def _(patch):
    true = Backward._total

    def first_part(self, name):
        self._parts[name] = self._parts[name][:1]
        return true(self, name)

    patch.setattr(Backward, "_total", first_part)


@breaks("bias correction left out")
def _(patch):
    patch.setattr(optimiser, "power", lambda base, exponent: 0.0)


@breaks("bias correction one step late")
def _(patch):
    true = optimiser.power
    patch.setattr(optimiser, "power", lambda base, exponent: true(base, exponent + 1))


@breaks("decay added instead of taken off")
def _(patch):
    changed = doing(optimiser.adam_update, lambda t, s: (t, {**s, "decay": -s["decay"]}))
    patch.setattr(optimiser, "adam_update", changed)


@breaks("decay of biases and gains, too")
def _(patch):
    patch.setattr(
        optimiser, "adam_update", doing(optimiser.adam_update, lambda t, s: (t, {**s, "decay": COMMON["decay"]}))
    )


@breaks("Adam's decay apart from the gradient", "adam")
def _(patch):
    patch.setattr(optimiser, "regularise", doing(optimiser.regularise, lambda t, s: (t, {**s, "l2": 0.0})))
    patch.setattr(
        optimiser, "adam_update", doing(optimiser.adam_update, lambda t, s: (t, {**s, "decay": COMMON["decay"]}))
    )


@breaks("momentum forgotten", "sgd")
def _(patch):
    patch.setattr(optimiser, "momentum", doing(optimiser.momentum, lambda t, s: (t, {**s, "momentum": 0.0})))


@breaks("what the optimiser remembers lost after each step")
def _(patch):
    true = trainer.updated

    def forgetful(run, settings, state, gradients):
        return true(run, settings, replace(state, memory={}), gradients)

    patch.setattr(trainer, "updated", forgetful)


@breaks("the penalty on the wrong side", "sgd")
def _(patch):
    patch.setattr(optimiser, "regularise", doing(optimiser.regularise, lambda t, s: (t, {n: -x for n, x in s.items()})))


@breaks("long gradients left, short ones stretched", "sgd")
def _(patch):
    true = Update.clip

    def inverted(self, gradients, norm):
        short = norm.data < self.settings.clip
        return true(self, gradients, norm._replace(data=np.asarray(norm.data + 1))) if short else gradients

    patch.setattr(Update, "clip", inverted)


@breaks("each gradient clipped on its own", "sgd")
def _(patch):
    true = Update.clip

    def alone(self, gradients, norm):
        lengths = {
            n: norm._replace(name=f"norm.{n}", data=np.asarray(np.sqrt((g.data**2).sum())))
            for n, g in gradients.items()
        }
        return {n: g for name, x in gradients.items() for n, g in true(self, {name: x}, lengths[name]).items()}

    patch.setattr(Update, "clip", alone)


@breaks("each part of a batch drops the same places", "adamw with dropout")
def _(patch):
    patch.setattr(trainer, "_firsts", lambda texts, parts: [0] * parts)


@breaks("each step drops the same places", "sgd with dropout")
def _(patch):
    true = trainer.derive
    patch.setattr(trainer, "derive", lambda seed, what, step: true(seed, what, 0))


@breaks("dropout that does not drop on the way back", "sgd with dropout")
def _(patch):
    patch.setitem(OPS.imported, "dropout", replace(OPS["dropout"], backward=lambda g: g.pass_on("x")))


@breaks("the learning rate of the next step")
def _(patch):
    true = Settings.rate_at
    patch.setattr(Settings, "rate_at", lambda self, step: true(self, step + 1))


@breaks("the other way round the stream cut off")
def _(patch):
    patch.setitem(OPS.imported, "add", replace(OPS["add"], backward=lambda g: g.pass_on("b")))


@breaks("what the other shares of an attention pattern lose forgotten")
def _(patch):
    wrong = replace(OPS["causal_softmax"], backward=lambda g: g.accumulate("x", OPS["multiply"], g.out, g.dout))
    patch.setitem(OPS.imported, "causal_softmax", wrong)


@pytest.mark.parametrize("name", BROKEN)
def test_a_planted_error_is_found(name, monkeypatch):
    kind, plant = BROKEN[name]
    plant(monkeypatch)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        expect_agreement(kind)


def test_the_settings_exercise_everything():
    """Gradients are clipped in some step and not in another; rates rise and fall."""
    for kind, settings in SETTINGS.items():
        norms = [report.norm for report in unbroken(settings, (2, 1))[1]]
        assert any(norm > settings.clip for norm in norms), (kind, norms)
        assert any(norm < settings.clip for norm in norms), (kind, norms)
    rates = [SETTINGS["adamw"].rate_at(step) for step in range(STEPS)]
    assert rates[0] < rates[1] > SETTINGS["adamw"].rate_at(STEPS)
    assert len(BROKEN) >= 10
