"""GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"), any size.

Letters: T tokens, C width of the residual stream, H heads, D = C / H features of a head, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.models.language_model import LanguageModel
from llmtrace.ops import Tensor
from llmtrace.ops.attention.attention_mix import attention_mix
from llmtrace.ops.attention.attention_scores import attention_scores
from llmtrace.ops.attention.causal_softmax import causal_softmax
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.elementwise.gelu_tanh import gelu_tanh
from llmtrace.ops.linear.embedding import embedding
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.linear.linear_from_heads import linear_from_heads
from llmtrace.ops.linear.linear_to_heads import linear_to_heads
from llmtrace.ops.rows.layer_norm import layer_norm
from llmtrace.trace import Run


@dataclass(frozen=True)
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
            x = self.block(run.within(f"block.{i}"), x)
        x = run("ln_f", layer_norm, x, epsilon=self.config.epsilon)
        return run("logits", linear, x, transposed=True)

    def block(self, run: Run, x: Tensor) -> Tensor:
        """One block, pre-norm: the stream x [*, T, C] flows on, and attention and the MLP each add to it."""
        normed = run("ln_1", layer_norm, x, epsilon=self.config.epsilon)
        x = run("residual_mid", add, x, run.drop("attn.dropout", self.attention(run, normed)))
        normed = run("ln_2", layer_norm, x, epsilon=self.config.epsilon)
        return run("residual_out", add, x, run.drop("mlp.dropout", self.mlp(run, normed)))

    def attention(self, run: Run, x: Tensor) -> Tensor:
        """Every token asks (q), every token answers to some questions (k), and hands over something (v)."""
        q = run("attn.q", linear_to_heads, x, heads=self.config.heads)
        k = run("attn.k", linear_to_heads, x, heads=self.config.heads)
        v = run("attn.v", linear_to_heads, x, heads=self.config.heads)
        k, v = run.remember("attn.keys", k), run.remember("attn.values", v)
        scores = run("attn.scores", attention_scores, q, k)
        pattern = run.drop("attn.pattern.dropout", run("attn.pattern", causal_softmax, scores))
        mix = run("attn.mix", attention_mix, pattern, v)
        return run("attn.out", linear_from_heads, mix)

    def mlp(self, run: Run, x: Tensor) -> Tensor:
        """Each token on its own: many neurons, each bent by GELU, summed back into the width."""
        up = run("mlp.up", linear, x)
        act = run("mlp.act", gelu_tanh, up)
        return run("mlp.down", linear, act)

    def trace_numbers(self, tokens: int, past: int = 0) -> int:
        """How many numbers a trace of so many tokens holds, after `past` that a cache has."""
        c = self.config
        block = tokens * (10 * c.width + 2 * c.hidden) + 2 * c.heads * tokens * (past + tokens)
        return tokens * (4 * c.width + 2 * c.vocabulary) + c.blocks * block
