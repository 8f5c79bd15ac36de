"""The key/value cache: what earlier tokens have already computed, so that a new token needs only itself."""

from __future__ import annotations

import numpy as np

from llmtrace.ops.op import Array
from llmtrace.words import _


class KVCache:
    """Keys and values of the tokens read so far, one array [*, H, capacity, D] per name, grown by doubling.

    A forward extends it as it goes and commits at its end; one that is interrupted leaves the length, and so the contents,
    as they were.
    """

    def __init__(self) -> None:
        self.ids: Array | None = None
        """The ids of the tokens read so far, [*, length]."""
        self._arrays: dict[str, Array] = {}

    @property
    def length(self) -> int:
        """How many tokens have been read."""
        return 0 if self.ids is None else int(self.ids.shape[-1])

    def extend(self, name: str, new: Array) -> Array:
        """Writes new [*, H, T, D] behind the first `length` positions of `name`; returns all of them, read-only."""
        total = self.length + new.shape[-2]
        array = self._arrays.get(name)
        if array is None or array.shape[-2] < total:
            array = self._grown(array, new, total)
        elif array.shape[:-2] != new.shape[:-2]:
            raise ValueError(
                _("the cache holds {held} sequences and heads, but got {got}").format(
                    held=array.shape[:-2], got=new.shape[:-2]
                )
            )
        array[..., self.length : total, :] = new
        self._arrays[name] = array
        seen = array[..., :total, :]
        seen.flags.writeable = False
        return seen

    def commit(self, ids: Array) -> None:
        """The forward that extended every name by the tokens `ids` [*, T] is done."""
        self.ids = ids.copy() if self.ids is None else np.concatenate([self.ids, ids], axis=-1)

    def _grown(self, old: Array | None, new: Array, total: int) -> Array:
        capacity = max(total, 2 * self.length, 16)
        array = np.empty((*new.shape[:-2], capacity, new.shape[-1]), new.dtype)
        if old is not None:
            if old.shape[:-2] != new.shape[:-2]:
                raise ValueError(
                    _("the cache holds {held} sequences and heads, but got {got}").format(
                        held=old.shape[:-2], got=new.shape[:-2]
                    )
                )
            array[..., : self.length, :] = old[..., : self.length, :]
        return array
