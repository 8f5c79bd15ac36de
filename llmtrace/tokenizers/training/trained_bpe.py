"""What was learnt: a tokenizer, and each of its merges with its count, as plain data and as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.files import read_json
from llmtrace.storage.replace import write_whole
from llmtrace.text import shown
from llmtrace.tokenizers.bpe import ByteLevelBPE
from llmtrace.tokenizers.files import load_tokenizer

FILE = "merges-learned.json"
"""Stands beside tokenizer.json, which has no place for counts."""
FACTS = ("vocabulary", "min_frequency", "bytes", "pieces", "different_pieces")


@dataclass(frozen=True, slots=True)
class LearnedMerge:
    """Two neighbouring symbols became one, because no pair of neighbours was more frequent."""

    rank: int
    """The how manyth merge it is, from 0."""
    left: str
    right: str
    count: int
    """How often the pair occurred in the texts when it was merged. In a row of one symbol each place counts: 2 in "aaa"."""


@dataclass(frozen=True, slots=True)
class TrainedBPE:
    """A tokenizer that was learnt from texts, with the reason for each of its merges."""

    tokenizer: ByteLevelBPE
    merges: tuple[LearnedMerge, ...]
    vocabulary: int
    """How many tokens were asked for."""
    min_frequency: int
    bytes: int
    """The size of the texts in UTF-8."""
    pieces: int
    different_pieces: int

    @property
    def complete(self) -> bool:
        """Whether the vocabulary has as many tokens as were asked for."""
        return len(self.tokenizer) == self.vocabulary

    @property
    def note(self) -> str:
        """What the user should know: that the texts gave fewer merges than were asked for. Otherwise empty."""
        if self.complete:
            return ""
        return _(
            "the vocabulary has {size} tokens, not {wanted}: no pair with a count of {least} or more is left in the texts",
            size=len(self.tokenizer),
            wanted=self.vocabulary,
            least=self.min_frequency,
        )

    def to_dict(self) -> dict[str, Any]:
        """Lists, texts and whole numbers only, for JSON."""
        return {
            **{name: getattr(self, name) for name in FACTS},
            "merges": [[merge.rank, merge.left, merge.right, merge.count] for merge in self.merges],
        }

    def save(self, folder: Path | str) -> Path:
        """Writes tokenizer.json, as `tokenizers` reads it, and the counts beside it; returns the path of the first."""
        path = self.tokenizer.save(folder)
        write_whole(Path(folder) / FILE, [line.encode() for line in self._lines()])
        return path

    def _lines(self) -> Iterator[str]:
        data = self.to_dict()
        merges = [json.dumps(merge, ensure_ascii=False) for merge in data.pop("merges")]
        yield json.dumps(data)[:-1] + ', "merges": ['
        yield ",".join(f"\n{merge}" for merge in merges)
        yield "\n]}\n"

    @classmethod
    def load(cls, folder: Path | str) -> TrainedBPE:
        """What `save` wrote; ModelError where a file is missing or broken, or the two do not belong together."""
        path = Path(folder) / FILE
        tokenizer = load_tokenizer(folder)
        if not isinstance(tokenizer, ByteLevelBPE):
            raise ModelError(_("there is no tokenizer of merges in {folder}", folder=shown(folder)))
        data = read_json(path)
        try:
            merges = tuple(_merge(entry, rank) for rank, entry in enumerate(data["merges"]))
            facts = [_whole(data[name]) for name in FACTS]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                _("{path} is not what training writes: {error}", path=shown(path), error=shown(repr(error)))
            ) from error
        if [(merge.left, merge.right) for merge in merges] != list(tokenizer.merges):
            raise ModelError(_("{path} does not belong to the tokenizer.json beside it", path=shown(path)))
        return cls(tokenizer, merges, *facts)


def _merge(entry: Any, rank: int) -> LearnedMerge:
    number, left, right, count = entry
    if number != rank or not isinstance(left, str) or not isinstance(right, str):
        raise TypeError(f"{entry!r} is not merge {rank}")
    return LearnedMerge(_whole(number), left, right, _whole(count))


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r} is not a whole number")
    return value
