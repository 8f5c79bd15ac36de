"""Generation: one token after the other, each chosen by ops that can be explained like all others.

A choice is a row of steps named `choice.0.scaled`, `choice.0.probabilities` and so on, counted from the first new token.
What the model has computed for earlier tokens is kept in a key/value cache; the bits are those of reading the whole text.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol, SupportsIndex

import numpy as np

from llmtrace import rng
from llmtrace.arithmetic.types import Array
from llmtrace.display import Displayed, above
from llmtrace.errors import PromptError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.models.cache import KVCache
from llmtrace.models.memory import Place
from llmtrace.models.prompt import Prompt
from llmtrace.models.writing import Writing
from llmtrace.ops import Tensor, Weight
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.rows.select import select
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.sampling.argmax import argmax
from llmtrace.ops.sampling.repetition_penalty import repetition_penalty
from llmtrace.ops.sampling.sample import sample
from llmtrace.ops.sampling.top_k import top_k
from llmtrace.ops.sampling.top_p import top_p
from llmtrace.text import cited, quoted
from llmtrace.trace import Keep, Origin, Run, Trace
from llmtrace.trace.legend import Legend

PARTS = ("position", "logits", "earlier", "penalised", "scaled", "top_k", "top_p", "probabilities", "number", "token")
"""What a choice may consist of, in order: a step each, but the position, the earlier tokens and the number, which are given."""


def _as_float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:  # a whole number of hundreds of digits
        return math.inf if number > 0 else -math.inf


@frozen
class Sampling:
    """How a token is chosen from the scores; the same settings and the same prompt give the same text, everywhere."""

    temperature: float = 1.0
    """The scores are divided by it: below 1 the likely become likelier, above 1 less so; 0 takes the likeliest."""
    top_k: int | None = None
    """Only so many of the likeliest tokens stay in play."""
    top_p: float | None = None
    """Only the likeliest tokens that together reach this probability stay in play; 1 keeps all."""
    seed: int = 0
    """Which random numbers are drawn: `llmtrace.rng.uniform(seed, n)` for the n-th new token, from 0."""
    repetition_penalty: float = 1.0
    """The scores of tokens that the text has already are divided by it, or multiplied where they are below 0: above 1 they
    become less likely, below 1 likelier; 1 changes nothing."""

    def __post_init__(self) -> None:
        for name in ("temperature", "top_p", "repetition_penalty"):
            value = getattr(self, name)
            if isinstance(value, Real):  # NumPy's numbers are as good as Python's
                object.__setattr__(self, name, _as_float(value))
            elif value is not None or name != "top_p":
                raise PromptError(_("{name} is a number, not {value}", name=name, value=cited(value)))
        for name in ("top_k", "seed"):
            with suppress(TypeError):
                object.__setattr__(self, name, operator.index(getattr(self, name)))
        least = float(np.finfo(np.float32).tiny)
        if not (self.temperature == 0 or least <= self.temperature < math.inf):
            text = _("the temperature must be 0 (always the likeliest token) or above, not {value}")
            if 0 < self.temperature < least:
                text = _("the temperature {value} is too small for a float32; 0 takes always the likeliest token")
            raise PromptError(text.format(value=self.temperature))
        if not least <= self.repetition_penalty <= 1 / least:
            text = _("the repetition penalty must be a number above 0 (1 changes nothing), not {value}")
            if 0 < self.repetition_penalty < math.inf:
                text = _("the repetition penalty {value} is too small, or too large, for a float32; 1 changes nothing")
            raise PromptError(text.format(value=self.repetition_penalty))
        if not isinstance(self.seed, int):
            raise PromptError(_("the seed must be a whole number, not {value}", value=cited(self.seed)))
        if self.top_k is not None and not (isinstance(self.top_k, int) and 1 <= self.top_k < 1 << 31):
            raise PromptError(_("top-k must be a whole number from 1 on, not {value}", value=self.top_k))
        if self.top_p is not None and not np.finfo(np.float32).tiny <= self.top_p <= 1:
            raise PromptError(_("top-p must be above 0 and at most 1, not {value}", value=self.top_p))

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken, without chance."""
        return self.temperature == 0

    def choose(self, run: Run, number: int, scores: Tensor, earlier: Sequence[int] = ()) -> Tensor:
        """The steps of choice `number`, from the scores [V] to the token. earlier: the tokens of the text so far."""
        within = run.within(f"choice.{number}")
        if self.repetition_penalty != 1:
            tokens = run.leaf(f"choice.{number}.earlier", np.array(earlier, np.int64), ("earlier",))
            penalty = float(self.repetition_penalty)
            scores = within("penalised", repetition_penalty, scores, tokens, penalty=penalty)
        if self.greedy:
            within("probabilities", softmax, scores)
            return within("token", argmax, scores)
        left = within("scaled", divide_by, scores, divisor=float(self.temperature))
        if self.top_k is not None:
            left = within("top_k", top_k, left, k=int(self.top_k))
        if self.top_p is not None and self.top_p < 1:
            left = within("top_p", top_p, left, p=float(self.top_p))
        drawn = np.asarray(rng.uniform(self.seed, number), scores.data.dtype)
        probabilities = within("probabilities", softmax, left)
        return within("token", sample, probabilities, run.leaf(f"choice.{number}.number", drawn, ()))


