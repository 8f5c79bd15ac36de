"""Llama (Touvron et al. 2023, arXiv:2302.13971, arXiv:2307.09288), any size, and its kin: Mistral, Qwen2, SmolLM2.

Letters: T tokens, C width of the residual stream, H heads of queries, G heads of keys and values, D features of a head,
V vocabulary.
"""

from __future__ import annotations

from llmtrace.arithmetic.turns import turns
from llmtrace.errors import ModelError
from llmtrace.frozen import frozen
from llmtrace.i18n import _, listed
from llmtrace.models.language_model import LanguageModel
from llmtrace.models.llama_words import LLAMA_LEGEND
from llmtrace.ops import Tensor
from llmtrace.ops.attention.attention_mix import attention_mix
from llmtrace.ops.attention.attention_scores import attention_scores
from llmtrace.ops.attention.causal_softmax import causal_softmax
from llmtrace.ops.attention.repeat_heads import repeat_heads
from llmtrace.ops.attention.rotate import rotate
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.elementwise.silu import silu
from llmtrace.ops.linear.embedding import embedding
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.linear.linear_from_heads import linear_from_heads
from llmtrace.ops.linear.linear_to_heads import linear_to_heads
from llmtrace.ops.rows.rms_norm import rms_norm
from llmtrace.text import cited
from llmtrace.trace import Run

LAYOUTS = ("half", "interleaved")
"""Which numbers of a row are turned together: i and i + D/2, as Hugging Face stores the weights, or 2i and 2i + 1, as the
paper has it."""


@frozen
class LlamaConfig:
    """The sizes of a Llama."""

    vocabulary: int
    """V, how many tokens it knows."""
    context: int
    """The longest text it can read, in tokens."""
    width: int
    """C, how many numbers stand for a token inside."""
    heads: int
    """H, how many places each block attends to at once."""
    kv_heads: int
    """G, how many heads of keys and values there are for them; divides H. Each is shared by H / G heads of queries."""
    head_size: int
    """D, how many features a head has: even, for they are turned in pairs. Usually C / H."""
    blocks: int
    """How many blocks are stacked."""
    hidden: int
    """How many neurons the MLP of a block has."""
    epsilon: float = 1e-5
    """What RMS norm adds to the mean of the squares."""
    base: float = 10000.0
    """Position p turns pair i by the angle p · base^(−2i/D)."""
    layout: str = "half"
    """Which numbers are a pair; one of `LAYOUTS`."""
    qkv_bias: bool = False
    """Whether queries, keys and values have a bias, as in Qwen2."""
    out_bias: bool = False
    """Whether what attention adds to the stream has one."""

    def __post_init__(self) -> None:
        if self.kv_heads and self.heads % self.kv_heads:
            text = _("{heads} heads can't share {kv_heads} heads of keys and values evenly")
            raise ModelError(text.format(heads=self.heads, kv_heads=self.kv_heads))
        if self.head_size % 2:
            text = _("a head of {size} features can't be turned in pairs: their number must be even")
            raise ModelError(text.format(size=self.head_size))
        if self.layout not in LAYOUTS:
            text = _("there is no rotary layout {name}; choose one of {names}")
            raise ModelError(text.format(name=cited(self.layout), names=listed(LAYOUTS)))


