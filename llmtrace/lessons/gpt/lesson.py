"""GPT: the parts of the lessons before, put together on the bundled model, and counted in models of any size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.gpt import assembled
from llmtrace.lessons.gpt.counts import GPT_2, GPT_3, LLAMA_2_70B, Shape
from llmtrace.lessons.gpt.exercises import EXERCISES
from llmtrace.lessons.gpt.words import LEGEND
from llmtrace.lessons.self_attention.lesson import SENTENCE
from llmtrace.loading import DATA, load
from llmtrace.models import GPT
from llmtrace.trace import Trace
from llmtrace.weights.two_files import SOURCE

NUMBERS = (-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0)
BYTES = 2
"""How many bytes a number takes in most published models."""


@dataclass
class Gpt(Lesson):
    """What the bundled model reads, and the sizes of a model that is counted."""

    name = "gpt"
    legend = LEGEND
    exercises = EXERCISES
    articles = (
        Article(
            "feed-forward: what follows its linear layers",
            "RELU after each of both",
            "'GELU after the first'",
            "ours: only the first is followed by an activation function, in the paper ReLU, in GPT-2 GELU",
        ),
        Article("GPT-3: the width, and the neurons of an MLP", "12,288, 49,152", "pair(gpt_3.width, gpt_3.hidden)"),
        Article("that is times", "4", "gpt_3.hidden / gpt_3.width:.0f"),
        Article(
            "Llama 2 70B: billions of parameters", "70", "llama.total / 1e9:.0f", "both: it is 69.0 billion, called 70"
        ),
        Article("gigabytes of 70 billion parameters at 2 bytes", "140", "called * each:.0f"),
        Article("GPT-2 small: heads × numbers of each = width", "768", "gpt_2[0].width:.0f"),
        Article("GPT-2: the table of the words", "50,257 × 768", "pair(gpt_2[0].vocabulary, gpt_2[0].width, ' × ')"),
    )

    prompt: str = SENTENCE
    vocabulary: int = 1000
    context: int = 64
    width: int = 64
    blocks: int = 2
    block: int = 1

    def check(self) -> None:
        """LessonError where an input is out of range."""
        self.require_within(
            {"vocabulary": (10, 10**6), "context": (1, 10**6), "width": (4, 10**5), "blocks": (1, 1000)}
        )
        self.require_within({"block": (0, self.model.config.blocks - 1)})
        if not self.prompt.strip() or len(self.model.ids(self.prompt)) > self.model.config.context:
            raise LessonError(_("the prompt must have from 1 to {count} tokens", count=self.model.config.context))

    def pair(self, first: int, second: int, between: str = ", ") -> str:
        """Two large numbers."""
        return f"{first:,}{between}{second:,}"

    # ---- the bundled model ---------------------------------------------------------------------------------------------

    @cached_property
    def model(self) -> GPT:
        """The bundled model."""
        model = load()
        assert isinstance(model, GPT)
        return model

    @cached_property
    def real(self) -> Trace:
        """The bundled model at the prompt."""
        return self.model.trace(self.prompt)

    @cached_property
    def ids(self) -> Array:
        """The numbers of the tokens."""
        return self.model.ids(self.prompt)

    @property
    def depth(self) -> int:
        """How many blocks it has."""
        return int(self.model.config.blocks)

    @property
    def boxes(self) -> list[tuple[Any, ...]]:
        """Each box, the lesson that builds it, and the shape of what comes out."""
        c, t = self.model.config, len(self.ids)
        rows = (
            (_("tokens"), "tokenizers", f"{t}"),
            (_("vectors of tokens and places"), "embeddings, positions", f"{t} × {c.width}"),
            (_("layer norm"), "layer-normalisation", f"{t} × {c.width}"),
            (_("attention, in heads"), "self-attention, multi-head-attention", f"{t} × {c.width}"),
            (_("added to the stream"), "residual-connections", f"{t} × {c.width}"),
            (_("layer norm, MLP, added"), "leaf-or-flower", f"{t} × {c.width}"),
            (_("… and so for each block"), "", f"{t} × {c.width}"),
            (_("layer norm, scores"), "vectors-and-spaces", f"{t} × {c.vocabulary}"),
            (_("shares, and one token"), "softmax-and-sampling", "1"),
        )
        return list(rows)

    def rows(self) -> Array:
        """The vectors of tokens and places, added."""
        return assembled.rows(self.model, self.ids)

    def normed(self, block: int, number: int, x: Array) -> Array:
        """The first or the second layer norm of a block."""
        return assembled.normed(self.model, f"block.{block}.ln_{number}", x)

    def attention(self, block: int, x: Array) -> Array:
        """What the attention of a block adds."""
        return assembled.attention(self.model, block, x)

    def mlp(self, block: int, x: Array) -> Array:
        """What the MLP of a block adds."""
        return assembled.mlp(self.model, block, x)

    def scores(self, x: Array) -> Array:
        """The score of each token as the next one."""
        return assembled.scores(self.model, x)

    def word(self, scores: Array) -> str:
        """The token with the largest score."""
        return self.model.token_text(int(scores.argmax()))

    @cached_property
    def own_scores(self) -> Array:
        """The scores of the model that is put together here."""
        x = self.rows()
        for n in range(self.depth):
            x = x + self.attention(n, self.normed(n, 1, x))
            x = x + self.mlp(n, self.normed(n, 2, x))
        return self.scores(x)

    @property
    def same_bits(self) -> bool:
        """Whether they have the same bits as the model's."""
        return self.own_scores.tobytes() == self.real.tensor("logits").tobytes()

    # ---- the MLP -------------------------------------------------------------------------------------------------------

    @cached_property
    def bent(self) -> Trace:
        """What ReLU and GELU make of some numbers."""
        return assembled.bent(NUMBERS)

    @property
    def bends(self) -> list[tuple[Any, ...]]:
        """The same as a table."""
        columns = (self.recorded("bent", name) for name in ("x", "bent.relu", "bent.gelu"))
        return list(zip(*columns, strict=True))

    @cached_property
    def alone(self) -> Trace:
        """The MLP of a block for the last token alone."""
        return assembled.alone(self.model, self.real, self.block)

    @cached_property
    def lonely(self) -> Trace:
        """The whole model at the last token alone."""
        return self.model.trace(self.ids[-1:].tolist())

    @property
    def lonely_answer(self) -> str:
        """What it says then."""
        return self.word(self.lonely.tensor("logits")[-1]).replace(" ", "_")

    @property
    def alone_the_same(self) -> bool:
        """Whether it adds the same bits as beside all others."""
        return (
            self.alone.tensor("alone.down")[0].tobytes()
            == self.real.tensor(f"block.{self.block}.mlp.down")[-1].tobytes()
        )

    @property
    def alone_table(self) -> list[tuple[Any, ...]]:
        """Some of what it adds to the last token, alone and beside all others."""
        beside = self.recorded("real", f"block.{self.block}.mlp.down", -1)
        return [(n, self.recorded("alone", "alone.down", 0, n), beside[n]) for n in (0, 1, 2, 3)]

    @property
    def hidden(self) -> int:
        """The neurons of an MLP of the bundled model."""
        return int(self.model.config.hidden)

    # ---- on the way ----------------------------------------------------------------------------------------------------

    @property
    def stages(self) -> list[str]:
        """The stream before the first block, and after each part."""
        parts = [f"block.{n}.residual_{part}" for n in range(self.depth) for part in ("mid", "out")]
        return ["embed", *parts]

    @cached_property
    def early(self) -> Trace:
        """What the model would say of the last token after each part."""
        return assembled.ended_early(self.model, self.real, self.stages)

    @property
    def early_table(self) -> list[tuple[Any, ...]]:
        """The likeliest token after each part, and the share of the one that the whole model says."""
        own, rows = int(self.real["next_token"].output[-1]), []
        for n, stage in enumerate(self.stages):
            shares = self.recorded("early", f"after.{n}.shares")
            best = int(np.argmax(shares))
            rows.append((stage, self.model.token_text(best).replace(" ", "_"), shares[best], shares[own]))
        return rows

    @property
    def jump(self) -> str:
        """After which part the share of what the whole model says has grown most."""
        shares = [float(row[3]) for row in self.early_table]
        grown = [after - before for before, after in pairwise(shares)]
        return self.stages[1 + grown.index(max(grown))]

    @property
    def answer(self) -> str:
        """What the whole model says."""
        return self.word(self.own_scores[-1]).replace(" ", "_")

    # ---- counting ------------------------------------------------------------------------------------------------------

    def shape_of(self, name: str, model: GPT) -> Shape:
        """The sizes of a model."""
        c = model.config
        return Shape(name, c.vocabulary, c.context, c.width, c.blocks, c.heads)

    @property
    def bundled(self) -> Shape:
        """The sizes of the bundled model."""
        return self.shape_of(self.model.name, self.model)

    @property
    def counted(self) -> int:
        """How many numbers the weights of the bundled model really have."""
        weights = {weight.name: weight for weight in self.model.weights.values()}
        return sum(weight.data.size for weight in weights.values())

    @property
    def parts(self) -> list[tuple[Any, ...]]:
        """The parts of the bundled model, how their parameters are counted, and how many there are."""
        s = self.bundled
        return [
            (_("tables"), f"({s.vocabulary} + {s.context}) × {s.width}", s.embedding),
            (_("attention"), f"{s.blocks} × 4 × ({s.width} × {s.width} + {s.width})", s.blocks * s.attention),
            ("MLP", f"{s.blocks} × (2 × {s.width} × {s.hidden} + {s.hidden} + {s.width})", s.blocks * s.mlp),
            (_("layer norms"), f"({s.blocks} × 2 + 1) × 2 × {s.width}", s.blocks * s.norms + 2 * s.width),
            (_("together"), "", s.total),
        ]

    @property
    def own(self) -> Shape:
        """The model whose sizes are given."""
        return Shape(_("your own"), self.vocabulary, self.context, self.width, self.blocks, 1)

    @property
    def gpt_2(self) -> tuple[Shape, ...]:
        """The four sizes of GPT-2."""
        return GPT_2

    @property
    def gpt_3(self) -> Shape:
        """The largest GPT-3."""
        return GPT_3

    @property
    def llama(self) -> Any:
        """The largest Llama 2."""
        return LLAMA_2_70B

    @property
    def called(self) -> int:
        """How many billions of parameters its name says."""
        return 70

    @property
    def each(self) -> int:
        """How many bytes a number takes."""
        return BYTES

    @property
    def families(self) -> list[tuple[Any, ...]]:
        """Models of several sizes and their parameters."""
        shapes = (self.own, self.bundled, *GPT_2, GPT_3)
        return [(s.name, s.blocks, s.width, s.vocabulary, s.total, s.total * BYTES / 1e9) for s in shapes]

    @property
    def program_lines(self) -> int:
        """How many lines the program of two files has."""
        return len(SOURCE.read_text(encoding="utf-8").splitlines())

    @property
    def files(self) -> list[tuple[Any, ...]]:
        """The files of the bundled model and their sizes."""
        folder = DATA / self.model.reference
        return [(path.name, path.stat().st_size) for path in sorted(Path(folder).iterdir()) if path.suffix != ".md"]