@dataclass(frozen=True, repr=False)
class Choice(Displayed):
    """One new token."""

    number: int
    """Which one it is, from 0."""
    id: int
    text: str
    """The text of the token; half a character is written as <0xE4>."""
    written: str
    """What the text has grown by: a character appears when its last byte is there."""
    steps: Trace
    """The steps of the choice: `choice.0.scaled`, `choice.0.probabilities` …, from the scores to the token."""
    generation: Generation
    window: Window

    def document(self) -> Any:
        """The table that it was chosen from."""
        return above("llmtrace.views.sampling").view(self.steps, self.number)

    def __repr__(self) -> str:
        return f"<Choice {self.number}: {quoted(self.text)}, id {self.id}>"

    def trace(self, keep: Keep | None = None, scratch: Place = None) -> Trace:
        """The run of the model that led to this token, as it happened, with the choice: it reads the token before, and
        finds the keys and values of earlier ones in the cache (steps `attn.keys` and `attn.values`, op `concatenate`).

        keep, scratch: as of `LanguageModel.trace`.
        """
        return self.generation.run_of(self.number, keep, scratch)


@frozen
class Window:
    """The tokens that the model sees: those from place `start` of the text, up to `end`."""

    start: int
    end: int
    first: int
    """How many of them were read in one go, before the cache held any."""


class Reader(Protocol):
    """What generation needs of a language model."""

    config: Any
    weights: Mapping[str, Weight]
    tokenizer: Any
    ends: tuple[int, ...] | None
    begin: int | None
    legend: Legend

    def ids(self, prompt: Prompt) -> Array:
        """The token ids of a prompt."""

    def logits(self, prompt: Prompt, cache: KVCache | None = None) -> Array:
        """The scores of every token as the next one after each position."""

    def trace(
        self, prompt: Prompt, cache: KVCache | None = None, *, keep: Keep | None = None, scratch: Place = None
    ) -> Trace:
        """The prompt's run with every step."""

    def token_text(self, index: int) -> str:
        """The text of a token."""

    def origin(self, prompt: Prompt, goes_on: bool = False) -> Origin:
        """What a trace of a prompt says of itself."""


