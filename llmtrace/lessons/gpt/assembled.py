"""The bundled model put together once more, from the ops alone: the same bits."""

from __future__ import annotations

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.lessons.gpt.words import LEGEND
from llmtrace.models import GPT
from llmtrace.ops.attention.attention_mix import attention_mix
from llmtrace.ops.attention.attention_scores import attention_scores
from llmtrace.ops.attention.causal_softmax import causal_softmax
from llmtrace.ops.elementwise.gelu_tanh import gelu_tanh
from llmtrace.ops.elementwise.relu import relu
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.linear.linear_from_heads import linear_from_heads
from llmtrace.ops.linear.linear_to_heads import linear_to_heads
from llmtrace.ops.rows.layer_norm import layer_norm
from llmtrace.ops.rows.softmax import softmax
from llmtrace.trace import Run, Trace


def weight(model: GPT, name: str) -> Array:
    """The numbers of a weight."""
    return model.weights[name].data


def rows(model: GPT, ids: Array) -> Array:
    """For each token, its row of the table of tokens plus its place's row: [T, C]."""
    return weight(model, "embed.token.weight")[ids] + weight(model, "embed.position.weight")[: len(ids)]


def normed(model: GPT, name: str, x: Array) -> Array:
    """A layer norm by its name."""
    gain, bias = (weight(model, f"{name}.{kind}") for kind in ("gain", "bias"))
    return layer_norm.forward(x, gain, bias, epsilon=model.config.epsilon)


def attention(model: GPT, block: int, x: Array) -> Array:
    """What the attention of a block adds."""
    own = f"block.{block}.attn"
    q, k, v = (
        linear_to_heads.forward(x, *_both(model, f"{own}.{name}"), heads=model.config.heads) for name in ("q", "k", "v")
    )
    shares = causal_softmax.forward(attention_scores.forward(q, k))
    return linear_from_heads.forward(attention_mix.forward(shares, v), *_both(model, f"{own}.out"))


def mlp(model: GPT, block: int, x: Array) -> Array:
    """What the MLP of a block adds."""
    up = linear.forward(x, *_both(model, f"block.{block}.mlp.up"))
    return linear.forward(gelu_tanh.forward(up), *_both(model, f"block.{block}.mlp.down"))


def scores(model: GPT, x: Array) -> Array:
    """The score of each token as the next one, after the last layer norm."""
    return linear.forward(normed(model, "ln_f", x), weight(model, "logits.weight"), transposed=True)


def _both(model: GPT, name: str) -> tuple[Array, Array]:
    """A matrix and its bias."""
    return weight(model, f"{name}.weight"), weight(model, f"{name}.bias")


# ---- recorded --------------------------------------------------------------------------------------------------------


def bent(numbers: tuple[float, ...]) -> Trace:
    """What ReLU and GELU make of some numbers."""
    trace = Trace({}, legend=LEGEND)
    with Run({}, trace) as run:
        x = run.leaf("x", np.array(numbers, np.float32), ("input",))
        run("bent.relu", relu, x)
        run("bent.gelu", gelu_tanh, x)
    return trace


def alone(model: GPT, trace: Trace, block: int) -> Trace:
    """The MLP of a block for the last token alone, as if there were no others."""
    single = Trace(model.weights, legend=LEGEND)
    with Run(model.weights, single) as run:
        x = run.leaf("x", trace.tensor(f"block.{block}.ln_2")[-1:].copy(), ("last", "feature"))
        up = run("alone.up", linear, x, weights=f"block.{block}.mlp.up")
        run("alone.down", linear, run("alone.act", gelu_tanh, up), weights=f"block.{block}.mlp.down")
    return single


def ended_early(model: GPT, trace: Trace, stages: list[str]) -> Trace:
    """What the model would say of the last token's row after each part: layer norm, scores and shares at once."""
    early = Trace(model.weights, token_text=model.token_text, legend=LEGEND)
    gain, bias, table = (model.weights[name] for name in ("ln_f.gain", "ln_f.bias", "logits.weight"))
    with Run(model.weights, early) as run:
        for n, stage in enumerate(stages):
            x = run.leaf(stage, trace.tensor(stage)[-1], ("feature",))
            norm = run.do(f"after.{n}.norm", layer_norm, (x, gain, bias), {"epsilon": model.config.epsilon})
            given = run.do(f"after.{n}.scores", linear, (norm, table, None), {"transposed": True}, ("vocabulary",))
            run(f"after.{n}.shares", softmax, given)
    return early
