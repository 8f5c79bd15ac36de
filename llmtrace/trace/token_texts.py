"""What a trace file says of its tokens: texts, one for each position, and the same wherever the same token is named."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from llmtrace.arithmetic.types import Axes
from llmtrace.i18n import _
from llmtrace.text import cited
from llmtrace.trace.container import TraceFile


class TokenTexts:
    """The text of a token by its id: `texts` maps the digits of ids to texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def __call__(self, index: int) -> str:
        """Its text, or its id where it has none."""
        return self.texts.get(str(int(index)), f"#{int(index)}")


def check_tokens(file: TraceFile, given: Mapping[str, Axes]) -> None:
    """The texts of the tokens are texts, one for each position; those that a cache held come first."""
    tokens = file.content["tokens"]
    batch = isinstance(tokens, list) and bool(tokens) and all(isinstance(row, list) for row in tokens)
    rows = tokens if batch else [tokens]
    if not all(isinstance(row, list) and all(isinstance(text, str) for text in row) for row in rows):
        raise TypeError(_("the tokens are not texts"))
    for name in {"tokens", "positions", "source"} & {*given}:
        if file.dtype(name) != "int64":
            raise TypeError(_("{name} holds no whole numbers", name=name))
    if "positions" not in given:
        return
    shape = file.shape("positions")
    if not shape or 0 in shape:
        raise ValueError(_("there are no positions"))
    past = int(file.elements("positions", (0,) * len(shape)))
    rows_right = len(shape) == 1 if not batch else shape[:-1] == (len(rows),)
    lengths = {len(row) for row in rows}  # of a batch, texts may be shorter than the longest
    if not rows_right or max(lengths) != past + shape[-1] or min(lengths) <= (past if batch else max(lengths) - 1):
        raise ValueError(_("there are not as many tokens as positions"))
    if file.content["version"] == 1:  # which gave ids for texts in a vocabulary that it did not know
        return
    if "tokens" in given and file.shape("tokens") == (shape if batch else shape[-1:]):
        _check_texts(file, [row[past:] for row in rows])


def _check_texts(file: TraceFile, rows: list[list[str]]) -> None:
    """A token's text is that of its id in the vocabulary, where that has it."""
    vocabulary, ids = file.content["vocabulary"], np.atleast_2d(file.array("tokens"))
    for place, index in np.ndenumerate(ids):
        if place[1] >= len(rows[place[0]]):  # what fills up a shorter text
            continue
        text, known = rows[place[0]][place[1]], vocabulary.get(str(index))
        if known is not None and known != text:
            raise ValueError(
                _(
                    "the token at position {place} is {text}, but its id, {id}, is that of {other}",
                    place=place[1],
                    text=cited(text),
                    id=index,
                    other=cited(known),
                )
            )