class Llama(LanguageModel):
    """Token embedding, then blocks of attention and MLP around a residual stream, then one score per token."""

    config: LlamaConfig
    legend = LLAMA_LEGEND

    def forward(self, run: Run, tokens: Tensor, positions: Tensor) -> Tensor:
        """Token ids [*, T] at positions [*, T] → logits [*, T, V]."""
        angles = self.angles(run, positions)
        x = run.drop("embed.dropout", run("embed", embedding, tokens, weights="embed.token"))
        for i in range(self.config.blocks):
            x = self.block(run.within(f"block.{i}"), x, angles)
        x = run("ln_f", rms_norm, x, epsilon=self.config.epsilon)
        return run("logits", linear, x, transposed=True)

    def angles(self, run: Run, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines [*, T, D/2] of the angles of these positions: constants, which nothing learns."""
        c = self.config
        found = turns(positions.data, c.head_size // 2, c.base, self.weights["embed.token.weight"].dtype)
        axes = (*("batch", "position")[-positions.data.ndim :], "pair")
        return run.leaf("rotary.cosine", found.cosine, axes), run.leaf("rotary.sine", found.sine, axes)

    def block(self, run: Run, x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
        """One block, pre-norm: the stream x [*, T, C] flows on, and attention and the MLP each add to it."""
        normed = run("ln_1", rms_norm, x, epsilon=self.config.epsilon)
        x = run("residual_mid", add, x, run.drop("attn.dropout", self.attention(run, normed, angles)))
        normed = run("ln_2", rms_norm, x, epsilon=self.config.epsilon)
        return run("residual_out", add, x, run.drop("mlp.dropout", self.mlp(run, normed)))

    def attention(self, run: Run, x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
        """As in GPT-2, but questions and labels are turned by the angle of their place, and labels and values are shared."""
        c = self.config
        q = run("attn.q", linear_to_heads, x, heads=c.heads)
        k = run("attn.k", linear_to_heads, x, heads=c.kv_heads)
        v = run("attn.v", linear_to_heads, x, heads=c.kv_heads)
        q = run("attn.q.rotated", rotate, q, *angles, interleaved=c.layout == "interleaved")
        k = run("attn.k.rotated", rotate, k, *angles, interleaved=c.layout == "interleaved")
        k, v = run.remember("attn.keys", k), run.remember("attn.values", v)
        if c.kv_heads != c.heads:
            k = run("attn.k.shared", repeat_heads, k, copies=c.heads // c.kv_heads)
            v = run("attn.v.shared", repeat_heads, v, copies=c.heads // c.kv_heads)
        scores = run("attn.scores", attention_scores, q, k)
        pattern = run.drop("attn.pattern.dropout", run("attn.pattern", causal_softmax, scores))
        mix = run("attn.mix", attention_mix, pattern, v)
        return run("attn.out", linear_from_heads, mix)

    def mlp(self, run: Run, x: Tensor) -> Tensor:
        """Each token on its own (SwiGLU): what neurons say is multiplied by how far their gates are open, then summed back."""
        act = run("mlp.act", silu, run("mlp.gate", linear, x))
        product = run("mlp.product", multiply, act, run("mlp.up", linear, x))
        return run("mlp.down", linear, product)

    def trace_numbers(self, tokens: int, past: int = 0) -> int:
        """How many numbers a trace of so many tokens holds, after `past` that a cache has."""
        c = self.config
        queries, keys, seen = c.heads * c.head_size, c.kv_heads * c.head_size, past + tokens
        block = tokens * (6 * c.width + 3 * queries + 3 * keys + 4 * c.hidden) + 2 * c.heads * tokens * seen
        block += (2 * queries * seen if c.kv_heads != c.heads else 0) + (4 * keys * seen if past else 0)
        return tokens * (2 * c.width + c.head_size + 2 * c.vocabulary) + c.blocks * block

    def residual_numbers(self, tokens: int, past: int = 0) -> int:
        """How many numbers there are at most at once while a trace is made that keeps only the residual stream."""
        c = self.config
        return (c.blocks + 1) * tokens * c.width + self.work_numbers(tokens, past)

    def work_numbers(self, tokens: int, past: int = 0) -> int:
        """How many of them are not of the residual stream."""
        c = self.config
        queries, keys, seen = c.heads * c.head_size, c.kv_heads * c.head_size, past + tokens
        cached = c.blocks * 4 * keys * seen if past else 0
        block = (2 + (queries != c.width)) * c.width + 2 * queries + (2 + (c.kv_heads != c.heads)) * keys + 3 * c.hidden
        return tokens * block + cached
