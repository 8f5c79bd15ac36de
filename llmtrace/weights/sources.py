"""All sources of weights: one is known because it is imported here. The first that accepts a path opens it."""

from __future__ import annotations

from pathlib import Path

from llmtrace.weights.gguf import GGUFFile  # noqa: F401 - found below
from llmtrace.weights.hugging_face import HuggingFace  # noqa: F401 - found below
from llmtrace.weights.llama2c import Llama2CFile  # noqa: F401 - found below
from llmtrace.weights.source import Source

SOURCES: list[Source] = [
    kind()
    for kind in vars().copy().values()
    if isinstance(kind, type) and issubclass(kind, Source) and kind is not Source
]
SOURCES.sort(key=lambda source: source.order)


def source_of(path: Path) -> Source:
    """The one that opens a path."""
    return next(source for source in SOURCES if source.accepts(path))
