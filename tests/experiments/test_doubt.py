"""What is not known of numbers that are missing: no rule promises more than is so, and every op of every model has one."""

import numpy as np
import pytest
from helpers.cli_run import said
from helpers.printing import as_text
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt, small_transformer, tensors

import llmtrace
from llmtrace.experiments.doubt import RULES, Near, carried
from llmtrace.experiments.referee import _known, _situation, judge
from llmtrace.experiments.situation import Situation
from llmtrace.experiments.what_if import what_if
from llmtrace.models import GPT, Feedforward, GPTConfig, KVCache
from llmtrace.models.gpt import ACTIVATIONS
from llmtrace.ops import OPS
from llmtrace.views.referee import view
from llmtrace.weights.gpt import GPT2

RNG = np.random.default_rng(11)
IDS = [0, 2, 1, 1, 2]


def after_a_cache(model):
    cache = KVCache()
    model.trace(IDS, cache)
    return model.trace(IDS[:2], cache)


def bent(activation):
    config = GPTConfig(3, 11, 12, 3, 2, 48, activation=activation, divided_by_root=False, divided_by_layer=True)
    return GPT(config, GPT2.weights(config, tensors(config), "random"), None, "bent")


TRACES = {
    **{f"GPT with {name}": bent(name).trace(IDS) for name in ACTIVATIONS},
    "GPT after a cache": after_a_cache(small_gpt()),
    "GPT, edited": what_if(small_gpt().trace(IDS), {"block.0.mlp.act": 0.5, "block.1.mlp.up.weight[1]": 2}).after,
    "Llama": small_llama().trace(IDS),
    "Llama, side by side": small_llama(layout="interleaved", kv_heads=1, qkv_bias=True, out_bias=True).trace(IDS),
    "Llama after a cache": after_a_cache(small_llama()),
    "Llama, a batch": small_llama().trace([IDS, IDS[::-1]]),
    "Transformer": small_transformer().reading(np.array([1, 2, 0])).trace(IDS[:2]),
    **{
        f"net with {name}": Feedforward.of([[1, -2], [0.5, 3]], [[2, 1]], activation=name).trace([[1, 2], [-3, 0.2]])
        for name in ("relu", "sigmoid", "tanh")
    },
}


def wide(situation):
    """The same in float64."""
    real = {n: x if x is None or x.dtype.kind != "f" else x.astype(np.float64) for n, x in situation.operands.items()}
    return Situation(situation.op, real, situation.settings, {})


def situations(trace):
    """Each step, in float64."""
    values = {name: trace.tensor(name) for name in [*trace, *trace.leaves]}
    for step in trace.steps:
        yield step.name, wide(_situation(trace, step.record, values))


@pytest.mark.parametrize("name", TRACES)
def test_every_op_of_a_model_has_a_rule(name):
    assert {step.op for step in TRACES[name].steps} <= RULES.keys()


@pytest.mark.parametrize("size", [1e-9, 1e-3, 0.3, 20.0])
@pytest.mark.parametrize("name", TRACES)
def test_no_result_moves_further_than_its_rule_says(name, size):
    for step, situation in situations(TRACES[name]):
        ours = situation.done()
        real = [kind for kind, x in situation.operands.items() if x is not None and x.dtype.kind == "f"]
        for kinds in ([kind] for kind in real), [real]:
            for moving in kinds:
                doubts = {kind: size * RNG.random(situation[kind].shape) for kind in moving if kind != "kept"}
                off = carried(situation, ours, doubts)
                assert off.shape == ours.shape
                assert not np.isnan(off).any()
                for _ in range(4):
                    ways = {kind: RNG.choice([-1, -0.5, 1], doubt.shape) for kind, doubt in doubts.items()}
                    moved = situation.done(**{kind: situation[kind] + ways[kind] * doubts[kind] for kind in doubts})
                    with np.errstate(invalid="ignore"):
                        far = np.where(moved == ours, 0, np.abs(moved - ours))
                    assert (far <= off * (1 + 1e-9) + 1e-12).all(), (step, moving)


@pytest.mark.parametrize("name", TRACES)
def test_small_doubts_stay_small(name):
    """A rule that says nothing would never be wrong."""
    for step, situation in situations(TRACES[name]):
        real = {kind: x for kind, x in situation.operands.items() if x is not None and x.dtype.kind == "f"}
        off = carried(situation, situation.done(), {kind: np.full(x.shape, 1e-9) for kind, x in real.items()})
        assert (off < 1e-6).all(), step


def test_without_doubts_there_is_none():
    for _name, situation in situations(TRACES["Llama"]):
        assert not carried(situation, situation.done(), {}).any()


