"""The exercises of the lesson matrices-as-projections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmtrace.lessons.framework.exercises import Exercise
from llmtrace.lessons.matrices_as_projections.matrix import matrix_text
from llmtrace.rng import Chance


def cell(chance: Chance) -> Exercise:
    """One entry of a product of two small matrices, off the diagonal."""
    a, b = ([[1 + chance.below(9) for _c in range(2)] for _r in range(2)] for _m in range(2))
    row = chance.below(2)
    column = 1 - row

    def cell(i: int, j: int) -> int:
        return a[i][0] * b[0][j] + a[i][1] * b[1][j]

    mistakes = {
        "swapped": cell(column, row),
        "one-term": a[row][0] * b[0][column],
        "same-place": a[row][column] * b[row][column],
        "row-by-row": a[row][0] * b[column][0] + a[row][1] * b[column][1],
    }
    values = {
        "a": matrix_text(a),
        "b": matrix_text(b),
        "row": row,
        "column": column,
        "p": a[row],
        "q": [r[column] for r in b],
    }
    return Exercise(values, cell(row, column), mistakes)


def shapes(chance: Chance) -> Exercise:
    """How many numbers a product has."""
    rows, inner, columns = chance.sample(range(2, 10), 3)
    mistakes = {"inner": rows * inner, "products": rows * inner * columns, "added": rows + columns}
    return Exercise({"rows": rows, "inner": inner, "columns": columns}, rows * columns, mistakes)


def turn(chance: Chance) -> Exercise:
    """A point that is rotated by a quarter turn."""
    x, y = chance.sample(range(1, 10), 2)
    return Exercise({"x": x, "y": y, "r": "0 1; −1 0"}, -y, {"other-way": y, "second-column": x, "crossed": -x})


def shadow(chance: Chance) -> Exercise:
    """A coordinate of a second point with the same projection."""
    x, y, z = (2 + chance.below(8) for _n in range(3))
    more = 1 + chance.below(3)
    values: Mapping[str, Any] = {"x": x, "y": y, "z": z, "x2": x - more, "z2": z + more, "more": more}
    return Exercise(values, y - more, {"same": y, "wrong-way": y + more, "height": z + more})


EXERCISES = {
    "cell": cell,
    "shapes": shapes,
    "turn": turn,
    "shadow": shadow,
}
