"""Walking a trace backward: every gradient of a whole GPT, their names, their sums over small batches, their explanations."""

import numpy as np
import pytest
from helpers.fresh import examples
from helpers.small_models import small_config, small_gpt

import llmtrace
from llmtrace.errors import TrainingError
from llmtrace.explain.verify import verify
from llmtrace.models import GPT, KVCache
from llmtrace.ops import Weight
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.linear.embedding import embedding
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.ops.sampling.argmax import argmax
from llmtrace.testing import expect_same_bits
from llmtrace.trace import Backward, Dropout, Run, Trace
from llmtrace.weights.gpt import GPT2

IDS = np.array([[0, 2, 1, 1, 0], [1, 1, 2, 0, 2], [2, 0, 0, 1, 1]])
TARGETS = np.array([[2, 1, 1, 0, 0], [1, 2, 0, 2, 0], [0, 0, 1, 1, 2]])


def walked(model, ids=IDS, targets=TARGETS, count=None, start=None, starts=None, keep="all", dropout=None):
    """(trace, walk, sum of losses) of one backward pass."""
    trace = Trace(
        model.weights,
        [[model.token_text(i) for i in row] for row in ids.tolist()],
        model.token_text,
        legend=model.legend,
    )
    with Run(model.weights, trace, dropout=dropout) as run:
        loss, summed = model.loss(run, ids, targets, count or ids.size, start)
        walk = Backward(run, trace, loss.name, starts, keep)
        gradients = {name: tensor.data.copy() for name, tensor in walk.gradients().items()}
    return trace, walk, summed, gradients


def wide(model):
    """The same model in float64."""
    own = {w.name: w.with_data(w.data.astype(np.float64)) for w in model.weights.values()}
    return GPT(model.config, {key: own[w.name] for key, w in model.weights.items()}, model.tokenizer, model.name)


@pytest.mark.parametrize("dropout", [None, Dropout(0.25, 3)])
def test_all_gradients_of_a_gpt_are_its_slopes(dropout):
    model = wide(small_gpt())
    gradients = walked(model, dropout=dropout)[3]
    assert set(gradients) == {w.name for w in model.weights.values()}
    rng = np.random.default_rng(0)
    for name, gradient in gradients.items():
        weight = next(w for w in model.weights.values() if w.name == name)
        assert gradient.shape == weight.data.shape
        for _ in range(examples(2)):
            place = tuple(int(rng.integers(size)) for size in gradient.shape)
            moved = []
            for step in (1e-5, -1e-5):
                data = weight.data.copy()
                data[place] += step
                moved.append(loss_with(model, name, data, dropout))
            assert gradient[place] == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-6, abs=1e-9), (name, place)


def loss_with(model, name, data, dropout):
    own = {key: w.with_data(data) if w.name == name else w for key, w in model.weights.items()}
    with Run(own, dropout=dropout) as run:
        return float(GPT(model.config, own).loss(run, IDS, TARGETS, IDS.size)[0].data)


def test_float32_gradients_are_near_those_of_float64():
    model = small_gpt()
    narrow, exact = walked(model)[3], walked(wide(model))[3]
    for name, gradient in narrow.items():
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, exact[name], rtol=1e-3, atol=3e-6 * np.abs(exact[name]).max() + 1e-7)


