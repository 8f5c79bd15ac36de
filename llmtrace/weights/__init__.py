"""Model folders on disk."""

from llmtrace.weights.folder import load_folder
from llmtrace.weights.store import save

__all__ = ["load_folder", "save"]
