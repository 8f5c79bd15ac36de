"""Llama: what changed after GPT-2, each part beside the one that it replaced, on a small model that is trained here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llmtrace.errors import LessonError
from llmtrace.i18n import _
from llmtrace.lessons.framework.lesson import Lesson
from llmtrace.lessons.llama import nets
from llmtrace.lessons.llama.exercises import EXERCISES
from llmtrace.lessons.llama.words import LEGEND
from llmtrace.models import GPT, LanguageModel, Llama
from llmtrace.trace import Trace

MOVES = (0, 1, 5, 20)
NEURONS, PLACES = 6, 7
LETTERS = 12
"""How many letters are written on."""


@dataclass
class LlamaLesson(Lesson):
    """A row of numbers for the norms, what the small model reads, and how it is trained."""

    name = "llama"
    legend = LEGEND
    exercises = EXERCISES
    trained_model = "model"
    chosen = "the first weights, drawn at random."

    row: tuple[float, float, float, float] = (4.0, 2.0, 3.0, 7.0)
    prompt: str = "the cat s"
    kv_heads: int = 2
    steps: int = 80
    seed: int = 0

    def check(self) -> None:
        """LessonError where an input is out of range."""
        self.require_within({"kv_heads": (1, nets.HEADS), "steps": (10, 1000)})
        if nets.HEADS % self.kv_heads:
            raise LessonError(_("kv_heads must be 1, 2 or 4, so that all are shared by as many"))
        if not 2 <= len(self.prompt) <= nets.CONTEXT - LETTERS or set(self.prompt) - set(nets.TEXT):
            raise LessonError(
                _("the prompt must have from 2 to {count} letters of the text", count=nets.CONTEXT - LETTERS)
            )

    # ---- the norms -----------------------------------------------------------------------------------------------------

    @cached_property
    def norms(self) -> Trace:
        """Both norms of the row."""
        return nets.norms(self.row)

    @property
    def normed(self) -> list[tuple[Any, ...]]:
        """The row before and after."""
        return list(zip(*(self.recorded("norms", name) for name in ("row", "row.layer", "row.rms")), strict=True))

    @property
    def means(self) -> tuple[float, float]:
        """What both norms leave as the mean."""
        layer, rms = (float(self.norms.tensor(name).mean()) for name in ("row.layer", "row.rms"))
        return layer, rms

    # ---- the small model -----------------------------------------------------------------------------------------------

    @cached_property
    def _trained(self) -> tuple[LanguageModel, list[float]]:
        return nets.trained(nets.small_llama(self.kv_heads, self.seed), self.steps, self.seed)

    @property
    def model(self) -> Llama:
        """The small Llama, trained."""
        model = self._trained[0]
        assert isinstance(model, Llama)
        return model

    @cached_property
    def _other(self) -> tuple[LanguageModel, list[float]]:
        return nets.trained(nets.small_gpt(self.seed), self.steps, self.seed)

    @property
    def other(self) -> GPT:
        """The GPT of the same sizes, trained alike."""
        model = self._other[0]
        assert isinstance(model, GPT)
        return model

    @cached_property
    def run(self) -> Trace:
        """The small Llama at the prompt."""
        return nets.moved(self.model, self.model.ids(self.prompt), 0)

    @property
    def learned(self) -> list[tuple[Any, ...]]:
        """The losses of both on the way."""
        places = sorted({0, self.steps // 4, self.steps // 2, self.steps - 1})
        return [(step + 1, self._other[1][step], self._trained[1][step]) for step in places]

    def written(self, model: LanguageModel) -> str:
        """The prompt, written on by the likeliest letters."""
        ids = model.ids(self.prompt).tolist()
        for _letter in range(LETTERS):
            ids.append(int(model.logits(ids)[-1].argmax()))
        return model.text(ids)

    @cached_property
    def other_run(self) -> Trace:
        """The small GPT at the prompt."""
        return self.other.trace(self.prompt)

    # ---- places --------------------------------------------------------------------------------------------------------

    @property
    def last(self) -> int:
        """The place of the last letter."""
        return len(self.prompt) - 1

    @cached_property
    def hands(self) -> Trace:
        """Two pairs, turned at some places."""
        return nets.hands(PLACES)

    @property
    def hands_table(self) -> list[tuple[Any, ...]]:
        """Both numbers of the fast pair, and of the slow one."""
        turned = self.recorded("hands", "hand.turned", 0)
        return [(place, row[0], row[2], row[1], row[3]) for place, row in enumerate(turned)]

    @cached_property
    def later(self) -> Trace:
        """The small Llama at the prompt, which begins at a later place."""
        return nets.moved(self.model, self.model.ids(self.prompt), MOVES[-1])

    @property
    def moves(self) -> list[tuple[Any, ...]]:
        """The scores of the last letter with the first and with itself, wherever the text begins."""
        rows = []
        for first in MOVES:
            scores = nets.moved(self.model, self.model.ids(self.prompt), first).tensor("block.0.attn.scores")
            rows.append((first, scores[0, -1, 0], scores[0, -1, -1]))
        return rows

    @property
    def unmoved(self) -> bool:
        """Whether they are equal but for rounding."""
        return all(max(column) - min(column) < 1e-4 for column in zip(*(row[1:] for row in self.moves), strict=True))

    # ---- shared heads --------------------------------------------------------------------------------------------------

    @property
    def heads(self) -> int:
        """How many heads ask."""
        return nets.HEADS

    @property
    def sharing(self) -> list[tuple[Any, ...]]:
        """Which head of keys each head uses, and the first number of the last letter's key there."""
        name = "block.0.attn.k.shared" if self.kv_heads < self.heads else "block.0.attn.k.rotated"
        group = self.heads // self.kv_heads
        return [(head, head // group, self.recorded("run", name, head, -1, 0)) for head in range(self.heads)]

    @property
    def kept(self) -> list[tuple[Any, ...]]:
        """What a cache keeps of each token: blocks, heads of keys, numbers of each, and all of them."""
        models = [
            (_("this model"), nets.BLOCKS, self.heads, self.kv_heads, nets.WIDTH // nets.HEADS),
            ("Llama 2 7B", 32, 32, 32, 128),
            ("Llama 2 70B", 80, 64, 8, 128),
        ]
        return [(name, h, g, 2 * b * h * d, 2 * b * g * d) for name, b, h, g, d in models]

    # ---- the MLP -------------------------------------------------------------------------------------------------------

    @property
    def gates(self) -> list[tuple[Any, ...]]:
        """Some neurons at the last letter: gate, SiLU, what it has to say, and what it says."""
        names = [f"block.0.mlp.{part}" for part in ("gate", "act", "up", "product")]
        return [(n, *(self.recorded("run", name, -1, n) for name in names)) for n in range(NEURONS)]

    @property
    def mlps(self) -> list[tuple[Any, ...]]:
        """The weights of an MLP, in both."""
        gpt, own = self.other.config.hidden, self.model.config.hidden
        return [("GPT-2", gpt, 2, 2 * gpt * nets.WIDTH), ("Llama", own, 3, 3 * own * nets.WIDTH)]

    @property
    def changes(self) -> list[tuple[Any, ...]]:
        """What replaced what."""
        return [
            (_("layer norm"), _("RMS norm"), _("no mean, no bias")),
            (_("places, added"), _("rotary"), _("queries, keys turn")),
            (_("keys, values per head"), _("shared by heads"), _("a smaller cache")),
            ("GELU", "SwiGLU", _("a gate per neuron")),
            (_("biases"), "–", _("none are left")),
        ]
