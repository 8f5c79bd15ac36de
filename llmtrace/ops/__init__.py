"""All operations, by name: every op that is imported here. To add one: its file, its line here, and its kernel in csrc/."""

from llmtrace.ops.attention.attention_back import attention_back
from llmtrace.ops.attention.attention_mix import attention_mix
from llmtrace.ops.attention.attention_products import attention_products
from llmtrace.ops.attention.attention_scores import attention_scores
from llmtrace.ops.attention.causal_softmax import causal_softmax, causal_softmax_gradient
from llmtrace.ops.attention.full_back import full_back
from llmtrace.ops.attention.full_mix import full_mix, full_products
from llmtrace.ops.attention.full_scores import full_scores
from llmtrace.ops.attention.heads import merge_heads, split_heads
from llmtrace.ops.attention.repeat_heads import repeat_heads, sum_heads
from llmtrace.ops.attention.rotate import rotate
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.elementwise.cos import cos, cos_gradient
from llmtrace.ops.elementwise.divide import divide
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.elementwise.dropout import dropout
from llmtrace.ops.elementwise.edit import edit
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
from llmtrace.ops.elementwise.sin import sin, sin_gradient
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
from llmtrace.ops.rows.rms_norm import rms_norm, rms_norm_gradient, rms_scaled
from llmtrace.ops.rows.select import select
from llmtrace.ops.rows.slice_positions import slice_positions
from llmtrace.ops.rows.softmax import softmax, softmax_gradient
from llmtrace.ops.rows.squared_norm import squared_norm
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.ops.sampling.argmax import argmax
from llmtrace.ops.sampling.repetition_penalty import repetition_penalty
from llmtrace.ops.sampling.sample import sample
from llmtrace.ops.sampling.top_k import top_k
from llmtrace.ops.sampling.top_p import top_p
from llmtrace.ops.tensor import Tensor, Weight, by_name

OPS: dict[str, Op] = {op.name: op for op in list(globals().values()) if isinstance(op, Op)}

__all__ = ["OPS", "Op", "Tensor", "Weight", "by_name"]
