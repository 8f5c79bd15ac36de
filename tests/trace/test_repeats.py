"""What is found out about a step is known when it is done again, and that changes nothing that can be seen."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from helpers.fresh import examples
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtrace import _kernels
from llmtrace.errors import ModelError
from llmtrace.models.cache import KVCache
from llmtrace.ops import OPS, Tensor, Weight
from llmtrace.storage.matrix import StoredMatrix
from llmtrace.testing import CHECKS, hold
from llmtrace.trace import Trace
from llmtrace.trace.repeats import Repeats, lasting
from llmtrace.trace.run import Run

LINEAR, ADD, SUBTRACT, SCALE = OPS["linear"], OPS["add"], OPS["subtract"], OPS["scale"]


def numbers(*shape, first=0):
    return np.arange(first, first + np.prod(shape), dtype=np.float32).reshape(shape) / 7


X, Y = (Tensor(name, numbers(3, 6, first=k), ("position", "feature")) for k, name in enumerate("xy"))


def weights(*names, rows=6):
    """Weights [rows, 6] of these names, all different."""
    return {name: Weight(name, numbers(rows, 6, first=k), ("input", "output")) for k, name in enumerate(names)}


def from_the_beginning(monkeypatch):
    """The names of the steps that are done so, as they come."""
    done, do = [], Run.do

    def watched(self, name, *more):
        done.append(name)
        return do(self, name, *more)

    monkeypatch.setattr(Run, "do", watched)
    return done


# ---- what is repeated ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [small_gpt, small_llama])
def test_a_prompt_as_long_as_the_last_one_repeats_its_steps(make, monkeypatch):
    model = make()
    for _time in range(3):  # weights are packed when they are multiplied again
        model.logits([0, 1, 2])
    done = from_the_beginning(monkeypatch)
    again, names = model.logits([2, 2, 1]), set(done)
    ops = {step.op for step in model.trace([2, 2, 1]).steps if step.name in names}
    assert ops == {"embedding"}  # which looks whether there are such rows
    assert (again == make().logits([2, 2, 1])).all()


def test_a_token_after_others_repeats_its_steps(monkeypatch):
    model, cache = small_gpt(), KVCache()
    for prompt in ([0, 1, 2], [1], [2], [0]):
        model.logits(prompt, cache)
    done = from_the_beginning(monkeypatch)
    model.logits([1], cache)
    assert set(done) == {"embed.token", "embed.position"}


@pytest.mark.parametrize("keep", ["all", "residual"])
def test_a_trace_repeats_the_steps_of_the_last_one(keep, monkeypatch):
    model = small_gpt()
    for _time in range(3):
        model.trace([0, 1, 2], keep=keep)
    done = from_the_beginning(monkeypatch)
    model.trace([2, 1, 0], keep=keep)
    assert set(done) == {"embed.token", "embed.position"}


def test_weights_are_looked_up_once():
    asked = []

    class Known(dict):
        def get(self, name):
            asked.append(name)
            return super().get(name)

    known = Known(weights("block.0.a.weight"))
    repeats = Repeats(known)
    for _time in range(5):
        Run(known, repeats=repeats).within("block.0")("a", LINEAR, X)
    assert asked == 2 * ["block.0.a.weight", "block.0.a.bias"]  # the first time the weight is not packed


# ---- that nothing can be seen of it --------------------------------------------------------------------------------


PROMPTS = st.lists(
    st.one_of(
        st.lists(st.integers(0, 2), min_size=1, max_size=5),
        st.integers(1, 4).flatmap(
            lambda n: st.lists(st.lists(st.integers(0, 2), min_size=n, max_size=n), min_size=1, max_size=3)
        ),
    ),
    min_size=2,
    max_size=6,
)


@pytest.mark.parametrize("make", [small_gpt, small_llama])
@settings(max_examples=examples(12))
@given(prompts=PROMPTS, keeps=st.lists(st.sampled_from(["all", "residual", None]), min_size=6, max_size=6))
def test_runs_of_any_lengths_one_after_the_other_are_those_of_new_models(make, prompts, keeps):
    model = make()
    for prompt, keep in zip(prompts, keeps, strict=False):
        if keep is None:
            np.testing.assert_array_equal(model.logits(prompt), make().logits(prompt))
            continue
        found, expected = model.trace(prompt, keep=keep), make().trace(prompt, keep=keep)
        assert list(found.records()) == list(expected.records())
        assert found.kept() == expected.kept()
        for name, array in expected.each():
            np.testing.assert_array_equal(found.tensor(name), array, err_msg=name)


CALLS = [
    {"op": LINEAR},
    {"op": LINEAR, "transposed": True},
    {"op": LINEAR, "weights": "b"},
    {"op": LINEAR},
    {"op": LINEAR, "weights": "b"},
    {"op": ADD, "more": (X,)},
    {"op": ADD, "more": (Y,)},
    {"op": SCALE, "factor": 0.0},
    {"op": SCALE, "factor": -0.0},
    {"op": SCALE, "factor": 2.0},
    {"op": LINEAR},
]


@pytest.mark.parametrize("traced", [False, True])
def test_a_step_of_the_same_name_that_is_asked_for_otherwise_is_another(traced):
    known = weights("a.weight", "b.weight")
    repeats = Repeats(known)
    for _time in range(3):
        for call in CALLS:
            asked = {**call}
            op, more = asked.pop("op"), asked.pop("more", ())
            traces = [Trace(known) if traced else None for _each in range(2)]
            found, expected = (
                Run(known, trace, repeats=knows)("a", op, X, *more, **asked)
                for trace, knows in zip(traces, [repeats, None], strict=True)
            )
            np.testing.assert_array_equal(found.data.view(np.int32), expected.data.view(np.int32))
            assert (found.name, found.axes) == (expected.name, expected.axes)
            if traced:
                records, wanted = (list(trace.records()) for trace in traces)
                assert records == wanted


def test_inputs_of_other_names_are_recorded_by_these():
    repeats = Repeats({})
    for x, y in [(X, Y), (X, Y), (Y, X), (X._replace(axes=("a", "b")), Y)]:
        trace = Trace({})
        out = Run({}, trace, repeats=repeats)("sum", ADD, x, y)
        assert trace["sum"].record.inputs == (x.name, y.name)
        assert out.axes == trace["sum"].axes == x.axes


def test_other_weights_under_the_same_names_are_used():
    model = small_gpt()
    for _time in range(3):
        model.logits([0, 1])
    others = small_gpt(seed=1)
    model.weights = {**model.weights, "block.1.mlp.up.weight": others.weights["block.1.mlp.up.weight"]}
    changed = small_gpt()
    changed.weights = dict(model.weights)
    assert (model.logits([0, 1]) == changed.logits([0, 1])).all()
    assert (model.logits([0, 1]) != small_gpt().logits([0, 1])).any()
    model.weights["ln_f.gain"] = others.weights["ln_f.gain"].with_data(np.zeros(12, np.float32))
    assert (model.logits([0, 1]) == model.logits([1, 1])).all()  # of a gain of 0 only the bias is left


@pytest.mark.parametrize("times", [1, 3])
def test_what_is_wrong_is_said_alike(times):
    known = weights("a.weight")
    repeats = Repeats(known)
    for _time in range(times - 1):
        Run(known, repeats=repeats)("a", LINEAR, X)
    wrong = [X.data[:, :5].copy(), X.data.T.copy().T, X.data.astype(">f4"), X.data.astype(int), X.data.astype(float)]
    for data in wrong:
        short = Tensor("short", data, X.axes)
        with pytest.raises((ValueError, TypeError), match=r"a = linear\(short ") as first:
            Run(known, repeats=repeats)("a", LINEAR, short)
        with pytest.raises((ValueError, TypeError), match="a = linear") as second:
            Run(known)("a", LINEAR, short)
        assert str(first.value) == str(second.value)
    with pytest.raises(ModelError, match="no weight missing"):
        Run(known, repeats=repeats)("missing", LINEAR, X)


def test_one_array_as_two_inputs_does_not_mean_that_it_is_always_one():
    repeats = Repeats({})
    for x, y in [(X, X), (X, X), (X, Y), (X, Y), (X, X)]:
        assert (Run({}, repeats=repeats)("difference", SUBTRACT, x, y).data == x.data - y.data).all()


def test_numbers_that_are_made_anew_are_not_kept():
    blocks = np.arange(2 * 6 * 2, dtype=np.uint8).reshape(2, 6, 2)
    weight = Weight("w", StoredMatrix("F16", blocks), ("input", "output"))
    assert lasting(ADD, [X, weight], {}) is None
    assert lasting(ADD, [X, None], {}) == []


def test_copies_of_a_model_find_out_for_themselves():
    model = small_gpt()
    for _time in range(3):
        expected = model.logits([0, 1])
    for copied in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        for _time in range(3):
            assert (copied.logits([0, 1]) == expected).all()


def test_threads_may_use_one_model():
    model, prompts = small_gpt(), [[k % 3] * (1 + k % 4) for k in range(12)]
    expected = [small_gpt().logits(prompt) for prompt in prompts]
    with ThreadPoolExecutor(4) as pool:
        for _time in range(20):
            for found, wanted in zip(pool.map(model.logits, prompts), expected, strict=True):
                assert (found == wanted).all()


def test_weights_that_were_packed_for_another_instruction_set_are_refused():
    before, model, said = _kernels.instruction_set(), small_gpt(), {}
    try:
        for name in _kernels.instruction_sets():
            _kernels.use_instruction_set(name)
            try:
                for _time in range(3):
                    assert (model.logits([0, 1, 2]) == small_gpt().logits([0, 1, 2])).all()
            except ValueError as error:
                said[name] = str(error)
    finally:
        _kernels.use_instruction_set(before)
    assert all(f"the weight was packed for another instruction set than {name}" in said[name] for name in said)
    assert _kernels.instruction_sets()[0] not in said


# ---- who may be repeated -------------------------------------------------------------------------------------------


def negated(op):
    """An op that says of itself that it is one job, but changes what that job has made."""

    def forward(*arrays, **more):
        out = op.forward(*arrays, **more)
        np.negative(out, out)
        return out

    return replace(op, forward=forward, meaning=lambda *arrays, **more: -op.meaning(*arrays, **more))


def test_an_op_that_wrongly_says_that_it_is_one_job_is_caught():
    with pytest.raises(AssertionError, match="repeated with other numbers"):
        hold(negated(OPS["relu"]), CHECKS["forward"], examples=40, shrink=False)
    hold(replace(negated(OPS["relu"]), one_job=False), CHECKS["forward"], examples=10, shrink=False)


def test_other_ops_are_not_repeated():
    repeats, op = Repeats({}), replace(negated(OPS["relu"]), one_job=False)
    for _time in range(3):
        assert (Run({}, repeats=repeats)("a", op, X).data == -X.data).all()
