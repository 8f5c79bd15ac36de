"""From text files to one long row of token ids on disk: read and written piece by piece, so a text may be larger than memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import field
from itertools import chain
from pathlib import Path

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import TrainingError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.storage.replace import replacing
from llmtrace.text import shown
from llmtrace.tokenizers import CharacterTokenizer, Tokenizer, read_texts, train_bpe

Progress = Callable[[str, int, int], object]
"""Is told what is being done, how much of it is done, and how much there is (0: not known)."""

PIECE = 1 << 22
"""So many ids are checked at a time."""


def new_tokenizer(
    paths: Sequence[Path],
    vocabulary: int | None,
    progress: Progress | None = None,
    note: Callable[[str], object] | None = None,
) -> Tokenizer:
    """Learns a tokenizer from texts: byte-level BPE with so many tokens at most, or, with None, one token per character.

    note: is told where the texts gave fewer tokens than that.
    """
    texts = _telling(read_texts(paths), paths, _("reading the text"), progress)
    if vocabulary is not None:
        said = _("learning the tokenizer")
        trained = train_bpe(texts, vocabulary, progress=progress and (lambda done, most: progress(said, done, most)))
        if trained.note and note is not None:
            note(trained.note)
        return trained.tokenizer
    letters: set[str] = set()
    for text in texts:
        letters.update(text)
    if not letters:
        raise TrainingError(_("there is nothing to learn from: the text is empty"))
    return CharacterTokenizer({letter: index for index, letter in enumerate(sorted(letters))})


@frozen
class Corpus:
    """Texts as one long row of token ids in a file, one text after the other; what the plan of a training says of it."""

    tokens: int
    """How many there are."""
    separator: str = ""
    """What every document of the texts ends with; "" where the texts were not taken as documents."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The texts' names and SHA-256, for the record."""

    def __post_init__(self) -> None:
        whole = type(self.tokens) is int and 0 <= self.tokens < 1 << 48
        if not whole or not isinstance(self.separator, str) or not isinstance(self.files, Mapping):
            raise TrainingError(_("tokens, separator and files are not those of texts"))

    @classmethod
    def write(
        cls,
        target: Path,
        paths: Sequence[Path],
        tokenizer: Tokenizer,
        separator: str = "",
        progress: Progress | None = None,
    ) -> Corpus:
        """Writes the ids of all texts to `target`; with a separator each document is made tokens by itself, and
        `target`.starts says where each begins.
        """
        kind, count = id_type(len(tokenizer)), 0
        texts: Iterable[str] = read_texts(paths)
        if separator:
            texts = chain.from_iterable(documents(read_texts([path]), separator) for path in paths)
        texts = _telling(texts, paths, _("reading the text as tokens"), progress)
        starts_of(target).unlink(missing_ok=True)  # of an earlier try
        with (
            replacing(target, TrainingError) as temporary,
            replacing(starts_of(target), TrainingError) if separator else nullcontext(Path(os.devnull)) as beside,
            temporary.open("wb") as file,
            beside.open("wb") as starts,
        ):
            for text in texts:
                starts.write(np.array([count], "<u8").tobytes())
                ids = np.asarray(tokenizer.encode(text), kind)
                file.write(ids.tobytes())
                count += ids.size
        names = [path.name for path in paths]
        hashes = {path.name if names.count(path.name) == 1 else str(path): digest(path) for path in paths}
        return cls(count, separator, hashes)

    def ids(self, path: Path, vocabulary: int) -> Array:
        """The ids in the file, mapped into memory; TrainingError where it is not the one that was written."""
        kind = id_type(vocabulary)
        if not path.exists() or path.stat().st_size != self.tokens * kind.itemsize:
            raise not_whole(path)
        ids: Array = np.memmap(path, kind, "r") if self.tokens else np.empty(0, kind)
        if not all((ids[i : i + PIECE] < vocabulary).all() for i in range(0, len(ids), PIECE)):
            raise not_whole(path)
        return ids

    def starts(self, path: Path) -> Array | None:
        """Where the documents begin, mapped into memory; None where there are no documents."""
        if not self.separator:
            return None
        try:
            starts = np.memmap(starts_of(path), "<u8", "r")
        except (OSError, ValueError) as error:  # not there; empty, or half a number at its end
            raise not_whole(starts_of(path)) from error
        if starts[0] or starts[-1] > self.tokens or not (starts[1:] >= starts[:-1]).all():
            raise not_whole(starts_of(path))
        return starts


def _telling(texts: Iterable[str], paths: Sequence[Path], what: str, progress: Progress | None) -> Iterator[str]:
    """The same texts; `progress` is told how many bytes of them are done with."""
    read = 0
    for text in texts:
        yield text
        read += len(text.encode())
        if progress is not None:
            progress(what, read, sum(path.stat().st_size for path in paths))


def documents(texts: Iterable[str], separator: str) -> Iterator[str]:
    """The documents that texts consist of, each with the separator that ends it."""
    held: list[str] = []  # of a document that has not ended yet
    carried = ""  # so much of its end as a separator may begin in
    for text in texts:
        *whole, rest = (carried + text).split(separator)
        for document in whole:
            yield "".join(held) + document + separator
            held.clear()
        kept = len(rest) - len(separator) + 1
        held.append(rest[: max(0, kept)])
        carried = rest[max(0, kept) :]
    if last := "".join(held) + carried:
        yield last


def starts_of(target: Path) -> Path:
    """The file that says where the documents in a file of ids begin."""
    return target.with_name(f"{target.name}.starts")


def not_whole(path: Path) -> TrainingError:
    """The error that says that a file is not the one that was written."""
    return TrainingError(_("{path} does not hold the tokens that it should: begin again", path=shown(path)))


def id_type(vocabulary: int) -> np.dtype[np.uint16] | np.dtype[np.uint32]:
    """How a token's id is stored: in two bytes where that is enough, little-endian."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
