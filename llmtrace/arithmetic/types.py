"""The types that everything speaks of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
Axes = tuple[str, ...]
"""The names of a tensor's axes, in order."""
Empty = Callable[..., Array]
"""Where a result is written: called as `empty(shape, dtype)`, like `numpy.empty`."""
