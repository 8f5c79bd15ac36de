"""What the page needs to turn a sentence into tokens: the vocabulary, the merges, and which characters are letters."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.patterns import Pattern
from llmtrace.tokenizers.splitting import GPT2_SPLIT


def tokenizer_data(tokenizer: Any) -> dict[str, Any] | None:
    """A tokenizer of merges for the page; None for one of another kind, whose sentences can't be typed there."""
    if not isinstance(tokenizer, ByteLevelBPE) or tokenizer.whole_pieces or tokenizer.added:
        return None
    if tokenizer.unknown is not None:
        return None
    if any(tokenizer.splitter.rule.get(name) != value for name, value in GPT2_SPLIT.items() if name != "trim_offsets"):
        return None
    ids = {index: text for text, index in tokenizer.vocabulary.items()}
    return {
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
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    found, after = [], 0
    for start, end in Pattern(f"{kind}+").find(every):
        found += [start - after, end - start]
        after = end
    return found
