"""What a file is that is not what its name says: all kinds that people give by mistake, in one table."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from llmtrace.i18n import N_, _

HEAD = 4096
"""So many bytes of a file are enough to see what it is."""
TAIL = 1 << 16
DOWNLOAD = N_("download it again")
"""What helps where a file is not whole, unless its reader knows better."""
PICKLE = N_(
    "a pickle file, which can run any program when it is read, so llmtrace reads none; get the model as .safetensors"
)


class Kind(NamedTuple):
    """One kind of file."""

    fits: Callable[[bytes, bytes], bool]
    """Whether a file is of this kind, by its first and last bytes."""
    what: str
    """What is said of one: the end of a sentence that begins with its name."""
    instead: str = ""
    """Where it holds a model: what is said of a folder that has it instead of weights that can be read."""

    def said(self, again: str = DOWNLOAD) -> str:
        """What is said of one; `again`: how a whole one is made."""
        return _(self.what, again=_(again))


def kind_of(head: bytes, tail: bytes = b"") -> Kind | None:
    """The kind of a file, by its first and last bytes; None if that can't be told."""
    return next((kind for kind in KINDS if kind.fits(head, tail)), None)


def kind_of_file(file: BinaryIO) -> Kind | None:
    """The kind of an open file."""
    file.seek(0)
    head = file.read(HEAD)
    file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
    return kind_of(head, file.read(TAIL))


def _begins(*starts: bytes) -> Callable[[bytes, bytes], bool]:
    return lambda head, tail: head.startswith(starts)


def _is_web_page(head: bytes, tail: bytes) -> bool:
    return re.match(rb"\s*<(!doctype|html|\?xml)", head, re.IGNORECASE) is not None


def _is_zip(head: bytes, tail: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _is_zipped_pickle(head: bytes, tail: bytes) -> bool:
    """PyTorch's files are zips with `data.pkl` in them."""
    return _is_zip(head, tail) and (b".pkl" in head or b".pkl" in tail)


def _is_pickle(head: bytes, tail: bytes) -> bool:
    """Whether a file begins like a pickle of any protocol; nothing of it is executed."""
    import pickletools

    if head[:1] == b"\x80":  # protocol 2 and later say so
        return len(head) > 1 and 2 <= head[1] <= 5
    if head[:1] not in {b"(", b"]", b"}", b")", b"c"}:  # marks, empty containers, a global: how protocols 0 and 1 begin
        return False
    seen = 0
    try:
        for opcode, _argument, _place in pickletools.genops(head):
            seen += 1
            if seen >= 4 or opcode.name == "STOP":
                return True
    except Exception:  # pickletools promises no particular error for what is no pickle
        return False
    return False


KINDS = (
    Kind(lambda head, tail: not head, N_("empty")),
    Kind(
        _begins(b"version https://git-lfs"),
        N_("only a Git LFS pointer: the file itself was not downloaded; `git lfs pull` fetches it"),
    ),
    Kind(_begins(b"GGUF"), N_("a GGUF file, not safetensors"), N_(", only {file}, a GGUF file: give that file itself")),
    Kind(_begins(b"\x89HDF\r\n\x1a\n"), N_("an HDF5 file (TensorFlow), not safetensors")),
    Kind(_begins(b"\x93NUMPY"), N_("a NumPy file, not safetensors")),
    Kind(_begins(b"\x1f\x8b"), N_("a gzip file; unpack it first")),
    Kind(_is_web_page, N_("a web page, not the file that it should be; {again}")),
    Kind(_is_zipped_pickle, PICKLE, N_(", only {file}: {what}")),
    Kind(_is_zip, N_("a zip archive; unpack it first")),
    Kind(_is_pickle, PICKLE, N_(", only {file}: {what}")),
)
"""The first that fits is the kind of a file."""
