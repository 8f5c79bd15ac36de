"""All operations, by name. To add one: its file, its line here, and its header in csrc/ where it has an inner loop of its own."""

from llmtrace.ops.absolute_error import absolute_error, absolute_error_gradient
from llmtrace.ops.adam_mean import adam_mean
from llmtrace.ops.adam_square import adam_square
from llmtrace.ops.adam_update import adam_update
from llmtrace.ops.add import add
from llmtrace.ops.append import append
from llmtrace.ops.argmax import argmax
from llmtrace.ops.attention_back import attention_back
from llmtrace.ops.attention_mix import attention_mix
from llmtrace.ops.attention_products import attention_products
from llmtrace.ops.attention_scores import attention_scores
from llmtrace.ops.causal_softmax import causal_softmax, causal_softmax_gradient
from llmtrace.ops.clip_factor import clip_factor
from llmtrace.ops.cross_entropy import cross_entropy, cross_entropy_gradient
from llmtrace.ops.descend import descend
from llmtrace.ops.divide import divide
from llmtrace.ops.divide_by import divide_by
from llmtrace.ops.dropout import dropout
from llmtrace.ops.embedding import embedding, embedding_gradient
from llmtrace.ops.erf import erf, erf_gradient
from llmtrace.ops.exp import exp
from llmtrace.ops.gelu_erf import gelu_erf, gelu_erf_gradient
from llmtrace.ops.gelu_tanh import gelu_tanh, gelu_tanh_gradient
from llmtrace.ops.layer_norm import layer_norm, layer_norm_gradient
from llmtrace.ops.linear import linear
from llmtrace.ops.linear_from_heads import linear_from_heads
from llmtrace.ops.linear_to_heads import linear_to_heads
from llmtrace.ops.log import log
from llmtrace.ops.merge_heads import merge_heads
from llmtrace.ops.multiply import multiply
from llmtrace.ops.multiply_by import multiply_by
from llmtrace.ops.normalise import normalise
from llmtrace.ops.op import Array, Op
from llmtrace.ops.outer_sum import outer_sum
from llmtrace.ops.penalise import penalise
from llmtrace.ops.pick import pick
from llmtrace.ops.positions import positions
from llmtrace.ops.product_sum import product_sum
from llmtrace.ops.relu import relu, relu_gradient
from llmtrace.ops.root import root
from llmtrace.ops.row_squares import row_squares
from llmtrace.ops.row_sum import row_sum
from llmtrace.ops.same import same
from llmtrace.ops.sample import sample
from llmtrace.ops.scale import scale
from llmtrace.ops.sigmoid import sigmoid, sigmoid_gradient
from llmtrace.ops.silu import silu, silu_gradient
from llmtrace.ops.softmax import softmax, softmax_gradient
from llmtrace.ops.split_heads import split_heads
from llmtrace.ops.spread import spread
from llmtrace.ops.squared_error import squared_error, squared_error_gradient
from llmtrace.ops.subtract import subtract
from llmtrace.ops.tanh import tanh, tanh_gradient
from llmtrace.ops.tensor import Tensor, Weight
from llmtrace.ops.top_k import top_k
from llmtrace.ops.top_p import top_p
from llmtrace.ops.total import total
from llmtrace.ops.velocity import velocity

OPS: dict[str, Op] = {
    op.name: op
    for op in (
        *(embedding, add, multiply, scale, same, append, argmax),
        *(divide_by, pick, top_k, top_p, sample),
        *(exp, log, tanh, erf, relu, sigmoid, silu, gelu_tanh, gelu_erf),
        *(subtract, divide, root, multiply_by, dropout, squared_error, absolute_error),
        *(squared_error_gradient, absolute_error_gradient, relu_gradient, tanh_gradient, sigmoid_gradient),
        *(silu_gradient, erf_gradient, gelu_tanh_gradient, gelu_erf_gradient),
        *(penalise, velocity, descend, adam_mean, adam_square, adam_update, clip_factor),
        *(layer_norm, softmax, causal_softmax),
        *(linear, linear_to_heads, linear_from_heads, attention_scores, attention_mix),
        *(outer_sum, row_sum, product_sum, embedding_gradient, merge_heads, split_heads, positions),
        *(attention_products, attention_back, softmax_gradient, causal_softmax_gradient),
        *(normalise, layer_norm_gradient, cross_entropy, cross_entropy_gradient, total, spread, row_squares),
    )
}

__all__ = [
    "OPS",
    "Array",
    "Op",
    "Tensor",
    "Weight",
    "absolute_error",
    "absolute_error_gradient",
    "adam_mean",
    "adam_square",
    "adam_update",
    "add",
    "append",
    "argmax",
    "attention_back",
    "attention_mix",
    "attention_products",
    "attention_scores",
    "causal_softmax",
    "causal_softmax_gradient",
    "clip_factor",
    "cross_entropy",
    "cross_entropy_gradient",
    "descend",
    "divide",
    "divide_by",
    "dropout",
    "embedding",
    "embedding_gradient",
    "erf",
    "erf_gradient",
    "exp",
    "gelu_erf",
    "gelu_erf_gradient",
    "gelu_tanh",
    "gelu_tanh_gradient",
    "layer_norm",
    "layer_norm_gradient",
    "linear",
    "linear_from_heads",
    "linear_to_heads",
    "log",
    "merge_heads",
    "multiply",
    "multiply_by",
    "normalise",
    "outer_sum",
    "penalise",
    "pick",
    "positions",
    "product_sum",
    "relu",
    "relu_gradient",
    "root",
    "row_squares",
    "row_sum",
    "same",
    "sample",
    "scale",
    "sigmoid",
    "sigmoid_gradient",
    "silu",
    "silu_gradient",
    "softmax",
    "softmax_gradient",
    "split_heads",
    "spread",
    "squared_error",
    "squared_error_gradient",
    "subtract",
    "tanh",
    "tanh_gradient",
    "top_k",
    "top_p",
    "total",
    "velocity",
]
