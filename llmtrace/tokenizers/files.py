"""Reading the tokenizer of a model folder, in whichever of three formats the folder has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.byte_symbols import SYMBOLS
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.json_format.read import read_merges, read_tokenizer_json, read_vocabulary
from llmtrace.tokenizers.unigram import UnigramTokenizer

Tokenizer = ByteLevelBPE | CharacterTokenizer | UnigramTokenizer

PAIRS = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))
"""Vocabulary and merges, as Hugging Face and as OpenAI call them."""


def load_tokenizer(folder: Path | str) -> Tokenizer | None:
    """The tokenizer of a model folder, or None where it has none; ModelError where it has one that can't be read.

    The first that is there counts: tokenizer.json; vocab.json with merges.txt; encoder.json with vocab.bpe.
    """
    folder = Path(folder)
    path = folder / "tokenizer.json"
    try:
        if path.exists():
            return read_tokenizer_json(_read_json(path))
        for names in PAIRS:
            vocabulary, merges = (folder / name for name in names)
            if vocabulary.exists() and merges.exists():
                path = vocabulary
                entries = read_vocabulary(_read_json(vocabulary))
                path = merges
                return from_vocabulary(entries, _read_merges(merges))
            if vocabulary.exists() or merges.exists():
                path, other = (vocabulary, merges) if vocabulary.exists() else (merges, vocabulary)
                raise ModelError(_("it needs {other} beside it", other=other.name))
    except ModelError as error:
        raise ModelError(_("{path} can't be used as a tokenizer: {error}", path=path, error=error)) from error
    return None


def from_vocabulary(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> ByteLevelBPE:
    """GPT-2's kind of tokenizer; special are the tokens that no merge makes and no byte is ("<|endoftext|>")."""
    made = {left + right for left, right in merges}.union(SYMBOLS)
    return ByteLevelBPE(vocabulary, merges, special={text: i for text, i in vocabulary.items() if text not in made})


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelError(error.strerror or type(error).__name__) from error
    except UnicodeDecodeError as error:
        raise ModelError(_("byte {place} is not UTF-8", place=error.start)) from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(_read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ModelError(_("it is not JSON: {error}", error=error)) from error


def _read_merges(path: Path) -> list[tuple[str, str]]:
    """One merge per line, two symbols with a space between them; a first line that begins with #version is left out."""
    lines = [line.rstrip("\r") for line in _read_text(path).split("\n")]
    if lines[0].startswith("#version"):
        del lines[0]
    return read_merges([line for line in lines if line])
