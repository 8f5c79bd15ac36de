"""Attention whose scores and pattern nobody keeps is done at once, and who asks for a number of it all the same gets that."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt

from llmtrace import _kernels
from llmtrace.arithmetic.bits import same_bits
from llmtrace.models import GPT, KVCache
from llmtrace.ops import OPS, Tensor, Weight
from llmtrace.trace import Trace, recompute
from llmtrace.trace.attending import PARTS
from llmtrace.trace.legend import NO_WORDS
from llmtrace.trace.repeats import Repeats
from llmtrace.trace.run import ROWS, Run

SCORES, SOFTMAX, MIX, SCALE = (OPS[name] for name in ("attention_scores", "causal_softmax", "attention_mix", "scale"))


def watched(monkeypatch):
    """The names of the ops of attention that a run does, as they come, and "at once" where it does all of one together."""
    done, made, attend = [], Run._made, _kernels.attend

    def making(self, name, op, *more):
        if op.name in PARTS:
            done.append(op.name)
        return made(self, name, op, *more)

    def attending(*operands):
        attend(*operands)
        done.append("at once")

    monkeypatch.setattr(Run, "_made", making)
    monkeypatch.setattr(_kernels, "attend", attending)
    return done


def scaled_gpt(**changed):
    model = small_gpt()
    return GPT(replace(model.config, **changed), model.weights, model.tokenizer, "scaled")


MODELS = {
    "GPT": small_gpt,
    "a GPT whose scores are not divided": partial(scaled_gpt, divided_by_root=False),
    "a GPT whose scores are divided by the block's number": partial(scaled_gpt, divided_by_layer=True),
    "Llama": small_llama,
    "Llama with a head of keys for each of queries": partial(small_llama, kv_heads=4),
    "Llama with one head of keys": partial(small_llama, kv_heads=1, layout="interleaved"),
}
PROMPTS = [[0, 2, 1, 2, 0, 1], [[0, 2, 1], [1, 1, 0]], [1]]


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("prompt", PROMPTS, ids=str)
def test_logits_are_those_of_a_trace_that_keeps_all(make, prompt, monkeypatch):
    model, expected = make(), make().trace(prompt, keep="all").tensor("logits")
    done = watched(monkeypatch)
    for _time in range(3):
        assert same_bits(model.logits(prompt), expected)
        assert same_bits(model.trace(prompt, keep="residual").tensor("logits"), expected)
    assert done == ["at once"] * 2 * 2 * 3


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("keep", [None, "residual"])
def test_tokens_after_others_have_the_logits_that_they_have_in_one_go(make, keep, monkeypatch):
    model, ids, cache = make(), [0, 2, 1, 2, 0, 1, 1, 2], KVCache()
    expected, done, first = model.trace(ids, keep="all").tensor("logits"), watched(monkeypatch), 0
    for count in (3, 1, 1, 2, 1):
        part = ids[first : first + count]
        found = model.trace(part, cache, keep=keep).tensor("logits") if keep else model.logits(part, cache)
        assert same_bits(found, expected[first : first + count])
        first += count
    assert set(done) == {"at once"}


def test_all_is_done_step_by_step_where_it_is_kept(monkeypatch):
    done, model = watched(monkeypatch), small_llama()
    model.trace([0, 1, 2], keep="all")
    assert {*done} == {
        "repeat_heads",
        "attention_scores",
        "causal_softmax",
        "attention_mix",
        "softmax",
    }  # of the logits


# ---- who asks all the same -----------------------------------------------------------------------------------------


class Asking(GPT):
    """A GPT that does something between the steps of attention."""

    between = staticmethod(lambda run, name, x: x)

    def attention(self, run, x, number):
        q, k, v = (run(f"attn.{name}", OPS["linear_to_heads"], x, heads=self.config.heads) for name in "qkv")
        scores = self.between(run, "attn.scores", run("attn.scores", SCORES, q, k))
        pattern = self.between(run, "attn.pattern", run("attn.pattern", SOFTMAX, scores))
        mix = self.between(run, "attn.mix", run("attn.mix", MIX, pattern, v))
        return run("attn.out", OPS["linear_from_heads"], mix)


def asking(between, **changed):
    model = small_gpt(**changed)
    found = Asking(model.config, model.weights, model.tokenizer, "asking")
    found.between = between
    return found


def looks(run, name, x):
    """Looks at the numbers in every way."""
    assert x.shape[-2] == 3
    seen = [x.data, x._replace(name="x").data, copy.copy(x).data, pickle.loads(pickle.dumps(x)).data, tuple(x)[1], x[1]]
    assert all(same_bits(each, seen[0]) for each in seen)
    return x


def goes_through_tanh(run, name, x):
    return run(f"{name}.tanh", OPS["tanh"], x)


def is_scaled_twice(run, name, x):
    return run(f"{name}.twice", SCALE, run(f"{name}.once", SCALE, x, factor=0.5), factor=3.0)


@pytest.mark.parametrize("between", [looks, goes_through_tanh, is_scaled_twice])
@pytest.mark.parametrize("keep", ["residual", None])
def test_a_model_that_does_something_in_between(between, keep):
    ids = [0, 2, 1]
    expected = asking(between).trace(ids, keep="all")
    model = asking(between)
    for _time in range(3):
        if keep is None:
            assert same_bits(model.logits(ids), expected.tensor("logits"))
            continue
        trace = model.trace(ids, keep=keep)
        assert list(trace.records()) == list(expected.records())
        for name in expected:
            assert same_bits(trace.tensor(name), expected.tensor(name)), name


@pytest.mark.parametrize("between", [goes_through_tanh, is_scaled_twice])
def test_its_long_texts_are_done_some_rows_at_a_time(between, monkeypatch):
    ids, most = (np.arange(ROWS + 5) % 3).tolist(), []
    do = recompute.Recomputer._do

    def doing(self, task, values):
        out = do(self, task, values)
        most.append(out.shape[-2])
        return out

    monkeypatch.setattr(recompute.Recomputer, "_do", doing)
    short, long = asking(between), asking(between, context=ROWS + 5)
    short.trace(ids[:5], keep="residual")
    assert not most
    found = long.trace(ids, keep="residual")
    assert max(most) == ROWS
    assert same_bits(found.tensor("logits"), long.trace(ids, keep="all").tensor("logits"))


def test_a_result_that_is_asked_for_by_its_name_is_there():
    rows = np.arange(48, dtype=np.float32).reshape(2, 4, 6) / 7
    q, k, v = (Tensor(name, rows[:, ::step].copy(), ()) for name, step in (("q", 1), ("k", 1), ("v", 1)))
    for kept in ({"pattern"}, {"mix"}, {"scores", "pattern", "mix"}, set()):
        with Run({}, repeats=Repeats({}), results=frozenset(kept)) as run:
            scores = run("scores", SCORES, q, k)
            pattern = run("pattern", SOFTMAX, scores)
            mix = run("mix", MIX, pattern, v)
        assert same_bits(scores.data, SCORES.forward(q.data, k.data))
        assert same_bits(pattern.data, SOFTMAX.forward(scores.data))
        assert same_bits(mix.data, MIX.forward(pattern.data, v.data))


def test_another_op_of_the_same_name_is_done_as_it_says():
    rows = Tensor("x", np.arange(48, dtype=np.float32).reshape(2, 4, 6) / 7, ())
    twice = replace(SCORES, forward=lambda q, k, **more: SCORES.forward(q, k + k, **more), one_job=False)
    half = replace(MIX, forward=lambda pattern, v, **more: MIX.forward(pattern, v / 2, **more), one_job=False)
    for fit, gather in [(twice, MIX), (SCORES, half), (twice, half)]:
        found = []
        for repeats in (None, Repeats({})):
            with Run({}, repeats=repeats) as run:
                mix = run("mix", gather, run("pattern", SOFTMAX, run("scores", fit, rows, rows)), rows)
                found.append(mix.data.copy())
        assert same_bits(*found)
        assert not same_bits(found[0], MIX.forward(SOFTMAX.forward(SCORES.forward(rows.data, rows.data)), rows.data))


def test_keys_and_values_may_be_shared_by_different_numbers_of_heads():
    q, k, v = (np.random.default_rng(n).standard_normal((n, 3, 5)).astype(np.float32) for n in (4, 2, 1))
    with Run({}, repeats=Repeats({})) as run:
        keys = run("keys", OPS["repeat_heads"], Tensor("k", k, ()), copies=2)
        values = run("values", OPS["repeat_heads"], Tensor("v", v, ()), copies=4)
        scores = run("scores", SCORES, Tensor("q", q, ()), keys)
        mix = run("mix", MIX, run("pattern", SOFTMAX, scores), values).data
    pattern = SOFTMAX.forward(SCORES.forward(q, np.repeat(k, 2, axis=0)))
    assert same_bits(mix, MIX.forward(pattern, np.repeat(v, 4, axis=0)))
    with Run({}, repeats=Repeats({})) as run:
        keys = run("keys", OPS["repeat_heads"], Tensor("k", k, ()), copies=2)
        values = run("values", OPS["repeat_heads"], Tensor("v", k, ()), copies=3)
        pattern = run("pattern", SOFTMAX, run("scores", SCORES, Tensor("q", q, ()), keys))
        with pytest.raises(ValueError, match=r"mix = attention_mix\(pattern \(4, 3, 3\), values \(6, 3, 5\)\)"):
            run("mix", MIX, pattern, values)


def test_what_an_op_is_not_told_is_refused_though_nothing_is_done():
    rows = Tensor("x", np.ones((2, 3, 4), np.float32), ("head", "position", "feature"))
    for trace in (None, Trace({}, keep="residual")):
        with Run({}, trace, repeats=Repeats({})) as run:
            scores = run("scores", SCORES, rows, rows)
            for op, inputs, name in [(SCORES, [rows, rows], "again"), (SOFTMAX, [scores], "pattern")]:
                with pytest.raises(TypeError, match=rf"{name} = {op.name}\("):
                    run(name, op, *inputs, temperature=2.0)
            with pytest.raises(TypeError, match="scaled = scale"):
                run("scaled", SCALE, scores)
            with pytest.raises(TypeError, match="mix = attention_mix"):
                run("mix", MIX, run("shares", SOFTMAX, scores), rows, copies=2)


def test_any_thread_may_ask_for_what_is_not_kept():
    rows = Tensor("x", np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32), ())
    with ThreadPoolExecutor(3) as pool:
        for _time in range(30):
            with Run({}, repeats=Repeats({})) as run:
                scores = run("scores", SCORES, rows, rows)
                pattern = run("pattern", SOFTMAX, scores)
                asked = [pool.submit(lambda x=x: x.data.copy()) for x in (pattern, scores, pattern)]
                mix = run("mix", MIX, pattern, rows).data
            assert same_bits(asked[1].result(), SCORES.forward(rows.data, rows.data))
            assert all(same_bits(asked[k].result(), SOFTMAX.forward(asked[1].result())) for k in (0, 2))
            assert same_bits(mix, MIX.forward(asked[0].result(), rows.data))


def test_what_does_not_go_together_is_said_of_the_step_that_is_wrong():
    rows = {shape: np.ones(shape, np.float32) for shape in [(2, 4, 6), (2, 3, 6), (2, 4, 5), (3, 4, 6)]}

    def attention(q, k, v, trace=None):
        with Run({}, trace, repeats=Repeats({})) as run:
            pattern = run("pattern", SOFTMAX, run("scores", SCORES, Tensor("q", rows[q], ()), Tensor("k", rows[k], ())))
            return run("mix", MIX, pattern, Tensor("v", rows[v], ())).data

    assert attention((2, 4, 6), (2, 4, 6), (2, 4, 5)).shape == (2, 4, 5)
    for wrong in [(2, 3, 6), (2, 4, 5), (3, 4, 6)]:
        with pytest.raises(ValueError, match=r"scores = attention_scores\(q "):
            attention((2, 4, 6), wrong, (2, 4, 6))
        with pytest.raises(ValueError, match="do not go together"):
            attention((2, 4, 6), wrong, (2, 4, 6), Trace({}, keep="residual"))
    with pytest.raises(ValueError, match=r"mix = attention_mix\(pattern \(2, 4, 4\), v \(2, 3, 6\)\)"):
        attention((2, 4, 6), (2, 4, 6), (2, 3, 6))
    rows[0] = rows[2, 4, 6].astype(np.float64)
    with pytest.raises(TypeError, match=r"scores = attention_scores\(q "):
        attention(0, (2, 4, 6), (2, 4, 6))


# ---- records ---------------------------------------------------------------------------------------------------------


def test_the_records_of_another_prompt_are_its_own():
    model = small_llama()
    for prompt in ([0, 1], [2, 1, 0], [[0, 1], [1, 2]], [0, 1], [2], [2, 1, 0]):
        found, expected = model.trace(prompt, keep="residual"), small_llama().trace(prompt, keep="all")
        assert list(found.records()) == list(expected.records())


def test_the_records_of_other_settings_and_ops_are_their_own():
    repeats, q = Repeats({}), Tensor("q", np.ones((2, 3, 4), np.float32), ("head", "position", "feature"))

    def recorded(factor, known, masked):
        trace = Trace({}, keep="residual")
        with Run({}, trace, repeats=known) as run:
            scores = run("scores", SCORES if masked else OPS["full_scores"], q, q)
            run("scaled", SCALE, scores, factor=factor)
        return list(trace.records())

    for factor, masked in [(2.0, True), (2.0, True), (3.0, True), (3.0, False), (2.0, True)]:
        assert recorded(factor, repeats, masked) == recorded(factor, None, masked)
    q = q._replace(data=q.data.astype(np.float64))
    assert recorded(2.0, repeats, True) == recorded(2.0, None, True)


def test_the_records_of_other_weights_are_their_own():
    """Logits are only written down as well."""
    x = Tensor("x", np.ones((3, 6), np.float32), ("position", "feature"))
    shapes = {"a": (6, 7), "b": (6, 7), "c": (6, 9)}
    known = {f"{n}.weight": Weight(f"{n}.weight", np.ones(s, np.float32), ("in", "out")) for n, s in shapes.items()}
    repeats = Repeats(known)
    for name, shape in [*shapes.items(), *shapes.items()]:
        trace = Trace(known, legend=GPT.legend, keep="residual")
        with Run(known, trace, repeats=repeats) as run:
            run("logits", OPS["linear"], run.leaf("x", x.data, x.axes), weights=name)
        assert trace["logits"].record.weights == (f"{name}.weight", None)
        assert trace.tensor("logits").shape == (3, shape[1])


def test_what_is_kept_is_what_the_legend_says_of_this_trace():
    repeats, x = Repeats({}), Tensor("x", np.ones((3, 6), np.float32), ("position", "feature"))
    for legend, kept in [(NO_WORDS, []), (GPT.legend, ["block.0.residual_out"])] * 2:
        trace = Trace({}, legend=legend, keep="residual")
        with Run({}, trace, repeats=repeats) as run:
            run("block.0.residual_out", OPS["add"], x, x)
        assert trace.kept() == kept
