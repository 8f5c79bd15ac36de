"""What a language model is trained on: one long row of tokens, and the windows that are cut from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import TrainingError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.rng import Chance, derive, permutation


@frozen
class Batch:
    """Some windows: `ids` [texts, T] are read, `targets` [texts, T] are the tokens that follow each."""

    ids: Array
    targets: Array

    def parts(self, texts: int) -> Iterator[Batch]:
        """The same in parts of so many texts; the last may have fewer."""
        for first in range(0, len(self.ids), texts):
            yield Batch(self.ids[first : first + texts], self.targets[first : first + texts])


class Windows:
    """Windows of `length` tokens, each with the token after it. An epoch cuts the row into windows that do not overlap, from a
    random place on, and reads them in a random order; so which windows a batch has follows from the seed and its number.

    starts: places where documents begin; then a window begins at every one of them, and at no other place.
    """

    def __init__(self, tokens: Array, length: int, seed: int, starts: Array | None = None) -> None:
        if len(tokens) <= length:
            raise TrainingError(
                _(
                    "the text has {count} tokens, but a window needs {needed}: give more text, or a smaller context",
                    count=len(tokens),
                    needed=length + 1,
                )
            )
        self.tokens, self.length, self.seed = tokens, length, seed
        self.starts = None if starts is None else starts[: np.searchsorted(starts, len(tokens) - length)]
        if self.starts is not None and not len(self.starts):
            raise TrainingError(
                _(
                    "no document has {count} tokens after its beginning: give more text, or a smaller context",
                    count=length + 1,
                )
            )
        self.count = max(1, (len(tokens) - length) // length) if self.starts is None else len(self.starts)
        self._epoch: tuple[int, int, Array] | None = None

    def batch(self, number: int, size: int) -> Batch:
        """The batch of that number, from 0."""
        starts = np.array([self._start(i) for i in range(number * size, (number + 1) * size)])
        return self._cut(starts)

    def evenly(self, count: int) -> Batch:
        """Up to `count` windows, evenly spread and the same every time, to measure on."""
        count = min(count, self.count)
        places = np.arange(count) * self.count // count
        return self._cut(places * self.length if self.starts is None else self.starts[places])

    def _start(self, number: int) -> int:
        epoch, place = divmod(number, self.count)
        if self._epoch is None or self._epoch[0] != epoch:
            room = 1 if self.starts is not None else len(self.tokens) - self.count * self.length
            offset = Chance(derive(self.seed, "offset", epoch)).below(room)  # the last window has a token after it
            self._epoch = epoch, offset, permutation(derive(self.seed, "order", epoch), self.count)
        chosen = int(self._epoch[2][place])
        return self._epoch[1] + chosen * self.length if self.starts is None else int(self.starts[chosen])

    def _cut(self, starts: Array) -> Batch:
        rows = np.stack(
            [np.asarray(self.tokens[start : start + self.length + 1], np.int64) for start in starts.tolist()]
        )
        return Batch(np.ascontiguousarray(rows[:, :-1]), np.ascontiguousarray(rows[:, 1:]))


def split_starts(starts: Array | None, kept: int) -> tuple[Array | None, Array | None]:
    """The documents' beginnings among the first `kept` tokens, and among the others, counted from there."""
    if starts is None:
        return None, None
    first = int(np.searchsorted(starts, kept))
    return starts[:first], starts[first:] - np.uint64(kept)


def split(tokens: Array, share: float) -> tuple[Array, Array]:
    """The tokens to train on and, the last `share` of them, those to measure on, which are never trained on."""
    if not 0 <= share < 1:
        raise TrainingError(_("the share to measure on must be from 0 to less than 1, not {share}", share=share))
    kept = len(tokens) - int(len(tokens) * share)
    return tokens[:kept], tokens[kept:]
