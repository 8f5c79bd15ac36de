"""How surprised a model is by a text: the loss of every token that really came, their sum, their mean, the perplexity.

All of it is steps behind the scores: `losses`, `surprise.total`, `surprise.mean`, `surprise.perplexity` (Jelinek et al. 1977,
Perplexity: a measure of the difficulty of speech recognition tasks). A text that is longer than the model's context is read by
windows: the first as long as the context, each next one `stride` tokens further, and of each only the tokens that no earlier
window has judged count. The sum goes on from window to window, token by token, in the order of the text.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any, SupportsIndex

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.display import Displayed, above
from llmtrace.errors import PromptError
from llmtrace.explain.not_finite import NotFinite, first_not_finite
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.models.cache import KVCache
from llmtrace.models.generation import Reader
from llmtrace.models.prompt import Prompt
from llmtrace.models.reading import SourceModel
from llmtrace.ops import Tensor
from llmtrace.ops.elementwise.divide_by import divide_by
from llmtrace.ops.elementwise.exp import exp
from llmtrace.ops.losses.cross_entropy import cross_entropy
from llmtrace.ops.rows.softmax import softmax
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.text import cited
from llmtrace.trace import Run, Trace

TOTAL, MEAN, PERPLEXITY = "surprise.total", "surprise.mean", "surprise.perplexity"
MADE = frozenset({"probabilities", "losses", TOTAL, MEAN, PERPLEXITY})


@frozen
class Window:
    """What is read in one go: the tokens from place `start` up to `end`; those from `first` on are asked what follows."""

    start: int
    first: int
    end: int


def windows(length: int, context: int, stride: int) -> Iterator[Window]:
    """The windows over so many tokens that are read: every token is asked in one window, with the most it can look back on."""
    first, end = 0, min(length, context)
    while first < length:
        yield Window(max(0, end - context), first, end)
        first, end = end, min(end + stride, length)


def judged(
    run: Run, logits: Tensor, targets: Array, earlier: Array | None = None, count: int | None = None
) -> dict[str, Array]:
    """The steps from the scores of some tokens to their losses and on, by name.

    earlier: the sum of the losses before, from which it goes on. count: of how many tokens the mean is, after the last ones.
    """
    losses = run("losses", cross_entropy, logits, run.leaf("targets", targets, ("position",)))
    before = [] if earlier is None else [run.leaf("surprise.earlier", earlier, ())]
    made = [losses, run(TOTAL, sum_all, losses, *before)]
    if count is not None:
        made.append(run(MEAN, divide_by, made[-1], divisor=count))
        made.append(run(PERPLEXITY, exp, made[-1]))
    return {tensor.name: tensor.data for tensor in made}


class Surprise(Displayed):
    """The judgement of a text; `trace(place)` is the run with every step from the weights to the loss of a token.

    Places count the tokens of `ids`, from 0. The first has no probability: nothing stands before it, unless the text was
    asked to begin with the model's beginning-of-text token.
    """

    def __init__(
        self,
        model: Reader,
        prompt: Prompt,
        stride: int | None = None,
        beginning: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.model = model
        self.ids: Array = _read(model, prompt, beginning)
        """The tokens, the beginning-of-text token included where it was asked for."""
        self.beginning = beginning
        context = model.config.context
        wanted: Any = max(1, context // 2) if stride is None else stride
        if not isinstance(wanted, SupportsIndex) or not 1 <= operator.index(wanted) <= context:
            text = _("the stride must be a whole number from 1 to {context}, the tokens that this model reads at most")
            raise PromptError(text.format(context=context))
        self.stride = operator.index(wanted)
        self.windows = tuple(windows(len(self.ids) - 1, context, self.stride))
        self._totals: list[Array] = []
        losses, probabilities = [], []
        for n, window in enumerate(self.windows):
            row, shares = self._judged(n, window)
            losses.append(row)
            probabilities.append(shares)
            if progress is not None:
                progress(window.end, len(self.ids) - 1)
        self.losses: Array = np.concatenate(losses)
        """How surprised the model is by token 1, 2 … of `ids`, in nats: −log of its probability."""
        self.probabilities: Array = np.concatenate(probabilities)
        """What the model gave them."""

    def _judged(self, n: int, window: Window) -> tuple[Array, Array]:
        """The losses and probabilities of the tokens of window n."""
        scores = self.model.logits(self._between(window.start, window.end))[window.first - window.start :]
        with Run(self.model.weights, results=MADE) as run:
            logits = Tensor("logits", np.ascontiguousarray(scores), ("position", "vocabulary"))
            made = self._steps(run, n, logits)
            shares = run("probabilities", softmax, logits).data
        self._totals.append(made[TOTAL])
        if MEAN in made:
            self.total, self.mean, self.perplexity = (made[name][()] for name in (TOTAL, MEAN, PERPLEXITY))
        return made["losses"], shares[np.arange(len(shares)), self._targets(window)]

    def _between(self, start: int, end: int) -> list[int]:
        ids: list[int] = self.ids[start:end].tolist()
        return ids

    def _targets(self, window: Window) -> Array:
        return np.ascontiguousarray(self.ids[window.first + 1 : window.end + 1])

    def _steps(self, run: Run, n: int, logits: Tensor) -> dict[str, Any]:
        """The steps from the scores of window n on: the sum goes on from the window before; in the last one it is divided."""
        last = n == len(self.windows) - 1
        earlier, count = self._totals[n - 1] if n else None, len(self) if last else None
        return judged(run, logits, self._targets(self.windows[n]), earlier, count)

    def __len__(self) -> int:
        """How many tokens have a probability."""
        return len(self.ids) - 1

    @property
    def places(self) -> range:
        """The places of the tokens that have one."""
        return range(1, len(self.ids))

    def window_of(self, place: int) -> int:
        """The number of the window in which the token at a place is judged; PromptError where it has no probability."""
        at = place + len(self.ids) if place < 0 else place
        if at not in self.places:
            raise PromptError(
                _(
                    "no token at place {place} has a probability: give a place from 1 to {last}",
                    place=place,
                    last=len(self.ids) - 1,
                )
            )
        return bisect_left(self.windows, at, key=lambda window: window.end)

    def addresses(self, place: int) -> tuple[str, str]:
        """Where, in `trace(place)`, the probability and the loss of a token stand."""
        window = self.windows[self.window_of(place)]
        at = place % len(self.ids)
        position = f"position={at - 1 - window.first}"
        return f"probabilities[{position}, vocabulary={self.ids[at]}]", f"losses[{position}]"

    def trace(self, place: int = -1) -> Trace:
        """The run of the window that judges the token at a place, to the same bits, with every step.

        What a window reads before its own tokens comes from a key/value cache.
        """
        n = self.window_of(place)
        window, cache = self.windows[n], KVCache()
        if window.first > window.start:
            self.model.logits(self._between(window.start, window.first), cache)
        trace = self.model.trace(self._between(window.first, window.end), cache)
        with Run(self.model.weights, trace) as run:
            self._steps(run, n, Tensor("logits", trace.tensor("logits"), trace.axes("logits")))
        return trace

    def not_finite(self) -> NotFinite | None:
        """The first number that is not finite in the run behind the first loss that is none, or behind the totals."""
        wrong = np.flatnonzero(~np.isfinite(self.losses))
        if not wrong.size and np.isfinite([self.total, self.mean, self.perplexity]).all():
            return None
        place = 1 + int(wrong[0]) if wrong.size else -1
        window = self.windows[self.window_of(place)]
        whole = self.model.trace(self._between(window.start, window.end))  # without a cache, which has no steps
        return first_not_finite(whole) or first_not_finite(self.trace(place))

    def document(self) -> Any:
        """The table of the tokens, and how their sum, mean and perplexity come about."""
        return above("llmtrace.views.surprise").view(self)

    def __repr__(self) -> str:
        return f"<Surprise by {len(self)} tokens: {self.mean:.4g} nats each, perplexity {self.perplexity:.4g}>"


def _read(model: Reader, prompt: Prompt, beginning: bool) -> Array:
    """The tokens of a text."""
    if isinstance(model, SourceModel):
        text = _("{model} answers a text: what it thinks of an answer is model.reading(source).surprise(answer)")
        raise PromptError(text.format(model=cited(model.name)))
    ids = model.ids(prompt)
    if ids.ndim != 1:
        raise PromptError(_("one text is judged at a time; give one"))
    if beginning:
        if model.begin is None:
            raise PromptError(_("this model has no beginning-of-text token"))
        if ids[0] != model.begin:  # some tokenizers put it there themselves
            ids = np.concatenate([[model.begin], ids]).astype(np.int64)
    if len(ids) < 2:
        raise PromptError(_("a text of one token has nothing that follows: give at least two"))
    return ids
