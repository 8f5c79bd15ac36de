"""The error budget: local and propagated errors, beside a plain float64 computation."""

import numpy as np
import pytest
from helpers.cli_run import said
from helpers.printing import as_text
from helpers.small_models import small_gpt

import llmtrace
from llmtrace.experiments.accuracy import accuracy
from llmtrace.models import GPT
from llmtrace.testing import local_bound
from llmtrace.views.accuracy import view

MODEL = small_gpt("ABCDE", seed=2)


def test_propagated_errors_are_those_of_a_float64_model():
    trace = MODEL.trace("CABDE")
    weights = {name: weight.with_data(weight.data.astype(np.float64)) for name, weight in MODEL.weights.items()}
    wide = GPT(MODEL.config, weights, MODEL.tokenizer).trace("CABDE")
    for error in accuracy(trace):
        ours, exact = trace.tensor(error.name), wide.tensor(error.name)
        finite = np.isfinite(ours)
        expected = np.abs(ours[finite] - exact[finite]).max() / np.abs(ours[finite], dtype=float).max()
        assert error.propagated == pytest.approx(expected, rel=1e-12)
        assert error.local <= 1e-5
        assert abs(ours[error.at] - exact[error.at]) == pytest.approx(expected * error.largest, rel=1e-9)


def test_what_only_selects_is_exact():
    errors = {error.name: error for error in accuracy(MODEL.trace("CAB"))}
    assert errors["embed.token"].local == errors["embed.token"].propagated == 0
    assert errors["logits"].propagated > 0
    assert "next_token" not in errors


def test_a_less_exact_step_is_seen():
    trace = MODEL.trace("CABDE").edited(
        {"block.0.mlp.up": lambda numbers: numbers.astype(np.float16).astype(np.float32)}
    )
    errors = {error.name: error for error in accuracy(trace)}
    assert errors["block.0.mlp.act"].local < 1e-6  # computed exactly, of what came in


def test_the_bundled_model_is_exact_enough():
    trace = llmtrace.load().trace("The king had a girl.")
    assert max(error.propagated for error in accuracy(trace)) < 1e-4
    text = as_text(view(accuracy(trace), trace), 80)
    assert "block.1.mlp.up" not in text
    assert "block.1.mlp.up" in as_text(view(accuracy(trace), trace, every=True), 80)
    assert "How exact is it?" in said("accuracy", "The king had a girl.")


def test_no_local_error_is_above_its_bound():
    trace = llmtrace.load().trace("The king had a child, a girl.")
    errors = accuracy(trace, local_bound)
    assert all(error.local <= error.bound for error in errors)
    assert all((error.bound > 0) == (error.op != "embedding") for error in errors)
    assert [error.local for error in errors] == [error.local for error in accuracy(trace)]
    assert "Bound" in as_text(view(errors, trace))
    assert "Bound" not in as_text(view(accuracy(trace), trace))


def test_an_error_above_its_bound_is_seen():
    trace = MODEL.trace("CABDE").edited({"block.0.mlp.up": lambda numbers: numbers * np.float32(1.01)})
    bad = {each.name: each for each in accuracy(MODEL.trace("CABDE"), local_bound)}
    name = "block.0.mlp.up"
    wrong = np.abs(trace.tensor(name) - MODEL.trace("CABDE").tensor(name)).max() / bad[name].largest
    assert wrong > bad[name].bound


def test_on_the_command_line_bounds_stand_beside_errors():
    assert "bound" in said("accuracy", "The king")
