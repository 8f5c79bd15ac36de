"""The checkpoint of llama2.c, in its first version: seven whole numbers, and then nothing but float32 numbers.

The numbers are the sizes; where each tensor lies follows from them, and so does the size of the file, which must be exactly that.
https://github.com/karpathy/llama2.c/blob/master/export.py (`legacy_export`)
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.storage.blocks import StoredBlocks
from llmtrace.storage.files import open_regular, refuse
from llmtrace.storage.foreign import HEAD
from llmtrace.storage.quantised import TYPES
from llmtrace.text import shown

HEADER = struct.Struct("<7i")
LATER = (0x616B3432).to_bytes(4, "little")
"""How files of later versions begin."""
MOST_LAYERS = 10_000
FLOAT32 = TYPES[0]


class Laid(NamedTuple):
    """A tensor of the file, or one of each layer: they lie one behind the other."""

    name: str
    shape: tuple[int, ...]
    layers: int = 0
    """0: it belongs to no layer."""


class Sizes(NamedTuple):
    """The header, by the names that run.c has."""

    dim: int
    hidden_dim: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    vocab_size: int
    """Below zero where the output has weights of its own."""
    seq_len: int

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return abs(self.vocab_size)

    @property
    def tied(self) -> bool:
        """Whether the output reads the token embedding."""
        return self.vocab_size > 0

    @property
    def size(self) -> int:
        """How many bytes a file of these sizes has."""
        return HEADER.size + 4 * sum((each.layers or 1) * math.prod(each.shape) for each in self.tensors())

    def tensors(self) -> Iterator[Laid]:
        """The tensors in the order of the file."""
        layers, head = self.n_layers, self.dim // self.n_heads
        keys, turns = head * self.n_kv_heads, (self.seq_len, head // 2)
        yield Laid("token_embedding_table", (self.vocabulary, self.dim))
        yield Laid("rms_att_weight", (self.dim,), layers)
        yield Laid("wq", (self.dim, self.dim), layers)
        yield Laid("wk", (keys, self.dim), layers)
        yield Laid("wv", (keys, self.dim), layers)
        yield Laid("wo", (self.dim, self.dim), layers)
        yield Laid("rms_ffn_weight", (self.dim,), layers)
        yield Laid("w1", (self.hidden_dim, self.dim), layers)
        yield Laid("w2", (self.dim, self.hidden_dim), layers)
        yield Laid("w3", (self.hidden_dim, self.dim), layers)
        yield Laid("rms_final_weight", (self.dim,))
        yield Laid("freq_cis_real", turns)
        yield Laid("freq_cis_imag", turns)
        if not self.tied:
            yield Laid("wcls", (self.vocabulary, self.dim))


class Llama2C(NamedTuple):
    """What a file holds."""

    sizes: Sizes
    tensors: dict[str, StoredBlocks]
    """By the names that run.c has; those of layers with their number: `wq.0`."""


def fits(head: bytes, size: int) -> bool:
    """Whether a file with these first bytes is exactly as large as a checkpoint that begins so."""
    try:
        return _sizes(head, size).size == size
    except ValueError:
        return False


def open_llama2c(path: Path) -> Llama2C:
    """The sizes and tensors of a checkpoint; ModelError says in one line why it can't be read.

    Nothing is mapped: a tensor's bytes are read when its numbers are, so that a file cut short meanwhile is an error.
    """
    with open_regular(path) as file:
        try:
            head, size = file.read(HEAD), os.fstat(file.fileno()).st_size
        except OSError as error:
            refuse(path, error)
    try:
        sizes = _sizes(head, size)
    except ValueError as error:
        raise ModelError(f"{shown(path)} {error}") from error
    if sizes.size != size:
        text = _("{path} is damaged, or not from llama2.c: its header asks for {expected:,} bytes, but it has {size:,}")
        raise ModelError(text.format(path=shown(path), expected=sizes.size, size=size))
    tensors: dict[str, StoredBlocks] = {}
    place = HEADER.size
    for name, shape, layers in sizes.tensors():
        for full in [f"{name}.{layer}" for layer in range(layers)] or [name]:
            tensors[full] = StoredBlocks(FLOAT32, shape, path, place)
            place += 4 * math.prod(shape)
    return Llama2C(sizes, tensors)


def _sizes(head: bytes, size: int) -> Sizes:
    """The header; ValueError for numbers that no checkpoint has."""
    if head[:4] == LATER:
        version = int.from_bytes(head[4:8], "little")
        raise ValueError(_("is a llama2.c file of version {version}; only version 0 can be read", version=version))
    if len(head) < HEADER.size:
        raise ValueError(_("is cut off: it ends inside its header, after {size} bytes", size=size))
    sizes = Sizes(*HEADER.unpack_from(head))
    for name, value in sizes._asdict().items():
        most = MOST_LAYERS if name == "n_layers" else 1 << 31
        if not 1 <= (abs(value) if name == "vocab_size" else value) <= most:
            raise ValueError(
                _("is damaged, or not from llama2.c: its header says {name} = {value}", name=name, value=value)
            )
    if sizes.dim % sizes.n_heads:
        text = _(
            "is damaged, or not from llama2.c: {width} features (dim) can't be shared by {heads} heads (n_heads) evenly"
        )
        raise ValueError(text.format(width=sizes.dim, heads=sizes.n_heads))
    return sizes
