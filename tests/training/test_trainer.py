"""The steps of a training step wait for each other, and are done in a few goes: no bit is another one for that."""

import signal
import threading

import numpy as np
import pytest
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt

from llmtrace import _kernels
from llmtrace.trace import Trace
from llmtrace.trace.repeats import Pending
from llmtrace.trace.run import Run
from llmtrace.training import Settings, Trainer

MODELS = {"GPT": small_gpt, "Llama": small_llama}
SETTINGS = {
    "AdamW": Settings(),
    "clipped": Settings(clip=0.01),
    "dropout": Settings(dropout=0.3),
    "penalties": Settings(optimiser="adam", l1=0.01, l2=0.02),
    "SGD": Settings(optimiser="sgd", momentum=0.5),
}
IDS = np.arange(4 * 6).reshape(4, 6) * 7 % 3


def part(model, rows, trainer):
    """Some texts of the batch, as a part of it."""

    def loss(run, start):
        now = type(model)(model.config, trainer.state.weights)
        return now.loss(run, IDS[rows, :-1].copy(), IDS[rows, 1:].copy(), 4 * 5, start)

    return loss


def trained(make, settings, parts=1, steps=3, traced=None):
    """Reports of some steps, and the bits of where they lead to."""
    model = make()
    trainer, reports = Trainer(model.weights, settings), []
    rows = np.array_split(np.arange(4), parts)
    for _step in range(steps):
        trace = Trace(trainer.state.weights) if traced else None
        given = [part(model, each, trainer) for each in rows]
        reports.append(trainer.step(given, [len(each) for each in rows], trace, keep=traced or "all"))
    arrays = {**{name: weight.data for name, weight in trainer.state.weights.items()}, **trainer.state.memory}
    return reports, {name: array.tobytes() for name, array in arrays.items()}


@pytest.fixture
def goes(monkeypatch):
    """How often all that waits is done, or asked for."""
    counted, do, data = [], Run._do_waiting, Pending.data

    def counting(self, given_up=False):
        counted.append(given_up)
        do(self, given_up)

    def asked(self):
        counted.append(self.name)
        return data.fget(self)

    monkeypatch.setattr(Run, "_do_waiting", counting)
    monkeypatch.setattr(Pending, "data", property(asked))
    return counted


@pytest.fixture(autouse=True)
def _put_back_threads():
    before = _kernels.get_threads()
    yield
    _kernels.set_threads(before)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_the_bits_are_those_of_steps_that_wait_for_nobody(make, settings, threads, monkeypatch):
    _kernels.set_threads(threads)
    found = {(parts, traced): trained(make, settings, parts, traced=traced) for parts, traced in WAYS}
    monkeypatch.setattr(Run, "waiting_in", lambda self, _queue: self)
    expected = trained(make, settings)
    assert all(each == expected for each in found.values())


WAYS = [(1, None), (3, None), (1, "all"), (1, "residual")]


def test_a_step_is_done_in_a_few_goes(goes):
    trained(small_gpt, Settings(), steps=1)
    assert len(goes) <= 16


def test_a_step_that_is_interrupted_leaves_the_state_as_it_was():
    """Ctrl-C while steps are put in, or done; the next ones from there are those that would have been."""
    model = small_gpt()
    expected = trained(small_gpt, Settings())
    trainer = Trainer(model.weights, Settings())
    before, heard = trainer.state, 0
    for delay in np.linspace(0.0002, 0.004, 40):
        timer = threading.Timer(delay, signal.raise_signal, [signal.SIGINT])
        timer.start()
        try:
            trainer.step([part(model, np.arange(4), trainer)], [4])
            timer.join()
        except KeyboardInterrupt:
            heard += 1
        trainer.state = before
    assert heard
    reports = [trainer.step([part(model, np.arange(4), trainer)], [4]) for _step in range(3)]
    assert reports == expected[0]


def test_a_part_that_fails_leaves_the_next_step_as_it_would_have_been():
    model = small_gpt()
    expected = trained(small_gpt, Settings())
    trainer = Trainer(model.weights, Settings())

    def failing(run, start):
        part(model, np.arange(4), trainer)(run, start)
        raise ValueError("no")

    for _time in range(3):
        with pytest.raises(ValueError, match="no"):
            trainer.step([failing], [4])
    reports = [trainer.step([part(model, np.arange(4), trainer)], [4]) for _step in range(3)]
    assert reports == expected[0]
