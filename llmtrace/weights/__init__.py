"""Model folders on disk."""

from llmtrace.storage.digest import weights_hash
from llmtrace.storage.store import save
from llmtrace.weights.folder import load_folder, save_folder

__all__ = ["load_folder", "save", "save_folder", "weights_hash"]
