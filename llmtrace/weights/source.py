"""A source of weights: one way in which a model is stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmtrace.arithmetic.types import Array
from llmtrace.frozen import frozen
from llmtrace.storage.stored import Stored


@frozen
class Opened:
    """A stored model: its name, the content of its configuration (and where that stands), its tensors, its tokenizer."""

    name: str
    config: Mapping[str, Any]
    config_place: str
    tensors: Mapping[str, Array | Stored]
    tokenizer: Any
    ends: tuple[int, ...] | None = None
    """The tokens that end a text, where the files say which."""
    begin: int | None = None
    """The token with which texts begin, where there is one."""
    chat_template: str | None = None
    """The program that writes a chat as a text, where there is one; it is never executed."""


class Source(ABC):
    """To add one: its file, and its line in `llmtrace.weights.sources`."""

    @abstractmethod
    def accepts(self, path: Path) -> bool:
        """Whether the model at a path is stored in this way, by a look at it."""

    @abstractmethod
    def open(self, path: Path) -> Opened:
        """The model at a path; its numbers are read when they are needed. ModelError says what is wrong."""

    def tokenizer(self, path: Path) -> Any:
        """The tokenizer of the model at a path alone, or None where it has none; ModelError where it can't be used."""
        return self.open(path).tokenizer
