"""How a text became token ids, as plain data: the pieces it was cut into, and every merge in each piece."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import isfinite
from typing import Any

from llmtrace.display import Displayed
from llmtrace.errors import ReplayError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.text import cited, quoted, shown
from llmtrace.tokenizers.bert_text import Cleaning
from llmtrace.tokenizers.byte_symbols import BYTE_NAME, SPACE, byte_names, bytes_of, symbols_of, visible, written


@dataclass(frozen=True, slots=True)
class Merge:
    """Two neighbouring symbols became one."""

    rank: int
    """Which merge of the tokenizer this is; 0 goes first."""
    left: str
    right: str
    where: int
    """With which of the piece's first symbols (its bytes), counted from 0, the left symbol begins."""


@frozen
class Parting:
    """One way to write a piece of text with the entries of a vocabulary where each has a score (`unigram`)."""

    parts: tuple[str, ...]
    scores: tuple[float, ...]
    """The logarithm of each part's probability."""

    @property
    def score(self) -> float:
        """All of them added up, from left to right: the logarithm of the product of the probabilities."""
        total = 0.0
        for score in self.scores:
            total += score
        return total


@dataclass(frozen=True, slots=True)
class Token:
    """A symbol that was left in the end, and its number."""

    id: int
    symbol: str
    """As the vocabulary writes it: one printable character per byte, "Ġ" for a space."""
    text: str
    """As it is shown; bytes that are only part of a character as <0xE4>."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text that was turned into tokens on its own: nothing is merged across its ends."""

    text: str
    data: bytes
    """Its UTF-8; with a space before it where the tokenizer adds one; nothing of a part that the tokenizer leaves out."""
    symbols: tuple[str, ...]
    """What the merges begin with: one printable character per byte, or `unknown`; the whole of a special token."""
    merges: tuple[Merge, ...]
    """In the order they were done; none where the whole piece was looked up in the vocabulary."""
    tokens: tuple[Token, ...]
    partings: tuple[Parting, ...] = ()
    """Of a tokenizer without merges: the parting that was chosen, and the next best one, if there is another."""
    unknown: str = ""
    """What stands for each byte, or for a whole word, that has no token of its own; empty where all have one."""
    continues: str = ""
    """How the vocabulary writes a token that goes on with a word ("##"); empty where it does not tell them apart."""

    @property
    def is_framing(self) -> bool:
        """Whether the tokenizer puts it around every text, of which it is no part."""
        return not (self.text or self.data) and bool(self.tokens)

    def states(self, wanted: Container[int] | None = None) -> Iterator[tuple[str, ...]]:
        """The symbols after each merge, or only after the `wanted` ones; ReplayError where a merge does not fit those before."""
        for done, ends in enumerate(self._walk()):
            if wanted is None or done in wanted:
                yield self._symbols_between(ends)

    def replay(self) -> None:
        """Does the merges once more; ReplayError says what does not follow."""
        data = self.text.encode("utf-8", "replace")
        if not (self.data or self.symbols or self.merges or self.tokens):
            return  # left out
        if self.is_framing:
            if self.symbols != tuple(token.symbol for token in self.tokens) or self.merges:
                raise ReplayError(
                    _("what stands around the text is not the tokens {tokens}", tokens=cited("".join(self.symbols)))
                )
            return
        if self.continues:
            self._replay_word()
            return
        if self.data not in (data, b" " + data):
            raise ReplayError(_("the bytes of {piece} are not its UTF-8", piece=cited(self.text)))
        for token in self.tokens:
            if token.text not in _texts(token.symbol):
                raise ReplayError(
                    _(
                        "{text} is not the text of the token {symbol}",
                        text=cited(token.text),
                        symbol=cited(token.symbol),
                    )
                )
        if self.partings:
            self._replay_partings()
            return
        bytes_of_it = tuple(symbols_of(self.data))
        if self.unknown and len(bytes_of_it) == len(self.symbols):
            known = tuple(b if s == self.unknown else s for s, b in zip(self.symbols, bytes_of_it, strict=True))
        else:
            known = self.symbols
        if known not in (bytes_of_it, tuple(self.text), (self.text,), tuple(written(self.data.decode()))):
            raise ReplayError(_("the symbols of {piece} are not those of its bytes", piece=cited(self.text)))
        whole = "".join(self.symbols)
        tokens = [token.symbol for token in self.tokens]
        left = list(self.symbols)
        if self.merges:
            ends = deque(self._walk(), maxlen=1)[0]
            left = list(self._symbols_between(ends))
        if not _become(left, tokens) and (self.merges or tokens != [whole]):
            raise ReplayError(_("the merges of {piece} do not end in its tokens", piece=cited(self.text)))

    def _replay_word(self) -> None:
        word = self.data.decode()
        ways = product((True, False), (True, False), (True, False))
        cleaned = {"".join(map(Cleaning(*way[:2], True, way[2]).clean, self.text)) for way in ways}
        if word not in cleaned:
            raise ReplayError(
                _("the word {word} is not what {piece} becomes", word=cited(word), piece=cited(self.text))
            )
        tokens = [token.symbol for token in self.tokens]
        parts = [symbol.removeprefix(self.continues) if number else symbol for number, symbol in enumerate(tokens)]
        goes_on = all(symbol.startswith(self.continues) for symbol in tokens[1:])
        if (
            self.symbols != tuple(word)
            or self.merges
            or not goes_on
            or ("".join(parts) != word and tokens != [self.unknown])
        ):
            raise ReplayError(_("the parts of {piece} are not its tokens", piece=cited(self.text)))
        for token in self.tokens:
            bare = token.symbol.removeprefix(self.continues)
            if token.text not in (bare, f" {bare}", token.symbol):
                raise ReplayError(
                    _(
                        "{text} is not the text of the token {symbol}",
                        text=cited(token.text),
                        symbol=cited(token.symbol),
                    )
                )

    def _replay_partings(self) -> None:
        whole = written(self.data.decode())
        scores = [parting.score for parting in self.partings]
        if any("".join(p.parts) != whole or len(p.parts) != len(p.scores) for p in self.partings):
            raise ReplayError(_("the parts of {piece}, put together, are not the piece", piece=cited(self.text)))
        if self.symbols != tuple(whole) or self.merges or scores != sorted(scores, reverse=True):
            raise ReplayError(_("another parting of {piece} has a larger score", piece=cited(self.text)))
        tokens = [token.symbol for token in self.tokens]
        if not _become(self.partings[0].parts, tokens):
            raise ReplayError(_("the parts of {piece} are not its tokens", piece=cited(self.text)))

    def _symbols_between(self, ends: Mapping[int, int]) -> tuple[str, ...]:
        return tuple("".join(self.symbols[start:end]) for start, end in ends.items())

    def _walk(self) -> Iterator[dict[int, int]]:
        """After each merge: where each symbol begins and ends. It is one dictionary, which changes."""
        ends = dict(enumerate(range(1, len(self.symbols) + 1)))
        for merge in self.merges:
            middle = ends.get(merge.where, -1)
            end = ends.get(middle, -1)
            pair = {merge.where: middle, middle: end}
            if min(middle, end) < 0 or self._symbols_between(pair) != (merge.left, merge.right):
                raise ReplayError(
                    _(
                        "in {piece}, {left} and {right} are not neighbours at byte {where}",
                        piece=cited(self.text),
                        left=cited(merge.left),
                        right=cited(merge.right),
                        where=merge.where,
                    )
                )
            ends[merge.where] = end
            del ends[middle]
            yield ends


