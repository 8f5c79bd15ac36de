"""A tokenizer whose tokens are single characters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from llmtrace.errors import ModelError, UnknownTextError
from llmtrace.i18n import _
from llmtrace.text import cited
from llmtrace.tokenizers.byte_symbols import utf8
from llmtrace.tokenizers.json_format.write import character_json, write_json
from llmtrace.tokenizers.tokenization import Piece, Token, Tokenization
from llmtrace.tokenizers.vocabulary import FromVocabulary, Vocabulary

LONGEST_GUESS = 60
"""A longer text is not repeated in other letters."""


class CharacterTokenizer(FromVocabulary):
    """One token per character of a fixed alphabet. It has no special tokens."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        if sorted(vocabulary.values()) != list(range(len(vocabulary))) or any(len(text) != 1 for text in vocabulary):
            raise ModelError(_("a character tokenizer needs single characters numbered 0, 1, 2 … without gaps"))
        self.vocabulary = dict(vocabulary)
        self._tokens = Vocabulary((index, utf8(text, ModelError)) for text, index in vocabulary.items())

    def encode(self, text: str, special: bool = False) -> list[int]:
        """The ids of a text; UnknownTextError names the first character that has none."""
        for place, character in enumerate(text):
            if character not in self.vocabulary:
                known = "".join(sorted(self.vocabulary))
                said = _(
                    "this model has no token for {character} (character {place}); it knows {known}",
                    character=cited(character),
                    place=place + 1,
                    known=cited(known),
                )
                near = [other for other in (text.upper(), text.lower()) if set(other) <= set(known)]
                if near and len(text) <= LONGEST_GUESS:
                    said += _("; did you mean {near}?", near=near[0])
                raise UnknownTextError(said)
        return [self.vocabulary[character] for character in text]

    def explain(self, text: str, special: bool = False) -> Tokenization:
        """The same data as for merges: the text is one piece, its characters are the symbols, nothing is merged."""
        tokens = tuple(Token(index, letter, letter) for index, letter in zip(self.encode(text), text, strict=True))
        piece = Piece(text, utf8(text), tuple(text), (), tokens)
        return Tokenization(text, (piece,), (0,)) if text else Tokenization("", (), ())

    def save(self, folder: Path | str) -> Path:
        """Writes tokenizer.json into a folder, in the format of the `tokenizers` library, and returns its path."""
        return write_json(character_json(self), Path(folder))
