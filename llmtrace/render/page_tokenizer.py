"""What the page needs to turn a sentence into tokens: the vocabulary with merges or scores, and which characters are letters."""

from __future__ import annotations

from functools import cache
from typing import Any

from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.characters import CharacterTokenizer
from llmtrace.tokenizers.framing import NONE
from llmtrace.tokenizers.patterns import Pattern, known
from llmtrace.tokenizers.splitting import GPT2_SPLIT
from llmtrace.tokenizers.unigram import UnigramTokenizer


def tokenizer_data(tokenizer: Any) -> dict[str, Any] | None:
    """A tokenizer for the page; None for one of a kind that the page has not, whose sentences can't be typed there."""
    if getattr(tokenizer, "framing", NONE) != NONE or getattr(tokenizer, "added", None):
        return None
    if isinstance(tokenizer, ByteLevelBPE):
        return merges_data(tokenizer)
    if isinstance(tokenizer, UnigramTokenizer):
        return partings_data(tokenizer)
    if isinstance(tokenizer, CharacterTokenizer):
        return {"kind": "characters", "vocabulary": sorted(tokenizer.vocabulary, key=tokenizer.vocabulary.__getitem__)}
    return None


def partings_data(tokenizer: UnigramTokenizer) -> dict[str, Any]:
    """A tokenizer of probabilities."""
    return {
        "kind": "partings",
        "entries": [list(entry) for entry in tokenizer.entries],
        "apart": [text for text, _score in tokenizer.entries if text not in tokenizer.scores],
        "unknown": tokenizer.unknown_score,
        "inBytes": tokenizer.in_bytes,
        "addsSpace": tokenizer.adds_space,
        "byWords": tokenizer.by_words,
    }


def merges_data(tokenizer: ByteLevelBPE) -> dict[str, Any] | None:
    """A tokenizer of merges that cuts texts as GPT-2 does; None for one that does otherwise."""
    if tokenizer.whole_pieces or tokenizer.unknown is not None:
        return None
    if any(tokenizer.splitter.rule.get(name) != value for name, value in GPT2_SPLIT.items() if name != "trim_offsets"):
        return None
    ids = {index: text for text, index in tokenizer.vocabulary.items()}
    return {
        "kind": "merges",
        "vocabulary": [ids.get(index) for index in range(max(ids) + 1)],
        "merges": [list(pair) for pair in tokenizer.merges],
        "letters": code_points(r"\p{L}"),
        "numbers": code_points(r"\p{N}"),
        "spaces": code_points(r"\s"),
    }


@cache
def code_points(kind: str) -> list[int]:
    """The characters of a kind, as tokenizers know it: browsers of other years know other letters.

    For each run of them: how many others stand before it, and how many there are.
    """
    found, after = [], 0
    for start, end in Pattern(f"{kind}+").find_in_known(characters()):
        found += [start - after, end - start]
        after = end
    return found


@cache
def characters() -> str:
    """All characters up to the last letters: behind them is what is for nothing yet, or for private use."""
    return known("".join(map(chr, range(0x40000))))
