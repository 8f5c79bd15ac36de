"""How a token is chosen from scores: what a setting says that leaves everything as it is, and in which order settings work."""

import numpy as np
import pytest
from helpers.small_models import small_gpt
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.arithmetic.bits import same_bits
from llmtrace.errors import PromptError
from llmtrace.explain.verify import verify_step
from llmtrace.models import Sampling
from llmtrace.ops import OPS
from llmtrace.trace import Run, Trace

seeds = st.integers(0, 2**32 - 1)


def chosen(sampling, scores, number=3, earlier=()):
    """The steps of a choice from these scores."""
    trace = Trace({}, [])
    with Run({}, trace) as run:
        sampling.choose(run, number, run.leaf("scores", scores, ("vocabulary",)), earlier)
    return trace


def rows(seed, size, spread=3.0):
    return (np.random.default_rng(seed).standard_normal(size) * spread).astype(np.float32)


@pytest.mark.parametrize("size", [1, 2, 50, 768, 5000])
def test_a_top_p_of_1_keeps_every_token(size):
    """Also those behind the place where a running total, rounded again and again, has reached 1 too early."""
    lost = 0
    for seed in range(30):
        scores = rows(seed, size)
        with_limit, without = (chosen(Sampling(0.9, top_p=p, seed=seed), scores) for p in (1, None))
        assert list(with_limit) == list(without)
        for name in without:
            assert same_bits(with_limit.tensor(name), without.tensor(name))
        assert (with_limit.tensor("choice.3.probabilities") > 0).all()
        scaled = without.tensor("choice.3.scaled")
        lost += int(np.isneginf(OPS["top_p"].forward(scaled, p=1.0)).any())
    assert size < 768 or lost  # of the op itself that is not so


@given(seeds, st.integers(1, 60), st.integers(1, 70), st.floats(0.01, 0.999))
def test_settings_work_in_the_order_of_the_page(seed, size, k, p):
    """Temperature, then top-k, then top-p of what top-k has left: each step takes what the one before it made."""
    trace = chosen(Sampling(0.8, top_k=k, top_p=p, seed=seed), rows(seed, size))
    names = [f"choice.3.{part}" for part in ("scaled", "top_k", "top_p", "probabilities", "token")]
    assert list(trace) == names
    inputs = ["scores", *names[:-1]]
    assert [trace[name].record.inputs[0] for name in names] == inputs
    assert same_bits(trace.tensor(names[2]), OPS["top_p"].meaning(trace.tensor(names[1]), p=p))
    kept = np.isfinite(trace.tensor(names[2]))
    assert kept.sum() <= min(k, size)
    assert kept[int(trace.tensor(names[4]))]


@given(seeds, st.integers(0, 50))
def test_each_choice_draws_a_number_of_its_own(seed, number):
    scores = rows(1, 20)
    one, other = (chosen(Sampling(seed=seed), scores, n) for n in (number, number + 1))
    assert one.tensor(f"choice.{number}.number") != other.tensor(f"choice.{number + 1}.number")


@given(seeds, st.lists(st.integers(0, 9), max_size=20), st.floats(0.1, 10), st.sampled_from([0, 0.7]))
def test_a_repetition_penalty_comes_first_and_once_for_each_token(seed, earlier, penalty, temperature):
    """As `RepetitionPenaltyLogitsProcessor` of transformers: divided where above 0, else multiplied, before the temperature."""
    scores = rows(seed, 10)
    trace = chosen(Sampling(temperature, repetition_penalty=penalty, seed=seed), scores, earlier=earlier)
    if penalty == 1:
        return
    expected = scores.copy()
    for token in set(earlier):
        p = np.float32(penalty)
        expected[token] = expected[token] * p if expected[token] < 0 else expected[token] / p
    assert same_bits(trace.tensor("choice.3.penalised"), expected)
    assert trace[next(iter(trace))].name == "choice.3.penalised"
    following = "scaled" if temperature else "probabilities"
    assert trace[f"choice.3.{following}"].record.inputs == ("choice.3.penalised",)


def test_a_penalty_of_1_changes_no_step():
    scores = rows(1, 20)
    assert list(chosen(Sampling(repetition_penalty=1), scores)) == list(chosen(Sampling(), scores))


@pytest.mark.parametrize("steps", [4, 14])  # the second slides
def test_what_was_written_is_penalised_and_the_trace_has_the_same_bits(steps):
    model = small_gpt(texts="ABCDEFGH", seed=2)
    generation = model.generate("AB", steps, Sampling(0.8, repetition_penalty=1.7, seed=3))
    choices = list(generation)
    trace, last = generation.trace(), generation.last_trace()
    for choice in choices:
        name = f"choice.{choice.number}"
        assert choice.steps.tensor(f"{name}.earlier").tolist() == generation.ids[: 2 + choice.number]
        for whole in (trace, choice.trace()):
            if f"{name}.token" in whole:
                for part in ("earlier", "penalised", "probabilities", "token"):
                    assert same_bits(whole.tensor(f"{name}.{part}"), choice.steps.tensor(f"{name}.{part}"))
                verify_step(whole, whole[f"{name}.penalised"])
    assert f"choice.{steps - 1}.penalised" in last


@pytest.mark.parametrize("penalty", [0, -1, float("nan"), float("inf")])
def test_a_penalty_that_is_none_is_refused(penalty):
    with pytest.raises(PromptError, match="the repetition penalty must be a number above 0"):
        Sampling(repetition_penalty=penalty)


@pytest.mark.parametrize("penalty", [1e-45, 1e40])
def test_a_penalty_that_no_float32_holds_is_refused_as_such(penalty):
    with pytest.raises(PromptError, match="is too small, or too large, for a float32"):
        Sampling(repetition_penalty=penalty)
