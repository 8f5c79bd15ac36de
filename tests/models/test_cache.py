"""The key/value cache: what it refuses, and what an interruption leaves."""

import copy

import numpy as np
import pytest
from helpers.small_models import small_gpt

from llmtrace.errors import DoesNotFitError, LlmtraceError, PromptError
from llmtrace.models import KVCache, memory
from llmtrace.trace import Run


@pytest.fixture
def gpt():
    return small_gpt()


def interrupt_at(monkeypatch, step):
    """Makes the next run stop, as Ctrl-C does, when it reaches a step."""
    done = Run.__call__

    def call(self, name, *arguments, **settings):
        if self._prefix + name == step:
            monkeypatch.setattr(Run, "__call__", done)
            raise KeyboardInterrupt
        return done(self, name, *arguments, **settings)

    monkeypatch.setattr(Run, "__call__", call)


@pytest.mark.parametrize("place", ["ids", "_weights"])
def test_an_interruption_while_it_notes_what_it_holds(gpt, place):
    class Interrupted(KVCache):
        stop = None

        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == self.stop:
                self.stop = None
                raise KeyboardInterrupt

    cache = Interrupted()
    cache.stop = place
    with pytest.raises(KeyboardInterrupt):
        gpt.logits([2, 0], cache)
    rest = [2, 0, 1][cache.length :]
    assert np.array_equal(gpt.logits(rest, cache)[-1], gpt.logits([2, 0, 1])[-1])


@pytest.mark.parametrize(
    "step", ["embed", "block.0.mlp.up", "block.1.attn.mix", "logits", "probabilities", "next_token"]
)
@pytest.mark.parametrize("past", [[], [0, 1]])
def test_an_interruption_changes_nothing(gpt, monkeypatch, step, past):
    cache, expected = KVCache(), gpt.trace([*past, 2, 0, 1])["logits"].output[len(past) :]
    if past:
        gpt.logits(past, cache)
    interrupt_at(monkeypatch, step)
    with pytest.raises(KeyboardInterrupt):
        gpt.trace([2, 0, 1], cache)
    assert cache.length == len(past)
    assert np.array_equal(gpt.logits([2, 0, 1], cache), expected)


def test_after_an_interruption_another_batch_can_begin(gpt, monkeypatch):
    cache = KVCache()
    interrupt_at(monkeypatch, "block.0.mlp.up")
    with pytest.raises(KeyboardInterrupt):
        gpt.logits([[0, 1], [1, 2], [2, 0]], cache)
    assert np.array_equal(gpt.logits([0, 1], cache), gpt.logits([0, 1]))


def test_what_can_not_be_read_on_is_refused(gpt):
    cache = KVCache()
    gpt.logits([[0, 1], [1, 2]], cache)
    for run in (gpt.logits, gpt.trace):
        with pytest.raises(PromptError, match="the cache holds 2 texts, but 1 are to be read on"):
            run([0], cache)
        with pytest.raises(PromptError, match="another model"):
            (small_gpt().logits if run == gpt.logits else small_gpt().trace)([[0], [1]], cache)
    assert cache.length == 2


def test_a_copy_goes_its_own_way(gpt):
    cache = KVCache()
    gpt.logits([0, 1], cache)
    other = copy.copy(cache)
    trace = gpt.trace([2], cache)
    before = {name: np.array(trace.tensor(name)) for name in [*trace.leaves, *trace]}
    assert np.array_equal(gpt.logits([0, 0, 0], other), gpt.logits([0, 1, 0, 0, 0])[2:])
    gpt.logits([1] * 3, cache)
    for name, values in before.items():
        assert np.array_equal(trace.tensor(name), values), name


def test_an_edit_that_fails_has_read_nothing(gpt):
    cache = KVCache()
    gpt.logits([0, 1], cache)
    with pytest.raises(LlmtraceError):
        gpt.trace([2, 0], cache, edit={"nonexistent": 0})
    assert cache.length == 2
    assert np.array_equal(gpt.logits([2, 0], cache), gpt.logits([0, 1, 2, 0])[2:])


def test_a_trace_that_does_not_fit_is_refused_before_it_begins(gpt, monkeypatch):
    gpt.logits([0, 1, 2])  # the second time, weights are laid out
    size = gpt.trace([0, 1, 2]).nbytes()
    monkeypatch.setattr(memory, "available_memory", lambda *_enough: size)
    with pytest.raises(DoesNotFitError, match=r"longest prompt that fits has [1-3] tokens"):
        gpt.trace([0, 1, 2, 0, 1])
    cache = KVCache()
    gpt.logits([0, 1, 2], cache)
    with pytest.raises(DoesNotFitError):
        gpt.trace([0, 1, 2], cache)


def test_the_estimate_is_what_a_trace_takes(gpt):
    for tokens in (1, 3, 6):
        trace = gpt.trace([0] * tokens)
        exact = sum(array.nbytes for array in map(trace.tensor, trace) if array.dtype == np.float32)
        assert exact == 4 * gpt.trace_numbers(tokens)
