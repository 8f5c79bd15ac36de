"""The key/value cache: what earlier tokens have already computed, so that a new token needs only itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array
from llmtrace.errors import PromptError
from llmtrace.i18n import _
from llmtrace.ops import Weight


class KVCache:
    """Keys and values of the tokens that one model has read so far, one array [*, H, capacity, D] per name, grown by doubling.

    A run extends it as it goes and commits when all is done; one that is interrupted leaves the tokens, and so what counts of
    the arrays, as they were. `copy.copy(cache)` is a cache of its own, to go on from here in two ways.
    """

    def __init__(self) -> None:
        self.ids: Array | None = None
        """The ids of the tokens read so far, [*, length]."""
        self._arrays: dict[str, Array] = {}
        self._kept: dict[str, Array] = {}
        self._weights: Mapping[str, Weight] | None = None

    @property
    def length(self) -> int:
        """How many tokens have been read."""
        return 0 if self.ids is None else int(self.ids.shape[-1])

    def check(self, weights: Mapping[str, Weight], ids: Array) -> None:
        """Raises PromptError where the model of these weights can't read `ids` [*, T] after what the cache holds."""
        if self.ids is None:
            return
        if self._weights is not weights:
            raise PromptError(_("the cache holds what another model has computed; make a new one for this model"))
        if self.ids.shape[:-1] != ids.shape[:-1]:
            held, got = self.ids.size // self.length, ids.size // ids.shape[-1]
            raise PromptError(
                _("the cache holds {held} texts, but {got} are to be read on; give as many", held=held, got=got)
            )

    def extend(self, name: str, new: Array, queue: _kernels.Queue | None = None) -> Array:
        """Writes new [*, H, T, D] behind the first `length` positions of `name`, now or when the queue has run; returns all of
        them, read-only.
        """
        length = self.length
        total = length + new.shape[-2]
        array = self._arrays.get(name) if length else None
        if array is None or array.shape[-2] < total:
            array = self._arrays[name] = self._grown(array, new, total)
        _kernels.append(new, array, length, queue)
        seen = array[..., :total, :]
        seen.setflags(write=False)
        return seen

    def keep(self, name: str, new: Array) -> None:
        """Keeps a copy of what every later token needs as it is, such as the keys of a source."""
        self._kept[name] = new.copy()
        self._kept[name].flags.writeable = False

    def kept(self, name: str) -> Array:
        """What was kept under this name, read-only."""
        return self._kept[name]

    def commit(self, weights: Mapping[str, Weight], ids: Array) -> None:
        """The run that extended every name by the tokens `ids` [*, T] is done."""
        self._weights = weights  # first: without ids it is of no model yet, whatever interrupts this
        self.ids = ids.copy() if self.ids is None else np.concatenate([self.ids, ids], axis=-1)

    def _grown(self, old: Array | None, new: Array, total: int) -> Array:
        array = np.empty((*new.shape[:-2], max(total, 2 * self.length, 16), new.shape[-1]), new.dtype)
        if old is not None:
            array[..., : self.length, :] = old[..., : self.length, :]
        return array

    def __copy__(self) -> KVCache:
        other = KVCache()
        other.ids, other._weights = self.ids, self._weights
        other._kept = dict(self._kept)
        other._arrays = {name: array.copy() for name, array in self._arrays.items()}
        return other