class Generation:
    """An iterator over new tokens. Each is chosen when it is asked for.

    A text that is longer than the model's context slides: of a prompt, the last tokens are read, as many as fit; of a text
    that has grown to that length, the newer half is read once more, with places from 0, and goes on growing.
    """

    def __init__(
        self,
        model: Reader,
        prompt: Prompt,
        steps: int,
        sampling: Sampling | None = None,
        stop: str | Sequence[str] = (),
    ) -> None:
        ids = model.ids(prompt)
        if ids.ndim != 1:
            raise PromptError(_("generation goes on with one text at a time; give one prompt"))
        if not isinstance(steps, SupportsIndex) or operator.index(steps) < 1:
            raise PromptError(_("at least 1 token must be generated, not {steps}", steps=cited(steps)))
        stops = (stop,) if isinstance(stop, str) else tuple(stop or ())
        if "" in stops:
            raise PromptError(_("the text to stop at is empty"))
        self.model, self.steps, self.sampling = model, steps, sampling or Sampling()
        self.ids: list[int] = ids.tolist()
        """The tokens of the prompt and the new ones."""
        self.prompt_length = len(self.ids)
        self.window = self._window(max(0, len(self.ids) - model.config.context))
        self._writing = Writing(model.tokenizer, stops, model.ends)
        self._cache = KVCache()
        self._choices: list[Window] = []
        self._texts = [model.token_text(index) for index in self.ids]

    def __repr__(self) -> str:
        return f"<Generation after {self.prompt_length} tokens: {len(self)} of {self.steps} tokens>"

    def _window(self, start: int) -> Window:
        return Window(start, len(self.ids), len(self.ids) - start)

    @property
    def slid(self) -> bool:
        """Whether the oldest tokens are no longer seen."""
        return self.window.start > 0

    @property
    def stopped(self) -> str | None:
        """The text of `stop` at which generation has ended, if so."""
        return self._writing.stopped

    @property
    def ended(self) -> str | None:
        """The special token with which the model has said that its text is at the end, if so."""
        return self._writing.ended

    def __len__(self) -> int:
        """How many new tokens there are so far."""
        return len(self._writing)

    def __iter__(self) -> Iterator[Choice]:
        return self

    def __next__(self) -> Choice:
        number = len(self)
        if self.stopped or self.ended or number >= self.steps:
            raise StopIteration
        self._take_back()
        if self.window.end < len(self.ids):
            self._slide()
        if self._cache.length >= self.window.end - self.window.start:  # the choice after these tokens was interrupted
            self._cache = KVCache()
        new = self.ids[self.window.start + self._cache.length : self.window.end]
        scores = self.model.logits(new, self._cache)[-1].copy()  # not a view, which would keep all rows
        steps, token = self._chosen(number, scores)
        text = self.model.token_text(token)
        writing = copy(self._writing)
        written = writing.add(token, text, last=number + 1 == self.steps)
        choice = Choice(number, token, text, written, steps, self, self.window)
        self.ids.append(token)
        self._texts.append(text)
        self._choices.append(self.window)
        self._writing = writing  # with which it is done: what is interrupted before is taken back
        return choice

    def _take_back(self) -> None:
        """What an interruption has left of a choice."""
        number = len(self)
        del self.ids[self.prompt_length + number :], self._texts[self.prompt_length + number :], self._choices[number:]

    def _slide(self) -> None:
        """Makes the window reach the end of the text; where it would grow too long, it begins anew."""
        if len(self.ids) - self.window.start > self.model.config.context:
            self.window = self._window(len(self.ids) - max(1, self.model.config.context // 2))
            self._cache = KVCache()
        else:
            self.window = Window(self.window.start, len(self.ids), self.window.first)

    def _chosen(self, number: int, scores: Array) -> tuple[Trace, int]:
        """The steps of a choice, and the token."""
        if not np.isfinite(scores).all():
            from llmtrace.explain.not_finite import first_not_finite, said

            found = first_not_finite(self.model.trace(self.ids[self.window.start : self.window.end]))
            raise PromptError(
                _(
                    "the model's scores for the next token are not all finite, so that none can be chosen; {found}",
                    found=said(found) if found else "",
                )
            )
        trace = Trace({}, self._texts, self.model.token_text, self.model.origin(self.ids), self.model.legend)
        names = frozenset(f"choice.{number}.{part}" for part in PARTS)  # in memory of their own: few and small
        with Run({}, trace, results=names) as run:
            row = run.leaf(f"choice.{number}.logits", scores, ("vocabulary",))
            token = self.sampling.choose(run, number, row, self.ids)
        if not np.isfinite(trace.tensor(f"choice.{number}.probabilities")).all():
            raise PromptError(
                _(
                    "divided by a temperature of {value} the scores are no longer finite; 0 takes the likeliest token",
                    value=self.sampling.temperature,
                )
            )
        return trace, int(token.data)

    # ---- traces, computed again: the same bits -------------------------------------------------------------------------

    def trace(self, keep: Keep | None = None, scratch: Place = None) -> Trace:
        """The trace of the finished text in one go, and the steps of every choice; after a slide, of the last window.

        keep, scratch: as of `LanguageModel.trace`.

        A choice takes its scores from `logits` by the op `pick`. The last token is left out where there is no room for it.
        """
        self._take_back()
        start = self.window.start
        trace = self.model.trace(self.ids[start:][: self.model.config.context], keep=keep, scratch=scratch)
        with Run(self.model.weights, trace) as run:
            for number, window in enumerate(self._choices):
                if window.start == start:
                    self._choose_again(run, trace, number, window, start)
        return trace

    def last_trace(self, keep: Keep | None = None, scratch: Place = None) -> Trace:
        """The trace of the last choice as it happened (see `Choice.trace`)."""
        return self.run_of(len(self._choices) - 1, keep, scratch)

    def run_of(self, number: int, keep: Keep | None = None, scratch: Place = None) -> Trace:
        """The trace of one choice as it happened (see `Choice.trace`)."""
        window, cache = self._choices[number], KVCache()
        length = window.end - window.start
        new = self.ids[window.start : window.end]
        if length > window.first:
            self.model.logits(new[:-1], cache)
            new = new[-1:]
        trace = self.model.trace(new, cache, keep=keep, scratch=scratch)
        with Run(self.model.weights, trace) as run:
            self._choose_again(run, trace, number, window, window.end - len(new))
        return trace

    def _choose_again(self, run: Run, trace: Trace, number: int, window: Window, start: int) -> None:
        """The choice at the end of a window, in a run that begins with the token at place `start` of the text."""
        place = run.leaf(f"choice.{number}.position", np.asarray(window.end - start - 1, np.int64), ())
        row = run(f"choice.{number}.logits", select, place, trace.operand("logits"))
        self.sampling.choose(run, number, row, self.ids[: window.end])
