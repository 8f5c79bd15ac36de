"""What a tokenizer puts around every text: the beginning-of-text token of Llama, BERT's [CLS] and [SEP]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from llmtrace.tokenizers.tokenization import Piece, Token, Tokenization


@dataclass(frozen=True, slots=True)
class Framing:
    """The ids before and after a text."""

    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()

    def around(self, ids: list[int]) -> list[int]:
        """The ids of a text with those around it."""
        return [*self.before, *ids, *self.after]

    def inside(self, ids: Sequence[int]) -> Sequence[int]:
        """The ids of the text alone, where those around it are there."""
        start = len(self.before) if tuple(ids[: len(self.before)]) == self.before else 0
        end = len(ids) - len(self.after)
        return ids[start : end if end >= start and tuple(ids[end:]) == self.after else len(ids)]

    def explained(self, text: Tokenization, token: Callable[[int], str]) -> Tokenization:
        """The way of a text to its ids, with a piece of its own for each token around it: one without any text."""
        if not (self.before or self.after):
            return text
        own = tuple(dict.fromkeys([*self.before, *self.after]))
        pieces = tuple(Piece("", b"", (token(i),), (), (Token(i, token(i), token(i)),)) for i in own)
        first = len(text.different)
        before, after = ([first + own.index(i) for i in ids] for ids in (self.before, self.after))
        return replace(text, different=text.different + pieces, order=(*before, *text.order, *after))


NONE = Framing()
