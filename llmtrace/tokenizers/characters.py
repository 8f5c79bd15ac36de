"""A tokenizer whose tokens are single characters."""

from __future__ import annotations

from collections.abc import Mapping

from llmtrace.errors import ModelError, PromptError


class CharacterTokenizer:
    """One token per character of a fixed alphabet."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        if sorted(vocabulary.values()) != list(range(len(vocabulary))) or any(len(text) != 1 for text in vocabulary):
            raise ModelError("a character tokenizer needs single characters numbered 0, 1, 2 … without gaps")
        self._ids = dict(vocabulary)
        self._texts = {index: text for text, index in vocabulary.items()}

    def encode(self, text: str) -> list[int]:
        """The ids of a text; PromptError names the first character that has none."""
        for place, character in enumerate(text):
            if character not in self._ids:
                known = "".join(sorted(self._ids))
                raise PromptError(f"this model has no token for {character!r} (character {place + 1}); it knows {known!r}")
        return [self._ids[character] for character in text]

    def decode(self, ids: list[int]) -> str:
        """The text of some ids."""
        return "".join(self._texts[index] for index in ids)

    def token(self, index: int) -> str:
        """The text of one token."""
        return self._texts[index]

    def __len__(self) -> int:
        return len(self._ids)
