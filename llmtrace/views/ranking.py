"""Which numbers of many matter most."""

from __future__ import annotations

from typing import Any

import numpy as np


def largest(row: Any, count: int) -> list[int]:
    """The places of the `count` numbers furthest from 0, the furthest first; what is not a number comes before all others."""
    size = np.nan_to_num(np.abs(row), nan=np.inf)
    return [int(i) for i in np.argsort(-size, kind="stable")[:count]]


def highest(row: Any, count: int | None = None, nan: float = -np.inf) -> list[int]:
    """The places of the `count` highest numbers, the highest first; `nan` is what stands for one that is not a number."""
    return [int(i) for i in np.argsort(-np.nan_to_num(row, nan=nan), kind="stable")[:count]]