def test_of_an_op_without_a_rule_nothing_is_known():
    x = RNG.standard_normal((2, 3))
    situation = Situation("exp", {"x": x}, {}, {})
    assert "exp" in OPS.keys() - RULES.keys()
    assert np.isposinf(carried(situation, x, {"x": np.full(x.shape, 1e-9)})).all()
    assert not carried(situation, x, {"x": np.zeros(x.shape)}).any()


def test_nothing_is_known_of_what_is_made_of_what_is_not_known():
    a, b = Near(np.zeros(2), np.full(2, np.inf)), Near(np.ones(2), np.ones(2))
    assert np.isposinf((a + b).off).all()
    x = Situation("multiply", {"a": np.zeros(2), "b": np.zeros(2)}, {}, {})
    assert np.isposinf(carried(x, np.zeros(2), {"a": np.full(2, np.inf)})).all()
    rows = Situation("softmax", {"x": np.zeros((1, 3))}, {}, {})
    assert (carried(rows, np.full((1, 3), 1 / 3), {"x": np.full((1, 3), np.inf)}) == 1).all()  # a share is at most 1


# ---- what the referee makes of it ------------------------------------------------------------------------------------


STORY = llmtrace.load().trace("The king had a child, a girl.")
LLAMA = small_llama().trace([0, 4, 2, 3, 1, 1, 2])
WRONG = {
    "zeros": lambda x: x * 0,
    "noise": lambda x: RNG.standard_normal(x.shape) * 100,
    "noise of its size": lambda x: RNG.standard_normal(x.shape) * np.abs(x).max(),
    "negated": lambda x: -x,
    "negated and reversed": lambda x: -x[..., ::-1],
    "rows swapped": lambda x: x[..., ::-1, :],
    "one place further": lambda x: np.roll(x, 1, -2),
    "a percent": lambda x: x * (1 + 0.01 * RNG.standard_normal(x.shape)),
    "ten percent": lambda x: x * (1 + 0.1 * RNG.standard_normal(x.shape)),
}


def only(trace, *names):
    """What is in a file that has only these steps."""
    return {name: trace.tensor(name) for name in trace if name.endswith(names)} | {"tokens": trace.tensor("tokens")}


def verdict(trace, written, name):
    return next(each for each in judge(trace, written).findings if each.name == name).verdict


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("trace", [STORY, LLAMA], ids=["GPT", "Llama"])
@pytest.mark.parametrize("beside", [(), ("residual_out", "logits")], ids=["alone", "with the stream"])
def test_wrong_numbers_are_never_rounding(wrong, trace, beside):
    real = [step for step in trace.steps if step.output.dtype.kind == "f" and "scores" not in step.name]
    for step in real[[*WRONG].index(wrong) % 4 :: 4]:
        name = step.name
        made = WRONG[wrong](step.output.astype(np.float64)).astype(np.float32)
        if not np.array_equal(made, step.output):
            found = judge(trace, only(trace, *beside) | {name: made})
            assert next(each for each in found.findings if each.name == name).verdict in {"open", "cause", "unknown"}, (
                name
            )
            assert not found.clean


def test_numbers_of_another_layer_are_never_rounding():
    for trace in (STORY, LLAMA):
        for name in trace:
            other = name.replace("block.0", "block.1")
            if other != name and trace.tensor(name).dtype.kind == "f":
                assert verdict(trace, {name: trace.tensor(other)}, name) in {"open", "cause", "unknown"}
                assert verdict(trace, {other: trace.tensor(name)}, other) in {"open", "cause", "unknown"}


def another_program(trace, *left_out):
    """Its numbers: each step is done in float64 from its own numbers, and rounded once."""
    values = {name: trace.tensor(name) for name in trace.leaves}
    for step in trace.steps:
        values[step.name] = wide(_situation(trace, step.record, values)).done().astype(step.output.dtype)
    return {name: x for name, x in values.items() if name not in trace.leaves and not name.endswith(left_out)}


@pytest.mark.parametrize("trace", [STORY, LLAMA], ids=["GPT", "Llama"])
@pytest.mark.parametrize(
    "left_out", [("scores",), ("scores", "residual_mid", "rotated", "shared", "product", "probabilities", "next_token")]
)
def test_right_numbers_are_rounding_where_little_is_missing(trace, left_out):
    found = judge(trace, another_program(trace, *left_out))
    assert found.clean
    assert sum(each.verdict == "rounding" for each in found.findings) > len(found.findings) / 3


