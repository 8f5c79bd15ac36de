"""PNG: the heatmaps of a document as pixels, one below the other, each number a square. Words are for the other media."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LlmtraceError
from llmtrace.i18n import _
from llmtrace.render import Sheet
from llmtrace.render.shades import shade
from llmtrace.views.document import Document, walk
from llmtrace.views.figures import Heatmap, Picture, Scale

MIME = "image/png"
ENDING = ".png"
SIDE, GAP = 16, 16
"""Pixels of a number, and between two heatmaps."""
LARGEST = 4096
"""Wider or higher pictures have smaller squares."""
WHITE = 255


def render(document: Document) -> bytes:
    """All heatmaps of a document as one picture."""
    maps = [each for each in walk(document) if isinstance(each, Heatmap | Picture)]
    if not maps:
        raise LlmtraceError(
            _(
                "there is no heatmap in this view, and a PNG shows only those; llmtrace show residual has one, .svg shows all"
            )
        )
    colours = [_colours(each) for each in maps]
    largest = max(max(each.shape[1] for each in colours), sum(each.shape[0] for each in colours))
    side = max(1, min(SIDE, LARGEST // largest))
    squares = [each.repeat(side, axis=0).repeat(side, axis=1) for each in colours]
    width = max(each.shape[1] for each in squares)
    height = sum(each.shape[0] for each in squares) + GAP * (len(squares) - 1)
    canvas = np.full((height, width, 3), WHITE, np.uint8)
    tops = np.cumsum([0, *(each.shape[0] + GAP for each in squares)])
    for each, (top, _next) in zip(squares, pairwise(tops), strict=True):
        canvas[top : top + each.shape[0], : each.shape[1]] = each
    return encoded(canvas)


def standalone(document: Document, sheet: Sheet) -> bytes:
    """The same as a file."""
    return render(document)


def _colours(block: Heatmap | Picture) -> Array:
    """A colour for each number, white where there is none."""
    whole = isinstance(block, Picture)
    scale = Scale(block.low, block.high) if isinstance(block, Picture) else block.scale
    rows = range(block.values.shape[0]) if isinstance(block, Picture) else block.rows.indices()
    columns = range(block.values.shape[1]) if isinstance(block, Picture) else block.columns.indices()
    colours = np.full((len(rows), len(columns), 3), WHITE, np.uint8)
    for r, row in enumerate(rows):
        for c, column in enumerate(columns):
            if whole or not block.blank[row, column]:  # type: ignore[union-attr]
                colours[r, c] = shade(block.values[row, column], scale)[0]
    return colours


def encoded(pixels: Array) -> bytes:
    """Pixels [rows, columns, red green blue] as PNG (ISO/IEC 15948): 8 bits each, no filter."""
    height, width, _three = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
