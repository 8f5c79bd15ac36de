"""Tensors in files: safetensors read with suspicion, written whole or not at all, and what they are in one hash."""

from llmtrace.storage.digest import array_digest, weights_hash
from llmtrace.storage.header import LENGTH
from llmtrace.storage.replace import write_whole
from llmtrace.storage.store import save
from llmtrace.storage.stored import StoredTensor, open_tensors
from llmtrace.text import shown

__all__ = ["LENGTH", "StoredTensor", "array_digest", "open_tensors", "save", "shown", "weights_hash", "write_whole"]