@frozen
class Tokenization(Displayed):
    """A text's way to its ids: its different pieces, each described once, and their order in the text."""

    text: str
    different: tuple[Piece, ...]
    order: tuple[int, ...]

    @property
    def pieces(self) -> list[Piece]:
        """The pieces as they follow one another in the text."""
        return [self.different[number] for number in self.order]

    @property
    def tokens(self) -> list[Token]:
        """The tokens of all pieces, in order."""
        return [token for piece in self.pieces for token in piece.tokens]

    @property
    def ids(self) -> list[int]:
        """The ids of the tokens: what the model reads."""
        return [token.id for piece in self.pieces for token in piece.tokens]

    def __repr__(self) -> str:
        return f"<Tokenization of {quoted(self.text, 60)}: {len(self.ids)} tokens>"

    def replay(self) -> None:
        """Puts the text together and does every merge once more; ReplayError names what does not follow.

        It needs no tokenizer. Whether another merge should have come first, only `tokenizer.explain(text)` can tell.
        """
        if "".join(piece.text for piece in self.pieces) != self.text:
            raise ReplayError(_("the pieces of the text, put together, are not the text"))
        for piece in self.different:
            piece.replay()

    def to_dict(self) -> dict[str, Any]:
        """Lists, texts and whole numbers only, for JSON; bytes as hexadecimal digits."""
        return {
            "text": self.text,
            "pieces": [_piece_to_dict(piece) for piece in self.different],
            "order": list(self.order),
        }

    @classmethod
    def from_dict(cls, data: Any) -> Tokenization:
        """What `to_dict` wrote; ValueError where it is anything else."""
        try:
            different = tuple(_piece(entry) for entry in data["pieces"])
            return cls(_str(data["text"]), different, tuple(_int(n, len(different)) for n in data["order"]))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(_("this is not a tokenization: {error}", error=shown(error))) from error


