"""GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"), any size.

Letters: T tokens, C width of the residual stream, H heads, D = C / H features of a head, V vocabulary.
"""

from __future__ import annotations

import math

from llmtrace.errors import ModelError
from llmtrace.frozen import frozen
from llmtrace.i18n import _, listed
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.models.language_model import LanguageModel
from llmtrace.ops import Op, Tensor
from llmtrace.ops.attention.attention_mix import attention_mix
from llmtrace.ops.attention.attention_scores import attention_scores
from llmtrace.ops.attention.causal_softmax import causal_softmax
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.elementwise.gelu_erf import gelu_erf
from llmtrace.ops.elementwise.gelu_tanh import gelu_tanh
from llmtrace.ops.elementwise.relu import relu
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.elementwise.silu import silu
from llmtrace.ops.elementwise.tanh import tanh
from llmtrace.ops.linear.embedding import embedding
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.linear.linear_from_heads import linear_from_heads
from llmtrace.ops.linear.linear_to_heads import linear_to_heads
from llmtrace.ops.rows.layer_norm import layer_norm
from llmtrace.text import cited
from llmtrace.trace import Run


@frozen
class GPTConfig:
    """The sizes of a GPT-2."""

    vocabulary: int
    """V, how many tokens it knows."""
    context: int
    """The longest text it can read, in tokens."""
    width: int
    """C, how many numbers stand for a token inside."""
    heads: int
    """H, how many places each block attends to at once; divides the width."""
    blocks: int
    """How many blocks are stacked."""
    hidden: int
    """How many neurons the MLP of a block has; 4·C in GPT-2."""
    epsilon: float = 1e-5
    """What layer norm adds to the variance."""
    activation: str = "gelu_new"
    """How the neurons of the MLP react; one of `ACTIVATIONS`."""
    divided_by_root: bool = True
    """Whether the scores of attention are divided by √D."""
    divided_by_layer: bool = False
    """Whether the scores of block n are divided by n + 1."""

    def __post_init__(self) -> None:
        if self.heads and self.width % self.heads:
            raise ModelError(
                _("a width of {width} can't be split into {heads} heads", width=self.width, heads=self.heads)
            )
        if self.activation not in ACTIVATIONS:
            text = _("there is no activation function {name}; choose one of {names}")
            raise ModelError(text.format(name=cited(self.activation), names=listed(ACTIVATIONS)))


ACTIVATIONS: dict[str, Op] = {"gelu_new": gelu_tanh, "gelu": gelu_erf, "relu": relu, "silu": silu, "tanh": tanh}
"""The activation functions, by the names that Hugging Face has for them."""


class GPT(LanguageModel):
    """Token and position embedding, then blocks of attention and MLP around a residual stream, then one score per token."""

    config: GPTConfig
    legend = GPT_LEGEND

    def forward(self, run: Run, tokens: Tensor, positions: Tensor) -> Tensor:
        """Token ids [*, T] at positions [*, T] → logits [*, T, V]."""
        token = run("embed.token", embedding, tokens)
        position = run("embed.position", embedding, positions)
        x = run.drop("embed.dropout", run("embed", add, token, position))
        for i in range(self.config.blocks):
            x = self.block(run.within(f"block.{i}"), x, i)
        x = run("ln_f", layer_norm, x, epsilon=self.config.epsilon)
        return run("logits", linear, x, transposed=True)

    def block(self, run: Run, x: Tensor, number: int) -> Tensor:
        """One block, pre-norm: the stream x [*, T, C] flows on, and attention and the MLP each add to it."""
        normed = run("ln_1", layer_norm, x, epsilon=self.config.epsilon)
        x = run("residual_mid", add, x, run.drop("attn.dropout", self.attention(run, normed, number)))
        normed = run("ln_2", layer_norm, x, epsilon=self.config.epsilon)
        return run("residual_out", add, x, run.drop("mlp.dropout", self.mlp(run, normed)))

    def attention(self, run: Run, x: Tensor, number: int) -> Tensor:
        """Every token asks (q), every token answers to some questions (k), and hands over something (v)."""
        q = run("attn.q", linear_to_heads, x, heads=self.config.heads)
        k = run("attn.k", linear_to_heads, x, heads=self.config.heads)
        v = run("attn.v", linear_to_heads, x, heads=self.config.heads)
        k, v = run.remember("attn.keys", k), run.remember("attn.values", v)
        scores = run("attn.scores", attention_scores, q, k)
        factor = self.scores_factor(number)
        if factor != 1:
            scores = run("attn.scores.scaled", scale, scores, factor=factor)
        pattern = run.drop("attn.pattern.dropout", run("attn.pattern", causal_softmax, scores))
        mix = run("attn.mix", attention_mix, pattern, v)
        return run("attn.out", linear_from_heads, mix)

    def mlp(self, run: Run, x: Tensor) -> Tensor:
        """Each token on its own: many neurons, each bent by its activation function, summed back into the width."""
        up = run("mlp.up", linear, x)
        act = run("mlp.act", ACTIVATIONS[self.config.activation], up)
        return run("mlp.down", linear, act)

    def scores_factor(self, number: int) -> float:
        """What the scores of a block are multiplied by, beside the usual 1/√D."""
        factor = 1.0 if self.config.divided_by_root else math.sqrt(self.config.width // self.config.heads)
        return factor / (number + 1) if self.config.divided_by_layer else factor

    def trace_numbers(self, tokens: int, past: int = 0) -> int:
        """How many numbers a trace of so many tokens holds, after `past` that a cache has."""
        c = self.config
        block = tokens * (10 * c.width + 2 * c.hidden) + 2 * c.heads * tokens * (past + tokens)
        if past:  # the cache's keys and values, and these with the new ones behind them
            block += 2 * c.width * (past + past + tokens)
        scaled = sum(self.scores_factor(n) != 1 for n in range(c.blocks)) * c.heads * tokens * (past + tokens)
        return tokens * (4 * c.width + 2 * c.vocabulary) + c.blocks * block + scaled

    def residual_numbers(self, tokens: int, past: int = 0) -> int:
        """How many numbers there are at most at once while a trace is made that keeps only the residual stream."""
        c = self.config
        return (c.blocks + 1) * tokens * c.width + self.work_numbers(tokens, past)

    def work_numbers(self, tokens: int, past: int = 0) -> int:
        """How many of them are not of the residual stream."""
        c = self.config
        cached = c.blocks * 2 * c.width * (past + past + tokens) if past else 0
        return tokens * (7 * c.width + 2 * c.hidden) + cached  # of one block: memory of the same size is used again
