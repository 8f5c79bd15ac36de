"""All sources of weights; the first that accepts a path opens it. To add one: its file, and its line here."""

from __future__ import annotations

from llmtrace.weights.hugging_face import HuggingFace
from llmtrace.weights.source import Source

SOURCES: tuple[Source, ...] = (HuggingFace(),)
