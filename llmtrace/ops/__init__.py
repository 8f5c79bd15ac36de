"""All operations, by name. To add one: its file, its line here, and its header in csrc/ where it has an inner loop of its own."""

from llmtrace.ops.add import add
from llmtrace.ops.append import append
from llmtrace.ops.argmax import argmax
from llmtrace.ops.attention_mix import attention_mix
from llmtrace.ops.attention_scores import attention_scores
from llmtrace.ops.causal_softmax import causal_softmax
from llmtrace.ops.embedding import embedding
from llmtrace.ops.erf import erf
from llmtrace.ops.exp import exp
from llmtrace.ops.gelu_erf import gelu_erf
from llmtrace.ops.gelu_tanh import gelu_tanh
from llmtrace.ops.layer_norm import layer_norm
from llmtrace.ops.linear import linear
from llmtrace.ops.linear_from_heads import linear_from_heads
from llmtrace.ops.linear_to_heads import linear_to_heads
from llmtrace.ops.log import log
from llmtrace.ops.multiply import multiply
from llmtrace.ops.op import Array, Op
from llmtrace.ops.relu import relu
from llmtrace.ops.same import same
from llmtrace.ops.scale import scale
from llmtrace.ops.sigmoid import sigmoid
from llmtrace.ops.silu import silu
from llmtrace.ops.softmax import softmax
from llmtrace.ops.tanh import tanh
from llmtrace.ops.tensor import Tensor, Weight

OPS: dict[str, Op] = {
    op.name: op
    for op in (
        *(embedding, add, multiply, scale, same, append, argmax),
        *(exp, log, tanh, erf, relu, sigmoid, silu, gelu_tanh, gelu_erf),
        *(layer_norm, softmax, causal_softmax),
        *(linear, linear_to_heads, linear_from_heads, attention_scores, attention_mix),
    )
}

__all__ = [
    "OPS",
    "Array",
    "Op",
    "Tensor",
    "Weight",
    "add",
    "append",
    "argmax",
    "attention_mix",
    "attention_scores",
    "causal_softmax",
    "embedding",
    "erf",
    "exp",
    "gelu_erf",
    "gelu_tanh",
    "layer_norm",
    "linear",
    "linear_from_heads",
    "linear_to_heads",
    "log",
    "multiply",
    "relu",
    "same",
    "scale",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
]
