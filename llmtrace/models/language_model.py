"""What every language model can do: run, trace, and read on with a cache. The mathematics is in each model's `forward`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array
from llmtrace.display import above
from llmtrace.errors import ModelError, PromptError
from llmtrace.i18n import _
from llmtrace.models.cache import KVCache
from llmtrace.models.generation import Generation, Sampling
from llmtrace.models.language_words import LANGUAGE
from llmtrace.models.memory import Place, Sized
from llmtrace.models.model import Model
from llmtrace.models.prompt import Prompt, Tokenizer, WithSpecial, different_lengths, encode, going_on
from llmtrace.models.writing import Writing
from llmtrace.ops import Tensor, Weight
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.losses.cross_entropy import cross_entropy
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.ops.sampling.argmax import argmax
from llmtrace.text import cited
from llmtrace.trace import Keep, Origin, Run, Trace
from llmtrace.trace.legend import Legend
from llmtrace.trace.repeats import Repeats
from llmtrace.trace.workspace import Memory

FILLER = 0
"""What stands behind the end of the shorter texts of a batch. Tokens look at earlier ones only, so it changes nothing."""


class LanguageModel(Sized, Model):
    """Sizes, weights and a tokenizer. The bits of what it computes depend on nothing but weights and tokens."""

    legend: Legend = LANGUAGE

    def __init__(
        self,
        config: Any,
        weights: Mapping[str, Weight],
        tokenizer: Tokenizer | None = None,
        name: str = "",
        reference: str = "",
    ) -> None:
        super().__init__(config, weights, name, reference)
        self.tokenizer = tokenizer
        self.ends: tuple[int, ...] | None = None
        """The tokens with which it says that its text is at the end; None where its files do not say (see `writing`)."""
        self.begin: int | None = None
        """The token with which its texts begin, where it has one: an empty prompt is this token."""
        self.chat_template: str | None = None
        """The program that its files bring to write a chat as a text; none is executed (see `llmtrace.tokenizers.chat`)."""
        self._repeats: Repeats | None = None

    @abstractmethod
    def forward(self, run: Run, tokens: Tensor, positions: Tensor) -> Tensor:
        """The mathematics: token ids [*, T] → logits [*, T, V], every op done by `run`."""

    def logits(self, prompt: Prompt, cache: KVCache | None = None) -> Array:
        """The scores of every token as the next one after each position: [T, V], or [batch, T, V]. Nothing is recorded.

        The texts of a batch may have different lengths: each gets the scores that it has alone, and NaN behind its end.
        """
        ids, lengths = self._next_ids(prompt, cache)
        if ids.shape[-1] > 1:  # one more token takes next to nothing, and is soon done
            self.logits_must_fit(ids, cache.length if cache else 0)
        results, repeats = frozenset({"logits"}), self._repeated()
        with Run(self.weights, cache=cache, results=results, repeats=repeats) as run:
            logits = self._run(run, ids, cache)
        if cache is not None:
            cache.commit(self.weights, ids)
        for row, length in zip(logits.data, lengths, strict=False):
            row[length:] = np.nan
        return logits.data

    def trace(
        self,
        prompt: Prompt,
        cache: KVCache | None = None,
        *,
        edit: Mapping[str, Any] | None = None,
        keep: Keep | None = None,
        scratch: Place = None,
    ) -> Trace:
        """Runs the prompt and records every step. With a cache that holds earlier tokens, of the new tokens only.

        The texts of a batch may have different lengths: what stands behind the end of one (see `trace.tokens`) is not its own,
        and no other number depends on it.
        keep: "all" numbers, or only the "residual" stream, from which the others are computed again when they are asked for, to
        the same bits; None keeps all up to `LARGEST` bytes.
        edit: numbers of the run that are replaced, by address (see `llmtrace.experiments.what_if`).
        scratch: a folder; all numbers are kept, in a file there that memory maps and that is gone with the trace, so that the
        disk must have room for them and not the memory.
        """
        ids, lengths = self._next_ids(prompt, cache)
        keep = self.kept(ids, cache.length if cache else 0, keep, scratch)
        whole = ids if cache is None or cache.ids is None else np.concatenate([cache.ids, ids], axis=-1)
        past = whole.shape[-1] - ids.shape[-1]
        own = [past + length for length in lengths] or [whole.shape[-1]]
        rows = zip(np.atleast_2d(whole).tolist(), own, strict=True)
        tokens = [[self.token_text(i) for i in row[:length]] for row, length in rows]
        trace = Trace(
            self.weights,
            tokens if ids.ndim == 2 else tokens[0],
            self.token_text,
            self.origin(prompt, goes_on=past > 0),
            self.legend,
            keep,
        )
        repeats = self._repeated()
        with (
            closing(self._memory(scratch, ids, past)) as memory,
            Run(self.weights, trace, cache, arena=memory, repeats=repeats) as run,
        ):
            logits = self._run(run, ids, cache)
            run("next_token", argmax, run("probabilities", softmax, logits))
        if edit:
            trace = trace.edited(edit)
        if cache is not None:
            cache.commit(self.weights, ids)
        return trace

    def logits_numbers(self, tokens: int) -> int:
        """How many logits so many tokens have."""
        return tokens * int(self.config.vocabulary)

    def _repeated(self) -> Repeats:
        """What is known of its steps."""
        if self._repeats is None or not self._repeats.of(self.weights):
            self._repeats = Repeats(self.weights)
        return self._repeats

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_repeats": None}  # places in memory; found out again

    def _memory(self, scratch: Place, ids: Array, past: int) -> Memory:
        """Where the numbers of a trace lie."""
        if scratch is None:
            return _kernels.Arena()
        from llmtrace.trace.scratch import Scratch

        return Scratch(scratch, self.trace_bytes(ids.shape[-1], past, "all", ids.size // ids.shape[-1]))

    def generate(
        self, prompt: Prompt, steps: int = 20, sampling: Sampling | None = None, stop: str | Sequence[str] = ()
    ) -> Generation:
        """An iterator over up to `steps` new tokens after the prompt, each a `llmtrace.models.Choice`.

        It ends early when a text of `stop` has been written, or when the model says that its text is at the end.
        """
        return Generation(self, prompt, steps, sampling, stop)

    def surprise(
        self,
        prompt: Prompt,
        stride: int | None = None,
        *,
        beginning: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Any:
        """How surprised the model is by each token of a text, and by all of it: a `llmtrace.experiments.Surprise`.

        stride: of texts longer than the context, how many tokens each window judges anew; half of the context, if not given.
        beginning: put the beginning-of-text token before the text, so that its first token is judged as well.
        progress: is told how many tokens are judged, and of how many.
        """
        return above("llmtrace.experiments").Surprise(self, prompt, stride, beginning, progress)

    def ids(self, prompt: Prompt) -> Array:
        """The token ids of a prompt, int64 [T] or [batch, T]; shorter texts of a batch are filled up at their end."""
        return self.batch(prompt)[0]

    def batch(self, prompt: Prompt, goes_on: bool = False) -> tuple[Array, list[int]]:
        """The token ids of a prompt, as `ids`, and how many of them each text of a batch has of its own; [] for one text.

        goes_on: whether its texts go on with others, so that none begins here.
        """
        found = self._encoded(prompt, goes_on)
        if isinstance(found, np.ndarray):
            one = not found.ndim or (found.ndim == 1 and found.size and found.dtype.kind in "iu")
        else:
            one = not isinstance(found, Sequence)
        if one:
            return self._checked(found), []
        rows = list(found)
        many = bool(rows) and all(isinstance(row, Sequence | np.ndarray) and not isinstance(row, str) for row in rows)
        if many:
            rows = [self._begun(row, goes_on) for row in rows]
            longest = max(len(row) for row in rows)
            ids = self._checked([[*row, *[FILLER] * (longest - len(row))] for row in rows])
            return ids, [len(row) for row in rows]
        return self._checked(found if rows else self._begun(rows, goes_on)), []

    def _encoded(self, prompt: Prompt, goes_on: bool) -> Any:
        """The ids of texts; any other prompt as it is."""
        one = isinstance(prompt, str)
        if not one and not (isinstance(prompt, Sequence) and len(prompt) and all(isinstance(t, str) for t in prompt)):
            return prompt
        if self.tokenizer is None:
            text = _(
                "this model has no tokenizer: instead of a text, give the ids of its tokens, as a list such as [17, 4]"
                ' or on the command line with --ids "17 4"'
            )
            raise PromptError(text)
        tokenizer = going_on(self.tokenizer) if goes_on else self.tokenizer
        if isinstance(prompt, str):
            return encode(tokenizer, prompt)
        return [encode(tokenizer, text) for text in prompt if isinstance(text, str)]

    def _begun(self, row: Any, goes_on: bool) -> Any:
        """The tokens of a text: of an empty one, that with which all texts begin."""
        if len(row):
            return row
        if self.begin is None or goes_on:
            raise PromptError(_("the prompt is empty: give at least one token"))
        return [self.begin]

    def _checked(self, prompt: Any) -> Array:
        """Ids that the model knows, as an array."""
        try:
            ids = np.array(prompt)
        except ValueError:
            ids = np.array(None)
        if ids.ndim not in {1, 2} or ids.dtype.kind not in "iu":
            raise PromptError(_("a prompt is a text, or a list of token ids (whole numbers), or a list of such lists"))
        if ids.min() < 0 or ids.max() >= self.config.vocabulary:
            wrong = int(ids.max()) if ids.max() >= self.config.vocabulary else int(ids.min())
            raise PromptError(
                _(
                    "there is no token {wrong}: this model knows the ids 0 to {last}",
                    wrong=wrong,
                    last=self.config.vocabulary - 1,
                )
            )
        return ids.astype(np.int64)

    def token_text(self, index: int) -> str:
        """The text of a token; its number where there is no tokenizer, and as #5 where that has none for it."""
        if self.tokenizer is None:
            return str(index)
        try:
            return self.tokenizer.token(int(index))
        except PromptError:  # the vocabularies of models are often filled up to a round number
            return f"#{index}"

    def text(self, ids: Sequence[int]) -> str:
        """The text of some tokens; their numbers where there is no tokenizer."""
        if self.tokenizer is None:
            return " ".join(map(str, ids))
        writing = Writing(self.tokenizer)
        return "".join(writing.add(index, self.token_text(index)) for index in ids)

    def loss(
        self, run: Run, ids: Array, targets: Array, count: int, start: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """How surprised the model is, on average, by the tokens that really follow: a number [], in nats per token; and the
        sum that it is the average of.

        ids, targets: int64 [batch, T], the tokens that are read and, for each, the one that follows.
        count: what the sum over all tokens is divided by: batch · T, or more where a batch is run in parts.
        start: the sum over the parts before.
        """
        logits = self._run(run, ids, None)
        given = run.leaf("targets", targets, ("batch", "position"))
        losses = run("losses", cross_entropy, logits, given)
        summed = run("losses.total", sum_all, losses, *([] if start is None else [start]))
        return run("loss", divide_by, summed, divisor=count), summed

    def origin(self, prompt: Prompt, goes_on: bool = False) -> Origin:
        """What a trace of a prompt says of itself. goes_on: as of `batch`."""
        text = prompt if isinstance(prompt, str) else None
        tokenizer = going_on(self.tokenizer) if goes_on else self.tokenizer
        explain = getattr(tokenizer, "explain", None) if text is not None else None
        special = {"special": True} if isinstance(text, WithSpecial) else {}
        tokenization = explain(str(text), **special).to_dict() if explain else None
        return Origin(self.name, self.reference, asdict(self.config), text and str(text), tokenization)

    def _next_ids(self, prompt: Prompt, cache: KVCache | None) -> tuple[Array, list[int]]:
        """The ids of a prompt, which may follow what a cache holds, and the lengths of its texts; or PromptError."""
        ids, lengths = self.batch(prompt, goes_on=cache is not None and cache.length > 0)
        if cache is not None:
            cache.check(self.weights, ids)
            if len(set(lengths)) > 1:
                raise PromptError(different_lengths(lengths, _("with a cache, which all texts of a batch fill alike")))
        length = (cache.length if cache else 0) + ids.shape[-1]
        if length > self.config.context:
            raise PromptError(
                _(
                    "the prompt has {length} tokens, but this model reads at most {context}",
                    length=length,
                    context=self.config.context,
                )
            )
        return ids, lengths

    def _run(self, run: Run, ids: Array, cache: KVCache | None) -> Tensor:
        past = cache.length if cache else 0
        axes = ("batch", "position")[-ids.ndim :]
        positions = np.empty(ids.shape, np.int64)
        positions[:] = np.arange(past, past + ids.shape[-1])
        return self.forward(run, run.leaf("tokens", ids, axes), run.leaf("positions", positions, axes))


def as_language_model(model: Model) -> LanguageModel:
    """The model, of which language is asked; ModelError where it is of another kind."""
    if not isinstance(model, LanguageModel):
        raise ModelError(
            _(
                "{model} is not a language model, so it can't go on with a text",
                model=cited(model.name or type(model).__name__),
            )
        )
    return model
