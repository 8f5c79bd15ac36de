"""The error budget: local and propagated errors, beside a plain float64 computation."""

import sys

import numpy as np
import pytest
from helpers.cli_run import said
from helpers.printing import as_text
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt

import llmtrace
from llmtrace.experiments.accuracy import _apart, accuracy
from llmtrace.experiments.pytorch import PyTorch
from llmtrace.models import GPT
from llmtrace.ops import OPS
from llmtrace.testing import local_bound
from llmtrace.views.accuracy import view

MODEL = small_gpt("ABCDE", seed=2)
RNG = np.random.default_rng(7)


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
    errors = accuracy(trace)
    assert max(error.propagated for error in errors) < 1e-4
    assert "block.1.mlp.up" not in as_text(view(errors, trace), 80)
    assert "block.1.mlp.up" in as_text(view(errors, trace, every=True), 80)
    assert "How exact is it?" in said("accuracy", "The king had a girl.")


@pytest.mark.parametrize("model", [llmtrace.load(), MODEL, small_llama()], ids=["storyteller", "gpt", "llama"])
def test_no_error_is_above_its_bound(model):
    for ids in ([1], [1, 2, 3, 4, 1, 2]):
        for error in accuracy(model.trace(ids), local_bound):
            assert error.local <= error.bound
            assert error.propagated <= error.propagated_bound
            assert error.bound <= error.propagated_bound * 1.001 <= 1e-2


def test_bounds_stand_beside_errors():
    trace = llmtrace.load().trace("The king")
    errors, without = accuracy(trace, local_bound), accuracy(trace)
    assert all((error.bound > 0) == (error.op != "embedding") for error in errors)
    assert [error.local for error in errors] == [error.local for error in without]
    assert "Bound" in as_text(view(errors, trace))
    assert "Bound" not in as_text(view(without, trace))


def test_an_error_above_its_bound_is_seen():
    trace = MODEL.trace("CABDE").edited({"block.0.mlp.up": lambda numbers: numbers * np.float32(1.01)})
    bad = {each.name: each for each in accuracy(MODEL.trace("CABDE"), local_bound)}
    name = "block.0.mlp.up"
    wrong = np.abs(trace.tensor(name) - MODEL.trace("CABDE").tensor(name)).max() / bad[name].largest
    assert wrong > bad[name].bound


def test_on_the_command_line_bounds_stand_beside_errors():
    assert said("accuracy", "The king").count("bound") >= 2


def off_by(x, most):
    return x if x.dtype.kind != "f" else (x + RNG.uniform(-1, 1, x.shape) * most).astype(np.float32)


@pytest.mark.parametrize("model", [MODEL, small_llama()], ids=["gpt", "llama"])
def test_a_bound_holds_for_inputs_that_are_off(model):
    """Number by number, for every op of a run whose inputs are moved at random."""
    trace = model.trace([1, 2, 3, 4, 1])
    for step in trace.steps:
        named = step.record.operands.items()
        given = {kind: None if name is None else trace.tensor(name) for kind, name in named}
        if step.output.dtype.kind != "f":
            continue
        real = {kind: x for kind, x in given.items() if x is not None and x.dtype.kind == "f"}
        moved = {kind: off_by(x, 10.0 ** -RNG.integers(2, 6)) for kind, x in real.items()}
        off = {kind: _apart(moved[kind], x.astype(np.float64)) for kind, x in real.items()}
        exact = given | {kind: x.astype(np.float64) for kind, x in real.items()}
        moved = given | moved
        settings = step.record.settings
        with np.errstate(all="ignore"):
            far = OPS[step.op].forward(*moved.values(), **settings) - OPS[step.op].forward(*exact.values(), **settings)
            most = local_bound(step.op, exact, settings, off)
        assert (np.nan_to_num(np.abs(far)) <= most).all(), step.op
        assert (local_bound(step.op, given, settings) <= most).all()


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


def in_numpy(record, operands):
    """Another program: it has no norms, and adds as NumPy does."""
    if "norm" in record.op:
        return None
    return np.float32(1 + 2**-20) * OPS[record.op].forward(*operands.values(), **record.settings)


def test_another_program_stands_beside():
    errors = accuracy(MODEL.trace("CABDE"), None, in_numpy)
    for error in errors:
        assert (error.peer_local is None) == (error.peer_propagated is None) == ("norm" in error.op)
        if error.peer_local is not None and error.op != "edit":
            assert 2**-21 < error.peer_local < 2**-19
    by_name = {error.name: error for error in errors}
    assert by_name["embed"].peer_propagated > 1.5 * by_name["embed"].peer_local  # its own sums of its own rows
    assert by_name["block.1.residual_out"].peer_propagated > 3 * by_name["block.1.residual_out"].peer_local
    text = as_text(view(errors, MODEL.trace("CABDE")))
    assert "PyTorch" in text
    assert "–" in text


def test_what_another_program_leaves_out_goes_on_from_its_numbers():
    """It embeds half of what is right, and scores tokens; what lies between is done here, with its numbers."""
    trace = MODEL.trace("CABDE")
    names = list(trace)

    def peer(record, operands):
        if record.name not in {names[0], "logits"}:
            return None
        made = OPS[record.op].forward(*operands.values(), **record.settings)
        return made * np.float32(0.5) if record.name == names[0] else made

    found = {error.name: error for error in accuracy(trace, None, peer)}
    assert found["logits"].peer_local < 1e-6
    assert found["logits"].peer_propagated > 0.01


def test_where_pytorch_is_not_there_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert 'pip install "llmtrace-exact[torch]"' in said("accuracy", "The king", "--torch", code=2)


@pytest.mark.parametrize("model", [llmtrace.load(), small_llama()], ids=["gpt", "llama"])
def test_pytorch_is_as_exact(model):
    pytest.importorskip("torch", reason="PyTorch is an extra")
    errors = accuracy(model.trace([1, 2, 3, 4]), local_bound, PyTorch())
    for error in errors:
        assert error.peer_local <= max(error.bound, 2**-20)
