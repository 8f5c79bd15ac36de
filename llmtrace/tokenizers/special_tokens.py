"""Tokens that are found in a text before it is cut: the added ones always, the special ones only when asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.text import cited
from llmtrace.tokenizers.byte_symbols import utf8
from llmtrace.tokenizers.part import Part
from llmtrace.tokenizers.tokenization import Piece, Token, Tokenization

Cut = Callable[[str], Iterable[Part]]
"""What is between such tokens into its parts."""
Flags = Mapping[str, frozenset[str]]
"""What `tokenizers` calls lstrip, rstrip, single_word and normalized, for the tokens that have any of these."""
Found = tuple[str, str | None]
"""A part of a text, and which token it is, if it is one."""

NONE: frozenset[str] = frozenset()
NO_FLAGS: Flags = {}
SPACES = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | frozenset(
    map(chr, range(0x2000, 0x200B))
)
"""The characters with Unicode's property White_Space."""


class SpecialTokens:
    """Finds such tokens: the leftmost, and the longest of several there.

    A token with `lstrip` takes the white space before it, one with `rstrip` that behind it; one with `single_word` is none
    where a letter stands beside it; those that are `normalized` are looked for in what the others leave.
    """

    def __init__(self, always: Mapping[str, int], special: Mapping[str, int], flags: Flags = NO_FLAGS) -> None:
        self.ids = {**always, **special}
        self.swallows = any(each & {"lstrip", "rstrip"} for each in flags.values())
        """Whether white space can be lost."""
        self._special = frozenset(special)
        self.flags = flags
        later = {text for text in self.ids if "normalized" in flags.get(text, NONE)}
        self._searches = [_any_of(texts) for texts in (self.ids.keys() - later, later) if texts]
        self._expect_apart()

    def _expect_apart(self) -> None:
        """ModelError where white space that is taken could be the beginning of another token."""
        greedy = next((text for text in self.ids if "rstrip" in self.flags.get(text, NONE)), None)
        blank = next((text for text in self.ids if text[0] in SPACES), None)
        if greedy is not None and blank is not None:
            raise ModelError(
                _(
                    "the added token {text} takes the white space behind it (rstrip), with which {other} begins: that is not"
                    " supported",
                    text=cited(greedy),
                    other=cited(blank),
                )
            )

    def explain(self, text: str, special: bool, cut: Cut, describe: Callable[[str, str], Piece]) -> Tokenization:
        """The way of a text to its ids: each different piece is described once, by `describe(own, piece)`."""
        numbers: dict[tuple[Part, str | None], int] = {}
        different: list[Piece] = []
        order: list[int] = []
        for found in self.split(text, special):
            for piece, token in _pieces(found, cut):
                number = numbers.setdefault((piece, token), len(different))
                if number == len(different):
                    different.append(_described(piece, describe) if token is None else self._describe(token))
                order.append(number)
        return Tokenization(text, tuple(different), tuple(order))

    def _describe(self, token: str) -> Piece:
        return Piece(token, utf8(token), (token,), (), (Token(self.ids[token], token, token),))

    def split(self, text: str, special: bool) -> list[Found]:
        """The parts of a text, none empty; side by side they are the text."""
        parts: list[Found] = [(text, None)] if text else []
        if special or not self.ids.keys() <= self._special:
            for pattern in self._searches:
                parts = [
                    smaller
                    for part in parts
                    for smaller in (self._find(part[0], pattern, special) if part[1] is None else [part])
                ]
        return parts

    def _find(self, text: str, pattern: re.Pattern[str], special: bool) -> Iterator[Found]:
        done = 0
        for match in pattern.finditer(text):
            token, (start, end) = match[0], match.span()
            # A token that is passed over is so as a whole: none is looked for inside it.
            if not special and token in self._special:
                continue
            flags = self.flags.get(token, NONE)
            if "single_word" in flags and (_is_letter(text[start - 1 : start]) or _is_letter(text[end : end + 1])):
                continue
            while "lstrip" in flags and start > done and text[start - 1] in SPACES:
                start -= 1
            while "rstrip" in flags and text[end : end + 1] in SPACES:
                end += 1
            if start > done:
                yield text[done:start], None
            yield text[start:end], token
            done = end
        if done < len(text):
            yield text[done:], None


def _pieces(found: Found, cut: Cut) -> Iterator[tuple[Part, str | None]]:
    """The parts of what lies between tokens; or a token, and the white space that it takes, which is left out."""
    part, token = found
    if token is None:
        yield from ((each, None) for each in cut(part))
        return
    before, _token, after = part.partition(token)
    for text, which in ((before, None), (token, token), (after, None)):
        if text:
            yield Part(text, text, which is not None), which


def _described(part: Part, describe: Callable[[str, str], Piece]) -> Piece:
    return describe(part.own, part.piece) if part.kept else Piece(part.own, b"", (), (), ())


def _any_of(texts: Collection[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True)))


def _is_letter(character: str) -> bool:
    """Whether a character, if there is one, belongs to a word: Unicode's letters, marks, digits, joiners and low lines."""
    import regex

    return regex.fullmatch(r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]", character) is not None
