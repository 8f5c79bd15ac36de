"""The steps of a training step wait for each other, and are done in a few goes: no bit is another one for that."""

import signal
import sys
import threading

import numpy as np
import pytest
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt

from llmtrace import _kernels
from llmtrace.arithmetic.bits import same_bits
from llmtrace.errors import TrainingError
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


@pytest.mark.parametrize("parts", [1, 3])
def test_a_step_is_done_in_a_few_goes(goes, parts):
    trained(small_gpt, Settings(), parts, steps=1)
    assert len(goes) <= 4 + 12 * parts


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_step_that_breaks_off_has_recorded_is_there(threads):
    _kernels.set_threads(threads)
    model = small_gpt()
    expected, trace = Trace(model.weights), Trace(model.weights)
    trainer = Trainer(model.weights, Settings())
    trainer.step([part(model, np.arange(4), trainer)], [4], expected)
    trainer = Trainer(model.weights, Settings())
    looked = []

    def breaking_off(run, start):
        part(model, np.arange(4), trainer)(run, start)
        looked.append(trace.tensor("logits").copy())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.step([breaking_off], [4], trace)
    assert same_bits(looked[0], expected.tensor("logits"))
    assert "loss" in trace
    for name in trace:
        assert same_bits(trace.tensor(name), expected.tensor(name)), name


def test_several_threads_may_ask_one_trainer():
    """What one of them lets go is not written by another before it has been read."""
    _kernels.set_threads(1)
    model = small_gpt()
    trainer = Trainer(model.weights, Settings())
    before = trainer.state
    given = [part(model, np.arange(4), trainer)]
    losses, report = [trainer.evaluate(given)], trainer.step(given, [4])
    losses.append(trainer.evaluate(given))
    trainer.state = before
    found, wrong = [], []

    def ask():
        for _time in range(150):
            found.append(trainer.evaluate(given))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            again = trainer.step(given, [4])
            wrong += [again] if again != report else []
            trainer.state = before
    finally:
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()
    assert len(found) == 450
    assert set(found) <= set(losses)
    assert not wrong


def test_a_step_that_is_interrupted_leaves_the_state_as_it_was():
    """Ctrl-C while steps are put in, or done; the next ones from there are those that would have been."""
    model = small_gpt()
    expected = trained(small_gpt, Settings())
    trainer = Trainer(model.weights, Settings())
    before, heard = trainer.state, 0
    for delay in np.linspace(0.0002, 0.004, 40):
        timer = threading.Timer(delay, signal.raise_signal, [signal.SIGINT])
        try:
            timer.start()
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


def test_a_batch_has_at_least_one_part():
    trainer = Trainer(small_gpt().weights, Settings())
    for ask in (trainer.step, trainer.evaluate):
        with pytest.raises(TrainingError, match="at least one part"):
            ask([])
