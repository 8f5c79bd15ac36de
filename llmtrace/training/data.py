"""What a language model is trained on: one long row of tokens, and the windows that are cut from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from llmtrace.chance import bits, derive, permutation
from llmtrace.errors import TrainingError
from llmtrace.ops.op import Array
from llmtrace.words import _


@dataclass(frozen=True)
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
    random place on, and reads them in a random order; so which windows a batch has follows from the seed and its number."""

    def __init__(self, tokens: Array, length: int, seed: int) -> None:
        if len(tokens) <= length:
            raise TrainingError(
                _("the text has {count} tokens, but a window needs {needed}: give more text, or a smaller context").format(
                    count=len(tokens), needed=length + 1
                )
            )
        self.tokens, self.length, self.seed = tokens, length, seed
        self.count = max(1, (len(tokens) - length) // length)
        self._epoch: tuple[int, int, Array] | None = None

    def batch(self, number: int, size: int) -> Batch:
        """The batch of that number, from 0."""
        starts = np.array([self._start(i) for i in range(number * size, (number + 1) * size)])
        return self._cut(starts)

    def evenly(self, count: int) -> Batch:
        """Up to `count` windows, evenly spread and the same every time, to measure on."""
        count = min(count, self.count)
        return self._cut(np.arange(count) * self.count // count * self.length)

    def _start(self, number: int) -> int:
        epoch, place = divmod(number, self.count)
        if self._epoch is None or self._epoch[0] != epoch:
            room = len(self.tokens) - self.count * self.length  # the last window must still have a token after it
            offset = int(bits(derive(self.seed, "offset", epoch), 0) % np.uint64(room))
            self._epoch = epoch, offset, permutation(derive(self.seed, "order", epoch), self.count)
        return self._epoch[1] + int(self._epoch[2][place]) * self.length

    def _cut(self, starts: Array) -> Batch:
        rows = np.stack([np.asarray(self.tokens[start : start + self.length + 1], np.int64) for start in starts.tolist()])
        return Batch(np.ascontiguousarray(rows[:, :-1]), np.ascontiguousarray(rows[:, 1:]))


def split(tokens: Array, share: float) -> tuple[Array, Array]:
    """The tokens to train on and, the last `share` of them, those to measure on, which are never trained on."""
    if not 0 <= share < 1:
        raise TrainingError(_("the share to measure on must be from 0 to less than 1, not {share}").format(share=share))
    kept = len(tokens) - int(len(tokens) * share)
    return tokens[:kept], tokens[kept:]