@pytest.mark.parametrize("parts", [(1, 1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_small_batches_add_up_to_the_bits_of_the_whole(parts, dropout):
    model = small_gpt()
    trace, _, _, whole = walked(model, dropout=Dropout(dropout, 5))
    summed, starts, first = None, None, 0
    for size in parts:
        rows = slice(first, first + size)
        _, walk, summed, gradients = walked(
            model, IDS[rows], TARGETS[rows], IDS.size, summed, starts, "nothing", Dropout(dropout, 5, first)
        )
        starts, first = walk.sums, first + size
    expect_same_bits(summed.data, trace.tensor("losses.total"), "the sum of the losses", parts)
    for name, gradient in whole.items():
        expect_same_bits(gradients[name], gradient, name, parts)


def test_forgetting_changes_no_bit_and_frees_the_trace():
    kept, _, _, whole = walked(small_gpt())
    forgot, _, _, gradients = walked(small_gpt(), keep="nothing")
    for name, gradient in whole.items():
        expect_same_bits(gradients[name], gradient, name, "keep=nothing")
    assert len(forgot) < len(kept) / 2
    assert "block.0.mlp.act" in kept
    assert "block.0.mlp.act" not in forgot


def test_names_say_what_a_gradient_is_of_and_where_its_parts_come_from():
    trace = walked(small_gpt())[0]
    assert trace["d.block.0.mlp.up.weight"].output.shape == (12, 48)
    assert trace.axes("d.block.0.mlp.up.weight") == trace.axes("block.0.mlp.up.weight")
    assert trace.axes("d.block.1.attn.q") == trace.axes("block.1.attn.q")
    parts = [f"d.block.0.ln_1.from.block.0.attn.{name}" for name in "vkq"]
    expect_same_bits(
        *(trace.tensor("d.block.0.ln_1"), trace.tensor(parts[0]) + trace.tensor(parts[1]) + trace.tensor(parts[2])),
        *("the last consumer first", parts),
    )
    own = trace.tensor("d.embed.token.weight")
    parts = [trace.tensor(f"d.embed.token.weight.from.{step}") for step in ("logits", "embed.token")]
    expect_same_bits(own, parts[0] + parts[1], "a shared table", "both parts")


def test_every_gradient_is_explained_replayed_and_saved(tmp_path):
    trace = walked(small_gpt())[0]
    path = tmp_path / "step.trace"
    trace.save(path, with_weights=True)
    opened = llmtrace.open(path)
    verify(opened)
    rng = np.random.default_rng(0)
    for step in opened.steps:
        if not step.output.size:
            continue
        place = tuple(int(rng.integers(size)) for size in step.output.shape)
        assert opened.explain(step.name, *place).value == step.output[place] or np.isnan(step.output[place])


def test_a_weights_gradient_is_a_sum_over_all_positions():
    trace = walked(small_gpt())[0]
    explanation = trace.explain("d.block.0.mlp.up.weight", 3, 5)
    (line,) = [line for line in explanation.lines if line.operation == "dot"]
    assert len(line.terms()) == IDS.size


def test_what_has_no_gradient_is_said():
    model = small_gpt()
    trace = Trace(model.weights)
    with Run(model.weights, trace) as run:
        tokens = run.leaf("tokens", IDS, ("batch", "position"))
        run("sum", sum_all, run("embed.token", embedding, tokens))
        with pytest.raises(TrainingError, match="no weight"):
            Backward(run, trace, run("lonely", sum_all, run.leaf("x", np.ones(3, np.float32), ("feature",))).name)
        Backward(run, trace, "sum")
    assert "d.embed.token.weight" in trace
    assert argmax.backward is None


def test_the_gradient_of_an_input_that_several_steps_use_is_the_sum_of_its_parts():
    x = np.array([3.0, -2.0])
    trace = Trace({})
    with Run({}, trace) as run:
        given = run.leaf("x", x, ("feature",))
        square = run("square", multiply, given, given)
        run("loss", sum_all, run("both", add, square, given))
        gradients = Backward(run, trace, inputs=("x",)).gradients()
    assert gradients["x"].data.tolist() == [7.0, -3.0]  # 2x + 1
    assert trace.tensor("d.x").tolist() == [7.0, -3.0]


def test_a_step_backward_through_a_cache_can_be_saved_and_read(tmp_path):
    model, cache = small_gpt(), KVCache()
    model.logits([1, 2, 0], cache)
    trace = Trace(model.weights, list("abcde"))
    with Run(model.weights, trace, cache) as run:
        tokens, places = (
            run.leaf(n, np.array(v), ("position",)) for n, v in (("tokens", [0, 1]), ("positions", [3, 4]))
        )
        run("loss", sum_all, model.forward(run, tokens, places))
        Backward(run, trace, inputs=("block.0.attn.keys.past",)).gradients()
    assert trace["d.block.0.attn.keys.past"].settings["first"] == 0
    trace.save(tmp_path / "cached.trace", with_weights=True)
    verify(llmtrace.open(tmp_path / "cached.trace"))


def test_initial_weights_are_pinned():
    """The same on every machine: what a training begins with."""
    weights = GPT2.initial(small_config(), 7)
    pinned = "4728b0ffa2863a36087992fb61866b4b08e0062d764006b16f68684b49dfff71"
    assert llmtrace.storage.weights_hash(weights) == pinned
    assert llmtrace.storage.weights_hash(GPT2.initial(small_config(), np.int64(7))) == pinned
    assert weights["block.0.ln_1.gain"].data.tolist() == [1.0] * 12
    assert 0.01 < weights["embed.token.weight"].data.std() < 0.03
    assert weights["logits.weight"] is weights["embed.token.weight"]


def test_a_step_beside_the_way_to_the_loss_has_no_part_in_a_gradient():
    weights = {"w": Weight("w", np.ones(3, np.float32), ("entry",))}
    trace = Trace(weights)
    with Run(weights, trace) as run:
        x = run.leaf("x", np.arange(3, dtype=np.float32), ("entry",))
        product = run.do("product", multiply, (x, weights["w"]), {})
        run.do("best", argmax, (product,), {}, ())
        run.do("loss", sum_all, (product, None), {}, ())
        Backward(run, trace, "loss")
    assert "d.product" in trace
    assert not [name for name in trace if name.startswith("d.product.")]
