"""Writing tensors as a safetensors file, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import ModelError
from llmtrace.storage.replace import refuse, replacing, replacing_files_of

__all__ = ["replacing_files_of", "save"]


def save(tensors: Mapping[str, Array], path: Path | str, metadata: Mapping[str, str] | None = None) -> None:
    """Writes a safetensors file, in place of one of that name. Arrays may lie in memory in any way."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path = Path(path)
    # The library silently misplaces the numbers of arrays that are not C-contiguous (turned, stepped): all are made so.
    plain = {n: np.asarray(a, dtype=a.dtype.newbyteorder("<"), order="C") for n, a in tensors.items()}
    with replacing(path) as temporary:
        mode = temporary.stat().st_mode
        try:
            save_file(plain, temporary, dict(metadata or {}))
            temporary.chmod(mode)  # the library makes files that only their owner may read
        except (SafetensorError, KeyError, TypeError) as error:
            refuse(path, error, ModelError)
