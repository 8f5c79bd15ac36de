"""The Transformer (Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762): an encoder and a decoder.

Letters: S tokens of the source, T of the target, C width, H heads, D = C / H features of a head, V vocabulary.
"""

from __future__ import annotations

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import ModelError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.models.reading import Reading, SourceModel
from llmtrace.models.sinusoids import sinusoids
from llmtrace.models.transformer_legend import TRANSFORMER_LEGEND
from llmtrace.ops import Tensor
from llmtrace.ops.attention.attention_mix import attention_mix
from llmtrace.ops.attention.attention_scores import attention_scores
from llmtrace.ops.attention.causal_softmax import causal_softmax
from llmtrace.ops.attention.full_mix import full_mix
from llmtrace.ops.attention.full_scores import full_scores
from llmtrace.ops.elementwise.add import add
from llmtrace.ops.elementwise.relu import relu
from llmtrace.ops.elementwise.scale import scale
from llmtrace.ops.linear.embedding import embedding
from llmtrace.ops.linear.linear import linear
from llmtrace.ops.linear.linear_from_heads import linear_from_heads
from llmtrace.ops.linear.linear_to_heads import linear_to_heads
from llmtrace.ops.rows.layer_norm import layer_norm
from llmtrace.ops.rows.softmax import softmax
from llmtrace.trace import Run


@frozen
class TransformerConfig:
    """The sizes of a Transformer."""

    vocabulary: int
    """V, how many tokens it knows, those of both languages together."""
    context: int
    """The longest text it can read or write, in tokens."""
    width: int
    """C, how many numbers stand for a token inside."""
    heads: int
    """H, how many places each attention looks at at once; divides the width."""
    blocks: int
    """N, how many blocks the encoder has, and the decoder too."""
    hidden: int
    """How many neurons the MLP of a block has; 4·C in the paper."""
    start: int
    """The token that the decoder reads first."""
    epsilon: float = 1e-5
    """What layer norm adds to the variance."""

    def __post_init__(self) -> None:
        if self.heads and self.width % self.heads:
            raise ModelError(
                _("a width of {width} can't be split into {heads} heads", width=self.width, heads=self.heads)
            )


