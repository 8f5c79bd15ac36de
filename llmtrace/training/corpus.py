"""From text files to one long row of token ids on disk: read and written piece by piece, so a text may be larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from llmtrace.errors import TrainingError
from llmtrace.ops.op import Array
from llmtrace.storage.replace import replacing
from llmtrace.tokenizers import ByteLevelBPE, CharacterTokenizer, read_texts, train_bpe
from llmtrace.words import _

Tokenizer = ByteLevelBPE | CharacterTokenizer
Progress = Callable[[str, int, int], object]
"""Is told what is being done, how much of it is done, and how much there is (0: not known)."""


def new_tokenizer(paths: Sequence[Path], vocabulary: int | None, progress: Progress | None = None) -> Tokenizer:
    """Learns a tokenizer from texts: byte-level BPE with so many tokens at most, or, with None, one token per character."""
    if vocabulary is not None:
        said = _("learning the tokenizer")
        told = None if progress is None else lambda done, most: progress(said, done, most)
        return train_bpe(read_texts(paths), vocabulary, progress=told).tokenizer
    letters: set[str] = set()
    for text in read_texts(paths):
        letters.update(text)
    if not letters:
        raise TrainingError(_("there is nothing to learn from: the text is empty"))
    return CharacterTokenizer({letter: index for index, letter in enumerate(sorted(letters))})


def encode_files(
    paths: Sequence[Path], tokenizer: Tokenizer, target: Path, progress: Progress | None = None
) -> int:
    """Writes the ids of all texts, one after the other, to `target`; returns how many there are."""
    kind, count, read = id_type(len(tokenizer)), 0, 0
    size = sum(path.stat().st_size for path in paths)
    with replacing(target, TrainingError) as temporary, temporary.open("wb") as file:
        for text in read_texts(paths):
            ids = np.asarray(tokenizer.encode(text), kind)
            file.write(ids.tobytes())
            count += ids.size
            read += len(text.encode("utf-8", "surrogatepass"))
            if progress is not None:
                progress(_("reading the text as tokens"), read, size)
    return count


def id_type(vocabulary: int) -> np.dtype[np.uint16] | np.dtype[np.uint32]:
    """How a token's id is stored: in two bytes where that is enough, little-endian."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


def open_ids(path: Path, vocabulary: int, count: int) -> Array:
    """The ids in a file that `encode_files` wrote, mapped into memory."""
    kind = id_type(vocabulary)
    if not path.exists() or path.stat().st_size != count * kind.itemsize:
        raise TrainingError(_("{path} does not hold the tokens that it should: begin again").format(path=path))
    return np.memmap(path, kind, "r") if count else np.empty(0, kind)
