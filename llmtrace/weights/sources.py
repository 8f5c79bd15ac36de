"""All sources of weights, each imported when it is asked. The first that accepts a path opens it."""

from __future__ import annotations

from pathlib import Path

from llmtrace.lazy import attribute
from llmtrace.weights.hugging_face import HuggingFace
from llmtrace.weights.source import Source

HOMES = [
    "llmtrace.weights.hugging_face.HuggingFace",
    "llmtrace.weights.gguf.GGUFFile",
    "llmtrace.weights.llama2c.Llama2CFile",
]
"""In the order in which they are asked."""


def source_of(path: Path) -> Source:
    """The one that opens a path. What nothing accepts is left to Hugging Face's, which has the best errors."""
    sources = (attribute(home)() for home in HOMES)
    return next((source for source in sources if source.accepts(path)), HuggingFace())