def test_a_doubt_is_small_where_an_error_of_a_percent_shows():
    ones, none = np.ones((2, 4), np.float32), np.zeros((2, 4))
    assert _known(ones, none, none + 0.007)
    assert not _known(ones, none, none + 0.01)
    assert _known(ones, none + 0.02, none + 0.01)  # this step alone may do more
    for large, known in [(1, True), (2, True), (3, False)]:
        doubt = none + 0.001
        doubt[1, :large] = 0.1
        assert _known(ones, none, doubt) == known
        assert not _known(ones, none, np.where(doubt > 0.01, doubt, 0))  # of those that are in doubt, none is known
    outlier = ones * np.float32([1e6, 1, 1, 1])
    assert not _known(outlier, none, none + 0.1)
    assert _known(np.where(ones == 1, -np.inf, ones), none, none)


def test_where_most_is_missing_nothing_can_be_judged():
    written = only(STORY) | {"logits": another_program(STORY)["logits"]}
    right, wrong = (judge(STORY, written | more) for more in ({}, {"logits": written["logits"] * 0}))
    assert [each.verdict for each in right.findings] == ["same", "unknown"]
    assert [each.verdict for each in wrong.findings] == ["same", "unknown"]
    assert (right.findings[1].apart < 1e-5, wrong.findings[1].apart) == (True, 1)
    text = " ".join(as_text(view(right)).split())
    assert "1 with the same bits, 0 off by rounding only, 0 that do not follow, 1 that can't be judged" in text
    assert "too much between is missing" in text
    assert view(right).facts["counts"] == {"same": 1, "rounding": 0, "cause": 0, "open": 0, "unknown": 1}
    assert "can't be judged" not in as_text(view(judge(STORY, only(STORY, "out"))))


def test_any_step_of_shared_heads_may_be_missing():
    """And of a model with gates: nothing is called wrong that is not."""
    written = {name: LLAMA.tensor(name) for name in LLAMA}
    for name in LLAMA:
        assert judge(LLAMA, {n: x for n, x in written.items() if n != name}).clean
    for parts in [("attn.k", "attn.v"), ("rotated", "shared"), ("keys", "values", "gate", "up")]:
        assert judge(LLAMA, {n: x for n, x in written.items() if not n.endswith(parts)}).clean


def test_angles_of_positions_are_judged_and_used():
    cosine = LLAMA.tensor("rotary.cosine")
    near, far = (cosine + np.float32(size) for size in (3e-7, 1e-3))
    assert verdict(LLAMA, only(LLAMA, "attn.q") | {"rotary.cosine": near}, "rotary.cosine") == "rounding"
    wrong = judge(LLAMA, only(LLAMA, "attn.q", "rotated") | {"rotary.cosine": far})
    assert wrong.first.name == "rotary.cosine"
    assert verdict(LLAMA, only(LLAMA, "attn.q") | {"rotary.cosine": cosine}, "rotary.cosine") == "same"


def test_of_what_a_cache_holds_nothing_is_known_that_is_not_written():
    cache, model = KVCache(), small_llama()
    model.trace([1, 2, 3], cache)
    trace = model.trace([4, 0], cache)
    written = {n: x for n, x in another_program(trace).items() if n.startswith("block.0") and "keys" not in n}
    name = "block.0.attn.k.shared"
    written[name] = np.nextafter(written[name], np.float32(9))
    assert verdict(trace, written, name) == "unknown"
    assert verdict(trace, written | {n: trace.tensor(n) for n in trace.leaves}, name) == "rounding"


def test_a_token_that_might_be_another_one_is_not_judged():
    written = only(STORY, "ln_f") | {"next_token": STORY.tensor("next_token") + 1}
    assert verdict(STORY, written, "next_token") == "open"  # no rounding makes these the likeliest
    alone = {"next_token": STORY.tensor("next_token") + 1}
    assert verdict(STORY, alone, "next_token") == "unknown"


def test_the_exit_code_says_whether_all_follows(tmp_path):
    file, right = tmp_path / "a.npz", another_program(STORY)

    def told(code, **arrays):
        np.savez(file, **arrays)
        return " ".join(said("compare", "The king had a child, a girl.", str(file), code=code).split())

    assert "0 that do not follow" in told(0, **only(STORY, ""))
    assert "0 that do not follow" in told(0, **right)
    assert "1 that do not follow" in told(
        1, **right | {"logits": right["logits"] * 2, "probabilities": right["ln_f"][:1]}
    )
    text = told(1, logits=right["logits"], mine=np.zeros(3))
    assert "1 that can't be judged" in text
    assert "no step of this run is known by these names: 'mine'" in text
