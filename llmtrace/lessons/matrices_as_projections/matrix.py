"""Matrices: written as text (`1 2; 3 4`), rotations, and large random ones."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _, listed
from llmtrace.rng import uniform

LARGEST = 4
"""The most rows and columns that fit side by side on a screen."""
LIMIT = 999
EXAMPLE = "1 2; 3 4"
POINT_NAMES = "PQST"
"""The names of points; R is the rotation matrix."""
QUARTERS: dict[float, float] = {0: 1.0, 90: 0.0, 180: -1.0, 270: 0.0}
"""The cosines of multiples of 90°, which the cosine of a rounded multiple of π is not."""
BLOCK = 128
"""The rows of a random table that are drawn at once."""


def read_matrix(key: str, text: str) -> Array:
    """float32 [rows, columns]: numbers with spaces or commas between, rows with semicolons; or as Python writes lists.

    key: what the matrix is called in the LessonError where it is none, or too large a one.
    """
    wrong = _("{key} can't be {text}: write a matrix row by row, such as {example}")
    plain = unicodedata.normalize("NFKC", text).replace("−", "-").replace("、", ",")
    plain = re.sub(r"[\])]\s*,?\s*[\[(]", ";", plain.strip())  # between the rows of [[1, 2], [3, 4]]
    lines = re.sub(r"[\[\]()]", " ", plain).strip(" ;\n")
    try:
        rows = [
            [float(number) for number in re.split(r"[\s,]+", row.strip(" ,\t"))] for row in re.split("[;\n]", lines)
        ]
    except ValueError:
        raise LessonError(wrong.format(key=key, text=repr(text), example=EXAMPLE)) from None
    lengths = [len(row) for row in rows]
    if len(set(lengths)) > 1:
        raise LessonError(
            _(
                "the rows of {key} have {lengths} numbers: every row needs as many as the first",
                key=key,
                lengths=listed(lengths),
            )
        )
    if max(len(rows), lengths[0]) > LARGEST:
        raise LessonError(
            _(
                "{key} is {shape}: at most {limit} rows and {limit} columns fit on the screen",
                key=key,
                shape=shape((len(rows), lengths[0])),
                limit=LARGEST,
            )
        )
    if not all(abs(number) <= LIMIT for row in rows for number in row):
        raise LessonError(_("the numbers of {key} must be from −{limit} to {limit}", key=key, limit=LIMIT))
    return np.array(rows, np.float32)


def expect_shape(key: str, matrix: Array, rows: int, columns: int) -> None:
    """LessonError where a matrix doesn't have a shape."""
    if matrix.shape != (rows, columns):
        raise LessonError(
            _(
                "{key} must be {wanted} (rows × columns), not {shape}",
                key=key,
                wanted=shape((rows, columns)),
                shape=shape(matrix.shape),
            )
        )


def expect_product(first: str, a: Array, second: str, b: Array) -> None:
    """LessonError where two matrices can't be multiplied."""
    if a.shape[1] != b.shape[0]:
        text = _("{a} is {shape_a} and {b} is {shape_b} (rows × columns): {a} needs as many columns as {b} has rows")
        raise LessonError(text.format(a=first, b=second, shape_a=shape(a.shape), shape_b=shape(b.shape)))


def shape(sizes: Sequence[int]) -> str:
    """A shape as text: `2×3`, rows and columns."""
    return "×".join(map(str, sizes))


def matrix_text(rows: Sequence[Sequence[int]]) -> str:
    """A matrix as text that `read_matrix` reads."""
    return "; ".join(" ".join(map(str, row)) for row in rows)


def row_text(numbers: Array) -> str:
    """Some numbers with commas between, rounded to two decimals."""
    return ", ".join(f"{number:.2f}".rstrip("0").rstrip(".") for number in numbers.tolist()).replace("-", "−")


def points_by_name(points: Array, mark: str) -> dict[str, tuple[float, float]]:
    """Points by their names, with a mark after each name."""
    return {name + mark: (float(x), float(y)) for name, (x, y) in zip(POINT_NAMES, points, strict=False)}


def rotation(degrees: float) -> Array:
    """The matrix [2, 2] that rotates points, written as rows, counterclockwise: cos, sin; −sin, cos."""
    cos, sin = _cosine(degrees), _cosine(degrees - 90)
    return np.array([[cos, sin], [-sin, cos]], np.float32)


def _cosine(degrees: float) -> float:
    quarter = QUARTERS.get(degrees % 360)
    return float(elementary.cos(np.float64(degrees * math.pi / 180))) if quarter is None else quarter


def random_table(seed: int, rows: int, columns: int, blocks: Iterable[int]) -> Array:
    """float32 [rows, columns] of numbers from −1 to 1, drawn in blocks of BLOCK rows so that little memory is needed.

    blocks: the numbers of all blocks; iterating over them may report the progress.
    """
    table = np.empty((rows, columns), np.float32)
    for block in blocks:
        part = table[block * BLOCK : (block + 1) * BLOCK]
        places = np.arange(part.size, dtype=np.uint64) + np.uint64(block * BLOCK * columns)
        part[:] = (uniform(seed, places) * 2 - 1).reshape(part.shape)
    return table
