"""Reading tokenizers from a model folder."""

from __future__ import annotations

import json
from pathlib import Path

from llmtrace.errors import ModelError
from llmtrace.tokenizers.characters import CharacterTokenizer


def load_tokenizer(folder: Path) -> CharacterTokenizer | None:
    """The tokenizer of a model folder, or None where it has none.

    `tokenizer.json` in the format of the `tokenizers` library: a byte-pair model without merges is a character tokenizer.
    """
    path = folder / "tokenizer.json"
    if not path.exists():
        return None
    try:
        model = json.loads(path.read_text(encoding="utf-8"))["model"]
        vocabulary, merges = model["vocab"], model["merges"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is not a tokenizer file: {type(error).__name__} {error}") from error
    if merges or any(len(text) != 1 for text in vocabulary):
        raise ModelError(f"{path} holds merges; so far only tokenizers of single characters can be read")
    return CharacterTokenizer(vocabulary)
