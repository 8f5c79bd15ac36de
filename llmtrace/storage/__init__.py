"""Tensors in files: safetensors read with suspicion, written whole or not at all, and what they are in one hash."""

from typing import TYPE_CHECKING

from llmtrace.lazy import names_of

if TYPE_CHECKING:
    from llmtrace.storage.digest import array_digest, weights_hash
    from llmtrace.storage.header import LENGTH
    from llmtrace.storage.replace import write_whole
    from llmtrace.storage.store import save
    from llmtrace.storage.stored import StoredTensor, open_tensors

__all__ = ["LENGTH", "StoredTensor", "array_digest", "open_tensors", "save", "weights_hash", "write_whole"]

_HOMES = {
    "LENGTH": "header.LENGTH",
    "StoredTensor": "stored.StoredTensor",
    "array_digest": "digest.array_digest",
    "open_tensors": "stored.open_tensors",
    "save": "store.save",
    "weights_hash": "digest.weights_hash",
    "write_whole": "replace.write_whole",
}
__getattr__, __dir__ = names_of(__name__, _HOMES)