def _become(parts: Sequence[str], tokens: Sequence[str]) -> bool:
    """Whether tokens are these parts, each itself or its bytes."""
    done = 0
    for part in parts:
        own = [part] if tokens[done : done + 1] == [part] else byte_names(part)
        if tokens[done : done + len(own)] != own:
            return False
        done += len(own)
    return done == len(tokens)


def _texts(symbol: str) -> set[str]:
    """What a symbol may be shown as: its bytes by their characters or by their name, its text with "▁" for a space, itself."""
    named = BYTE_NAME.fullmatch(symbol)
    data = [bytes_of(symbol), symbol.replace(SPACE, " ").encode("utf-8", "replace")]
    return {symbol, *map(visible, [*data, bytes.fromhex(named[1])] if named else data)}


def _piece_to_dict(piece: Piece) -> dict[str, Any]:
    partings = [[list(parting.parts), list(parting.scores)] for parting in piece.partings]
    return {
        "text": piece.text,
        "bytes": piece.data.hex(),
        "symbols": list(piece.symbols),
        "merges": [[merge.rank, merge.left, merge.right, merge.where] for merge in piece.merges],
        "tokens": [[token.id, token.symbol, token.text] for token in piece.tokens],
        **({"partings": partings} if partings else {}),
        **{name: value for name, value in (("unknown", piece.unknown), ("continues", piece.continues)) if value},
    }


def _piece(entry: Any) -> Piece:
    return Piece(
        _str(entry["text"]),
        bytes.fromhex(entry["bytes"]),
        tuple(_str(symbol) for symbol in entry["symbols"]),
        tuple(Merge(_int(rank), _str(left), _str(right), _int(where)) for rank, left, right, where in entry["merges"]),
        tuple(Token(_int(index), _str(symbol), _str(text)) for index, symbol, text in entry["tokens"]),
        tuple(
            Parting(tuple(map(_str, parts)), tuple(map(_score, scores))) for parts, scores in entry.get("partings", ())
        ),
        _str(entry.get("unknown", "")),
        _str(entry.get("continues", "")),
    )


def _score(value: Any) -> float:
    if type(value) is not float or not isfinite(value):
        raise TypeError(f"{value!r} is not a score")
    return value


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _int(value: Any, limit: int | None = None) -> int:
    if type(value) is not int or value < 0 or (limit is not None and value >= limit):
        raise TypeError(f"{value!r} is not a number that can stand here")
    return value
