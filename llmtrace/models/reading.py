"""Models that read one text and write another: what all encoder–decoders can do, beside the mathematics of each.

A prompt is the source, in words or ids. What is written is the target; it begins with the model's start token.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from llmtrace.arithmetic.types import Array
from llmtrace.errors import PromptError
from llmtrace.i18n import _
from llmtrace.models.cache import KVCache
from llmtrace.models.generation import Generation, Sampling
from llmtrace.models.language_model import LanguageModel
from llmtrace.models.memory import Place
from llmtrace.models.prompt import Prompt, different_lengths
from llmtrace.ops import Tensor
from llmtrace.trace import Keep, Origin, Run, Trace

GREEDY = Sampling(0)


class SourceModel(LanguageModel):
    """A language model whose text answers a source. Its prompts are sources; `reading(source)` is its decoder, which goes on
    with a target.
    """

    @abstractmethod
    def forward(self, run: Run, tokens: Tensor, positions: Tensor, source: Tensor | None = None) -> Tensor:
        """Source ids [*, S] and target ids [*, T] → logits [*, T, V]; no source where a cache holds what is needed of it."""

    @abstractmethod
    def trace_numbers(self, tokens: int, past: int = 0, source: int = 0) -> int:
        """How many numbers a trace holds."""

    @abstractmethod
    def reading(self, source: Array) -> Reading:
        """The decoder with a source to look at."""

    def source_ids(self, prompt: Prompt) -> Array:
        """The ids of a source; PromptError where it is too long, or where sources have different lengths."""
        ids, lengths = self.batch(prompt)
        if len(set(lengths)) > 1:
            raise PromptError(different_lengths(lengths, _("for a model each of whose tokens looks at all others")))
        if ids.shape[-1] > self.config.context:
            raise PromptError(
                _(
                    "the text has {length} tokens, but this model reads at most {context}",
                    length=ids.shape[-1],
                    context=self.config.context,
                )
            )
        return ids

    def target_ids(self, prompt: Prompt) -> list[int]:
        """The start token and what the model writes for a source, the likeliest token each time, up to its end token."""
        written = self.generate(prompt, self.config.context - 1, GREEDY)
        return [self.config.start, *(choice.id for choice in written if not written.ended)]

    def answer(self, prompt: Prompt) -> str:
        """What the model writes for a source, the likeliest token each time."""
        return self.text(self.target_ids(prompt)[1:]).strip()

    def generate(
        self, prompt: Prompt, steps: int = 20, sampling: Sampling | None = None, stop: str | Sequence[str] = ()
    ) -> Generation:
        """An iterator over up to `steps` tokens of the target, as `LanguageModel.generate`."""
        source = self.source_ids(prompt)
        if source.ndim != 1:
            raise PromptError(_("generation goes on with one text at a time; give one prompt"))
        reading = self.reading(source)
        reading.source_text = prompt if isinstance(prompt, str) else None
        return Generation(reading, [self.config.start], steps, sampling, stop)

    def trace(
        self,
        prompt: Prompt,
        cache: KVCache | None = None,
        *,
        edit: Mapping[str, Any] | None = None,
        keep: Keep | None = None,
        scratch: Place = None,
        target: Sequence[int] | Sequence[Sequence[int]] | None = None,
    ) -> Trace:
        """Reads the source and writes the target, and records every step of both.

        edit, keep, scratch: as of `LanguageModel.trace`.
        target: what the decoder reads; by default the start token and what the model writes itself.
        """
        reading = self.reading(self.source_ids(prompt))
        reading.source_text = prompt if isinstance(prompt, str) else None
        return reading.trace(self._target(prompt, target), cache, edit=edit, keep=keep, scratch=scratch)

    def logits(self, prompt: Prompt, cache: KVCache | None = None) -> Array:
        """The scores after each token of the target that the model writes itself: [T, V]. Nothing is recorded."""
        return self.reading(self.source_ids(prompt)).logits(self._target(prompt, None), cache)

    def _target(self, prompt: Prompt, target: Any) -> Any:
        if target is not None:
            return target
        ids = self.source_ids(prompt)
        if ids.ndim == 1:
            return self.target_ids(prompt)
        targets = [self.target_ids(row.tolist()) for row in ids]
        if len({len(row) for row in targets}) > 1:
            raise PromptError(_("these texts are answered with different numbers of tokens; run them one by one"))
        return targets


class Reading(LanguageModel):
    """A decoder that looks at one source: a language model of the target, whose first token is the start token."""

    def __init__(self, model: SourceModel, source: Array) -> None:
        super().__init__(model.config, model.weights, model.tokenizer, model.name, model.reference)
        self.ends, self.legend = model.ends, model.legend
        self.model, self.source = model, source
        self.source_text: str | None = None

    def forward(self, run: Run, tokens: Tensor, positions: Tensor) -> Tensor:
        """Target ids [*, T] → logits [*, T, V]; the source is read with the first of them."""
        source = run.leaf("source", self.source, ("batch", "source")[-self.source.ndim :])
        return self.model.forward(run, tokens, positions, None if positions.data.flat[0] else source)

    def trace_numbers(self, tokens: int, past: int = 0) -> int:
        """How many numbers a trace of so many tokens holds, after `past` that a cache has."""
        return self.model.trace_numbers(tokens, past, self.source.shape[-1])

    def origin(self, prompt: Prompt, goes_on: bool = False) -> Origin:
        """What a trace says of itself: its text is the source."""
        text = self.source_text
        return self.model.origin(self.source.tolist() if text is None else text)