class Transformer(SourceModel):
    """The encoder reads the source once; the decoder writes the target token by token, looking at both.

    As in the paper: one table of tokens for source, target and scores, times √C; sines and cosines for places; layer norm after
    every sum; ReLU.
    """

    config: TransformerConfig
    legend = TRANSFORMER_LEGEND

    def forward(self, run: Run, tokens: Tensor, positions: Tensor, source: Tensor | None = None) -> Tensor:
        """Source ids [*, S], target ids [*, T] at positions [*, T] → logits [*, T, V].

        source: None where a cache holds what the decoder needs of it.
        """
        memory = None if source is None else self.encoder(run, source)
        x = self.embed(run, "decoder.embed", tokens, positions.data)
        for i in range(self.config.blocks):
            x = self.decoder_block(run.within(f"decoder.block.{i}"), x, memory)
        return run("logits", linear, x, transposed=True)

    def encoder(self, run: Run, source: Tensor) -> Tensor:
        """Source ids [*, S] → what the decoder looks at, [*, S, C]."""
        places = np.broadcast_to(np.arange(source.data.shape[-1]), source.data.shape)
        x = self.embed(run, "encoder.embed", source, places)
        for i in range(self.config.blocks):
            x = self.encoder_block(run.within(f"encoder.block.{i}"), x)
        return x

    def embed(self, run: Run, name: str, tokens: Tensor, places: Array) -> Tensor:
        """Token ids [*, T] → rows [*, T, C]: √C times the row of the table, plus the code of the place."""
        token = run(f"{name}.token", embedding, tokens, weights="embed.token")
        scaled = run(f"{name}.scaled", scale, token, factor=self.config.width**0.5)
        codes = sinusoids(self.config.context, self.config.width)[places].astype(token.data.dtype)
        position = run.leaf(f"{name}.position", codes, token.axes)
        return run.drop(f"{name}.dropout", run(name, add, scaled, position))

    def encoder_block(self, run: Run, x: Tensor) -> Tensor:
        """Every token of the source looks at all of them; then the MLP. Each adds to x [*, S, C], and layer norm follows."""
        x = self.add_and_norm(run, "attn", "residual_mid", "ln_1", x, self.attention(run, x))
        return self.add_and_norm(run, "mlp", "residual_out", "ln_2", x, self.mlp(run, x))

    def decoder_block(self, run: Run, x: Tensor, memory: Tensor | None) -> Tensor:
        """Every token of the target looks at itself and the earlier ones, then at the source; then the MLP."""
        x = self.add_and_norm(run, "attn", "residual_attn", "ln_1", x, self.causal_attention(run, x))
        x = self.add_and_norm(run, "cross", "residual_cross", "ln_2", x, self.cross_attention(run, x, memory))
        return self.add_and_norm(run, "mlp", "residual_out", "ln_3", x, self.mlp(run, x))

    def add_and_norm(self, run: Run, part: str, total: str, norm: str, x: Tensor, new: Tensor) -> Tensor:
        """Layer norm of x + new: the paper's "Add & Norm", the norm after the sum."""
        added = run(total, add, x, run.drop(f"{part}.dropout", new))
        return run(norm, layer_norm, added, epsilon=self.config.epsilon)

    def attention(self, run: Run, x: Tensor) -> Tensor:
        """Attention of the encoder: nothing is masked."""
        q, k, v = (run(f"attn.{name}", linear_to_heads, x, heads=self.config.heads) for name in "qkv")
        pattern = run("attn.pattern", softmax, run("attn.scores", full_scores, q, k))
        return run("attn.out", linear_from_heads, run("attn.mix", full_mix, pattern, v))

    def causal_attention(self, run: Run, x: Tensor) -> Tensor:
        """Attention of the decoder to what it has written."""
        q, k, v = (run(f"attn.{name}", linear_to_heads, x, heads=self.config.heads) for name in "qkv")
        k, v = run.remember("attn.keys", k), run.remember("attn.values", v)
        pattern = run("attn.pattern", causal_softmax, run("attn.scores", attention_scores, q, k))
        return run("attn.out", linear_from_heads, run("attn.mix", attention_mix, pattern, v))

    def cross_attention(self, run: Run, x: Tensor, memory: Tensor | None) -> Tensor:
        """Attention of the decoder to the source: it asks (q), and what the encoder has made answers (k) and hands over (v)."""
        q = run("cross.q", linear_to_heads, x, heads=self.config.heads)
        k, v = (
            run.keep(
                f"cross.{name}",
                None if memory is None else run(f"cross.{name}", linear_to_heads, memory, heads=self.config.heads),
                ("head", "source", "feature"),
            )
            for name in "kv"
        )
        pattern = run("cross.pattern", softmax, run("cross.scores", full_scores, q, k))
        return run("cross.out", linear_from_heads, run("cross.mix", full_mix, pattern, v))

    def mlp(self, run: Run, x: Tensor) -> Tensor:
        """Each token on its own: many neurons, each cut off at 0, summed back into the width."""
        return run("mlp.down", linear, run("mlp.act", relu, run("mlp.up", linear, x)))

    def reading(self, source: Array) -> Reading:
        """The decoder with a source [S], or [batch, S], to look at."""
        return Reading(self, source)

    def trace_numbers(self, tokens: int, past: int = 0, source: int = 0) -> int:
        """How many numbers a trace of so many target tokens and source tokens holds; with a `past`, no encoder is run."""
        c, read = self.config, 0 if past else source
        encoder = read * (11 * c.width + 2 * c.hidden) + 2 * c.heads * read * read
        decoder = tokens * (17 * c.width + 2 * c.hidden) + 2 * read * c.width
        decoder += 2 * c.heads * tokens * (past + tokens + source)
        return (tokens + read) * 4 * c.width + 2 * tokens * c.vocabulary + c.blocks * (encoder + decoder)
