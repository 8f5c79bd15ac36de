"""Arrays with names: what flows through a model, and what it has learned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.pickling import FromArguments


class Tensor(NamedTuple):
    """An array with its name and the names of its axes."""

    name: str
    data: Array
    axes: Axes


class Weight(FromArguments):
    """A learned array. Never changed; packed for the kernels once, when first used."""

    def __init__(self, name: str, data: Array | Callable[[], Array], axes: Axes) -> None:
        self.name = name
        self.axes = axes
        self._data = data
        self._packed: dict[bool, _kernels.PackedMatrix] = {}

    @property
    def data(self) -> Array:
        """The numbers, read-only; fetched when first asked for where the weight was given as a function."""
        if not isinstance(self._data, np.ndarray):
            self._data = self._data()
        if self._data.flags.writeable:
            self._data = self._data.view()
            self._data.flags.writeable = False
        return self._data

    def packed(self, transposed: bool = False) -> _kernels.PackedMatrix:
        """The weight laid out for `matmul`: [in, out] as it is, or [out, in] where transposed."""
        if transposed not in self._packed:
            self._packed[transposed] = _kernels.pack(self.data, transposed)
        return self._packed[transposed]

    def with_data(self, data: Array) -> Weight:
        """A weight of the same name and axes with other numbers."""
        return Weight(self.name, data, self.axes)

    def __repr__(self) -> str:
        return f"<Weight {self.name} ({', '.join(self.axes)})>"


def by_name(weights: Iterable[Weight]) -> dict[str, Weight]:
    """Weights by their names, as models, runs and traces take them. A model may know one by a second name, too."""
    return {weight.name: weight for weight in weights}
