"""Writing tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from llmtrace.ops.op import Array


def save(tensors: Mapping[str, Array], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Writes a safetensors file. The library silently misplaces arrays that are not C-contiguous, so all are made so here."""
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, path, dict(metadata or {}))
