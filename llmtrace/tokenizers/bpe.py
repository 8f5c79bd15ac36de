"""Byte-level byte-pair encoding, as in GPT-2, Llama 3 and most others.

A text is cut into pieces by a pattern (`splitting`); a piece is written as bytes, one symbol per byte (`byte_symbols`);
neighbouring symbols are merged, by rank, until no merge applies (`merging`); what is left are the tokens. Where there is a
symbol for each of the 256 bytes and the pattern removes nothing, every text can be encoded and comes back exactly.

    Neural Machine Translation of Rare Words with Subword Units, Sennrich, Haddow and Birch, 2016
    Language Models are Unsupervised Multitask Learners, Radford and others, 2019, section 2.2
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from llmtrace.errors import ModelError, PromptError
from llmtrace.i18n import _
from llmtrace.text import cited
from llmtrace.tokenizers.byte_symbols import SYMBOLS, bytes_of, symbols_of, utf8
from llmtrace.tokenizers.json_format.write import byte_level_json, write_json
from llmtrace.tokenizers.special_tokens import SpecialTokens
from llmtrace.tokenizers.splitting import Splitter
from llmtrace.tokenizers.tokenization import Merge, Piece, Token, Tokenization
from llmtrace.tokenizers.vocabulary import FromVocabulary, Vocabulary

REMEMBERED = 1 << 15  # pieces whose tokens are remembered, so that " the" is merged once and not in every line
SHORT = 48  # characters of the longest piece that is worth remembering


class ByteLevelBPE(FromVocabulary):
    """A tokenizer of merges.

    vocabulary: the id of each token, written in symbols ("Ġthe"); merges: the pairs of symbols, first rank 0;
    added: tokens found in every text before it is cut; special: tokens that are found only when asked for;
    whole_pieces: a piece that is in the vocabulary is looked up, not merged (`ignore_merges`); unknown: the token that stands
    for each byte without one (`unk_token`).
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        splitter: Splitter | None = None,
        added: Mapping[str, int] | None = None,
        special: Mapping[str, int] | None = None,
        whole_pieces: bool = False,
        unknown: str | None = None,
    ) -> None:
        from llmtrace._bpe import MergeTable

        self.vocabulary = vocabulary
        self.merges = merges
        self.splitter = splitter or Splitter()
        self.added, self.special = dict(added or {}), dict(special or {})
        self.whole_pieces = whole_pieces
        self.unknown = unknown
        self._found = SpecialTokens(self.added, self.special)
        texts = {index: utf8(text, ModelError) for text, index in self._found.ids.items()}
        entries = ((index, bytes_of(text)) for text, index in vocabulary.items() if index not in texts)
        self._tokens = Vocabulary([*texts.items(), *entries])
        self._symbols = {index: text for text, index in [*self._found.ids.items(), *vocabulary.items()]}
        if unknown is not None and unknown not in vocabulary:
            raise ModelError(_("its unk_token {text} is not in the vocabulary", text=cited(unknown)))
        rest = -1 if unknown is None else vocabulary[unknown]
        byte_ids = [vocabulary.get(symbol, rest) for symbol in SYMBOLS]
        self._table = MergeTable(byte_ids, _merge_ids(vocabulary, merges))
        self._missing = bytes(byte for byte in range(256) if SYMBOLS[byte] not in vocabulary)
        self._remembered: dict[str, list[int]] = {}

    def encode(self, text: str, special: bool = False) -> list[int]:
        """The ids of a text. What looks like a special token is ordinary text, unless `special`."""
        utf8(text)
        remembered = self._remembered
        ids: list[int] = []
        for part, token in self._found.split(text, special):
            if token is not None:
                ids.append(self._found.ids[token])
                continue
            for piece in self.splitter.pieces(part):
                known = remembered.get(piece)
                ids += self._encode_piece(piece) if known is None else known
        return self.framing.around(ids)

    def _encode_piece(self, piece: str) -> list[int]:
        data = self._bytes(piece)
        whole = self.vocabulary.get(symbols_of(data)) if self.whole_pieces else None
        ids = self._table.encode(data) if whole is None else [whole]
        if len(piece) <= SHORT:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[piece] = ids
        return ids

    def _bytes(self, piece: str) -> bytes:
        data = utf8(piece)
        if self.unknown is not None:
            return data
        unknown = self._missing and data.translate(None, bytes(set(range(256)) - set(self._missing)))
        if unknown:
            raise PromptError(
                _(
                    "this tokenizer has no token for the byte 0x{byte:02X}, which {piece} needs",
                    byte=unknown[0],
                    piece=cited(piece),
                )
            )
        return data

    def going_on(self) -> Self:
        """As for all tokenizers."""
        other = super().going_on()
        other.splitter = self.splitter.going_on()
        return other

    def explain(self, text: str, special: bool = False) -> Tokenization:
        """The way of a text to its ids, which are those of `encode`. The merges are those that the encoder did.

        It begins with the text as it is cut: of a tokenizer that brings it to a normal form of Unicode first, in that form.
        """
        utf8(text)
        found = self._found.explain(text, special, self.splitter.parts, self._explain_piece)
        found = replace(found, text="".join(piece.text for piece in found.pieces))
        return self.framing.explained(found, self.token)

    def _explain_piece(self, text: str, piece: str) -> Piece:
        data = self._bytes(piece)
        symbols = tuple(symbols_of(data))
        whole = self.vocabulary.get("".join(symbols)) if self.whole_pieces else None
        unknown = ""
        if whole is None and self.unknown is not None:
            unknown = self.unknown if any(byte in self._missing for byte in data) else ""
            symbols = tuple(symbol if symbol in self.vocabulary else self.unknown for symbol in symbols)
        ids, record = self._table.record(data) if whole is None else ([whole], [])
        pairs = self.merges
        merges = tuple([Merge(rank, pairs[rank][0], pairs[rank][1], where) for rank, where in record])
        tokens = tuple([Token(index, self._symbols[index], self.token(index)) for index in ids])
        return Piece(text, data, symbols, merges, tokens, unknown=unknown)

    def save(self, folder: Path | str) -> Path:
        """Writes tokenizer.json into a folder, in the format of the `tokenizers` library, and returns its path."""
        return write_json(byte_level_json(self), Path(folder))


def _merge_ids(vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> list[tuple[int, int, int]]:
    try:
        return [(vocabulary[left], vocabulary[right], vocabulary[left + right]) for left, right in merges]
    except KeyError:
        rank, pair = next((r, p) for r, p in enumerate(merges) if not {p[0], p[1], p[0] + p[1]} <= vocabulary.keys())
        lacking = next(symbol for symbol in (*pair, pair[0] + pair[1]) if symbol not in vocabulary)
        raise ModelError(
            _(
                "merge {rank} joins {left} and {right}, but {lacking} is not in the vocabulary",
                rank=rank,
                left=cited(pair[0]),
                right=cited(pair[1]),
                lacking=cited(lacking),
            )
        ) from None
