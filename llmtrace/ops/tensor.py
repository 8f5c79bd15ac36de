"""Arrays with names: what flows through a model, and what it has learned."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes

if TYPE_CHECKING:
    from llmtrace.ops.op import Op


class Tensor(NamedTuple):
    """An array with its name and the names of its axes."""

    name: str
    data: Array
    axes: Axes

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes, also where the numbers are still to come (`llmtrace.trace.repeats.Pending`)."""
        return self.data.shape

    def taken_by(self, queue: _kernels.Queue | None) -> Array:
        """The array, for a step that is done behind all that wait in this queue."""
        return self.data

    @property
    def outline(self) -> Array:
        """An array of its shape and type, at whose numbers nobody may look."""
        return self.data


class Narrow(Protocol):
    """A matrix that takes less memory than its float32 numbers (`llmtrace.storage.matrix.StoredMatrix`)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its numbers when they are read."""

    def read(self) -> Array:
        """All numbers, read-only."""

    def elements(self, index: tuple[Any, ...]) -> Array:
        """Some numbers, by an index that has numbers for every axis."""

    def packed(self, transposed: bool = False) -> _kernels.PackedMatrix | None:
        """What `matmul` takes, or None where that takes float32 numbers."""

    @property
    def packing_bytes(self) -> int:
        """How many bytes a packed copy will take that there is not yet."""


class Weight:
    """A learned array. Never changed; packed for the kernels once, when used again.

    The numbers may be a matrix that stays in memory as it is stored, and are fetched when first asked for where the weight is
    given as a function.
    """

    def __init__(self, name: str, data: Array | Narrow | Callable[[], Array | Narrow], axes: Axes) -> None:
        self.name = name
        self.axes = axes
        self._data = data
        self._packed: dict[bool, _kernels.PackedMatrix] = {}

    @property
    def kept(self) -> Array | Narrow:
        """The numbers as they stay in memory."""
        if callable(self._data):
            self._data = self._data()
        if isinstance(self._data, np.ndarray) and self._data.flags.writeable:
            self._data = self._data.view()
            self._data.flags.writeable = False
        return self._data

    @property
    def data(self) -> Array:
        """The numbers, read-only; those of a matrix that is stored otherwise are made anew each time they are asked for."""
        kept = self.kept
        return kept if isinstance(kept, np.ndarray) else kept.read()

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.kept.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        return self.kept.dtype

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    def elements(self, index: tuple[Any, ...]) -> Array:
        """Some numbers, by an index that has numbers for every axis."""
        kept = self.kept
        return np.array(kept[index]) if isinstance(kept, np.ndarray) else kept.elements(index)

    def packed(self, transposed: bool = False) -> _kernels.PackedMatrix:
        """The weight laid out for `matmul`: [in, out] as it is, or [out, in] where transposed."""
        if transposed not in self._packed:
            kept = self.kept
            if isinstance(kept, np.ndarray):
                self._packed[transposed] = _kernels.pack_later(kept, transposed)
            else:
                self._packed[transposed] = kept.packed(transposed) or _kernels.pack(kept.read(), transposed)
        return self._packed[transposed]

    def packing_bytes(self, rows: int) -> int:
        """How many bytes a packed copy will take that there is not yet, when the weight is multiplied by so many rows."""
        kept = self.kept
        if not isinstance(kept, np.ndarray):
            return kept.packing_bytes
        known = self._packed.values() or [_kernels.pack_later(kept)]
        return sum(packed.packing_bytes(rows) for packed in known)

    def given(self, op: Op, kind: str, settings: Mapping[str, Any]) -> Array | _kernels.PackedMatrix:
        """The weight as an op's `forward` likes it best, as its weight `kind`."""
        if kind in op.packed:
            return self.packed(bool(settings.get("transposed", False)))
        kept = self.kept
        if isinstance(kept, np.ndarray):
            return kept
        return (kept.packed(True) if kind in op.gathered else None) or kept.read()

    def __reduce__(self) -> tuple[Any, ...]:
        return Weight, (self.name, self.kept, self.axes)

    def with_data(self, data: Array) -> Weight:
        """A weight of the same name and axes with other numbers."""
        return Weight(self.name, data, self.axes)

    def __repr__(self) -> str:
        return f"<Weight {self.name} ({', '.join(self.axes)})>"


def by_name(weights: Iterable[Weight]) -> dict[str, Weight]:
    """Weights by their names, as models, runs and traces take them. A model may know one by a second name, too."""
    return {weight.name: weight for weight in weights}
