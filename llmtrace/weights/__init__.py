"""Model folders on disk."""

from llmtrace.weights.folder import load_folder, save_folder

__all__ = ["load_folder", "save_folder"]
