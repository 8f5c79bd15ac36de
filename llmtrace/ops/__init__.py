"""All operations, by name. To add one: its file, its line here, and its header in csrc/ where it has an inner loop of its own."""

from llmtrace.arithmetic.types import Array
from llmtrace.ops.attention.attention_back import attention_back
from llmtrace.ops.attention.attention_mix import attention_mix
from llmtrace.ops.attention.attention_products import attention_products
from llmtrace.ops.attention.attention_scores import attention_scores
from llmtrace.ops.attention.causal_softmax import causal_softmax, causal_softmax_gradient
from llmtrace.ops.attention.merge_heads import merge_heads
from llmtrace.ops.attention.split_heads import split_heads
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.elementwise.divide import divide
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.elementwise.dropout import dropout
from llmtrace.ops.elementwise.erf import erf, erf_gradient
from llmtrace.ops.elementwise.exp import exp
from llmtrace.ops.elementwise.gelu_erf import gelu_erf, gelu_erf_gradient
from llmtrace.ops.elementwise.gelu_tanh import gelu_tanh, gelu_tanh_gradient
from llmtrace.ops.elementwise.identity import identity
from llmtrace.ops.elementwise.log import log
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.elementwise.multiply_scalar import multiply_scalar
from llmtrace.ops.elementwise.relu import relu, relu_gradient
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.elementwise.sigmoid import sigmoid, sigmoid_gradient
from llmtrace.ops.elementwise.silu import silu, silu_gradient
from llmtrace.ops.elementwise.sqrt import sqrt
from llmtrace.ops.elementwise.subtract import subtract
from llmtrace.ops.elementwise.tanh import tanh, tanh_gradient
from llmtrace.ops.linear.embedding import embedding, embedding_gradient
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.linear.linear_from_heads import linear_from_heads
from llmtrace.ops.linear.linear_to_heads import linear_to_heads
from llmtrace.ops.linear.sum_outer_products import sum_outer_products
from llmtrace.ops.linear.sum_positions import sum_positions
from llmtrace.ops.linear.sum_products import sum_products
from llmtrace.ops.losses.absolute_error import absolute_error, absolute_error_gradient
from llmtrace.ops.losses.cross_entropy import cross_entropy, cross_entropy_gradient
from llmtrace.ops.losses.cross_entropy_v1 import cross_entropy_v1
from llmtrace.ops.losses.squared_error import squared_error, squared_error_gradient
from llmtrace.ops.op import Op
from llmtrace.ops.optimisers.adam_mean import adam_mean
from llmtrace.ops.optimisers.adam_square import adam_square
from llmtrace.ops.optimisers.adam_update import adam_update
from llmtrace.ops.optimisers.clip_factor import clip_factor
from llmtrace.ops.optimisers.momentum import momentum
from llmtrace.ops.optimisers.regularise import regularise
from llmtrace.ops.optimisers.sgd_step import sgd_step
from llmtrace.ops.rows.broadcast import broadcast
from llmtrace.ops.rows.concatenate import concatenate
from llmtrace.ops.rows.layer_norm import layer_norm, layer_norm_gradient
from llmtrace.ops.rows.normalise import normalise
from llmtrace.ops.rows.select import select
from llmtrace.ops.rows.slice_positions import slice_positions
from llmtrace.ops.rows.softmax import softmax, softmax_gradient
from llmtrace.ops.rows.squared_norm import squared_norm
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.ops.sampling.argmax import argmax
from llmtrace.ops.sampling.sample import sample
from llmtrace.ops.sampling.top_k import top_k
from llmtrace.ops.sampling.top_p import top_p
from llmtrace.ops.tensor import Tensor, Weight, by_name

OPS: dict[str, Op] = {
    op.name: op
    for op in (
        *(embedding, add, multiply, scale, identity, concatenate, argmax),
        *(divide_by, select, top_k, top_p, sample),
        *(exp, log, tanh, erf, relu, sigmoid, silu, gelu_tanh, gelu_erf),
        *(subtract, divide, sqrt, multiply_scalar, dropout, squared_error, absolute_error),
        *(squared_error_gradient, absolute_error_gradient, relu_gradient, tanh_gradient, sigmoid_gradient),
        *(silu_gradient, erf_gradient, gelu_tanh_gradient, gelu_erf_gradient),
        *(regularise, momentum, sgd_step, adam_mean, adam_square, adam_update, clip_factor),
        *(layer_norm, softmax, causal_softmax),
        *(linear, linear_to_heads, linear_from_heads, attention_scores, attention_mix),
        *(
            sum_outer_products,
            sum_positions,
            sum_products,
            embedding_gradient,
            merge_heads,
            split_heads,
            slice_positions,
        ),
        *(attention_products, attention_back, softmax_gradient, causal_softmax_gradient),
        *(
            normalise,
            layer_norm_gradient,
            cross_entropy,
            cross_entropy_gradient,
            cross_entropy_v1,
            sum_all,
            broadcast,
            squared_norm,
        ),
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
    "argmax",
    "attention_back",
    "attention_mix",
    "attention_products",
    "attention_scores",
    "broadcast",
    "by_name",
    "causal_softmax",
    "causal_softmax_gradient",
    "clip_factor",
    "concatenate",
    "cross_entropy",
    "cross_entropy_gradient",
    "cross_entropy_v1",
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
    "identity",
    "layer_norm",
    "layer_norm_gradient",
    "linear",
    "linear_from_heads",
    "linear_to_heads",
    "log",
    "merge_heads",
    "momentum",
    "multiply",
    "multiply_scalar",
    "normalise",
    "regularise",
    "relu",
    "relu_gradient",
    "sample",
    "scale",
    "select",
    "sgd_step",
    "sigmoid",
    "sigmoid_gradient",
    "silu",
    "silu_gradient",
    "slice_positions",
    "softmax",
    "softmax_gradient",
    "split_heads",
    "sqrt",
    "squared_error",
    "squared_error_gradient",
    "squared_norm",
    "subtract",
    "sum_all",
    "sum_outer_products",
    "sum_positions",
    "sum_products",
    "tanh",
    "tanh_gradient",
    "top_k",
    "top_p",
]
