"""Matrices: products, rotations, projections, the embedding of a word, a layer of a net."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LessonError
from llmtrace.i18n import _, listed
from llmtrace.lessons.framework.lesson import Article, Lesson
from llmtrace.lessons.matrices_as_projections.exercises import EXERCISES
from llmtrace.lessons.matrices_as_projections.made import CORNERS, CUBE, FAR, multiplied, projected
from llmtrace.lessons.matrices_as_projections.matrix import (
    BLOCK,
    POINT_NAMES,
    expect_product,
    expect_shape,
    points_by_name,
    random_table,
    read_matrix,
    rotation,
    row_text,
    shape,
)
from llmtrace.lessons.matrices_as_projections.words import LEGEND
from llmtrace.models.feedforward import ACTIVATIONS, Feedforward
from llmtrace.ops.linear.embedding import embedding
from llmtrace.ops.linear.linear import linear
from llmtrace.rng import derive
from llmtrace.trace import Run, Trace
from llmtrace.views.figures import Scatter
from llmtrace.views.matmul_steps import Product

SHOWN = 5
"""The rows of the table of the largest scores."""


@dataclass
class MatricesAsProjections(Lesson):
    """Two matrices to multiply, an angle, a matrix to project by, a token, and the inputs and weights of a layer."""

    name = "matrices-as-projections"
    legend = LEGEND
    exercises = EXERCISES

    articles = (
        Article(
            "(3, 1), turned by 30° with (cos −sin; sin cos) behind it",
            "counter-clockwise",
            "columns_turned[:, 0]:.3f",
            "ours: that is clockwise; behind a row, (cos sin; −sin cos) turns counter-clockwise",
        ),
        Article("the shape of [2 −3; 5 1]", "2×2", "shape('square')"),
        Article("the shape of [2 −3 7; 5 1 −8]", "2×3", "shape('wide')"),
        Article("two cubes, near and far, on paper", "one picture", "'one picture' if one_picture else 'two pictures'"),
    )

    far: ClassVar[int] = FAR
    square: ClassVar[str] = "2 -3; 5 1"
    wide: ClassVar[str] = "2 -3 7; 5 1 -8"

    a: str = "1 2 3; 4 5 6"
    b: str = "7 8; 9 10; 11 12"
    theta: float = 30.0
    points: str = "3 1; 1 2"
    screen: str = "1 0; 0 1; 0.5 0.5"
    thing: tuple[float, ...] = (1.0, 2.0, 3.0)
    token: int = 464
    x: str = "1 2; 3 -1; 0 1"
    w: str = "1 -1; 0.5 2; -1 1"
    bias: str = "0.5 -1 0"
    activation: str = "relu"

    def check(self) -> None:
        """LessonError where an input is no matrix, or has a shape that doesn't fit."""
        expect_product("a", self.matrix("a"), "b", self.matrix("b"))
        expect_shape("points", self.matrix("points"), len(self.matrix("points")), 2)
        expect_shape("screen", self.matrix("screen"), 3, 2)
        if not any(self.lost):
            raise LessonError(_("the columns of screen must not point the same way"))
        self.require_within({"token": (0, self.vocabulary - 1)})
        expect_shape("w", self.matrix("w"), len(self.matrix("w")), self.matrix("x").shape[1])
        expect_shape("bias", self.matrix("bias"), 1, len(self.matrix("w")))
        if self.activation not in ACTIVATIONS or self.activation == "none":
            names = listed(name for name in ACTIVATIONS if name != "none")
            raise LessonError(_("activation must be one of {names}", names=names))

    def matrix(self, key: str) -> Array:
        """An input as a matrix."""
        return read_matrix(key, getattr(self, key))

    def shape(self, key: str) -> str:
        """The shape of a matrix, such as `2×3`."""
        return shape(self.matrix(key).shape)

    # ---- rows times columns --------------------------------------------------------------------------------------------

    @cached_property
    def product(self) -> Trace:
        """The product of a and b."""
        return multiplied("product", self.matrix("a"), self.matrix("b"))

    @cached_property
    def steps(self) -> Product:
        """The product of a and b, term by term."""
        return Product(self.product, "product")

    @cached_property
    def stacked(self) -> Trace:
        """The product of a square matrix and a wide one."""
        return multiplied("stacked.product", self.matrix("square"), self.matrix("wide"))

    @cached_property
    def stacked_steps(self) -> Product:
        """The same, term by term."""
        return Product(self.stacked, "stacked.product")

    # ---- turning -------------------------------------------------------------------------------------------------------

    @property
    def turning(self) -> Array:
        """The rotation matrix for points as rows."""
        return rotation(self.theta)

    @cached_property
    def turn(self) -> Trace:
        """The rotation of points as rows and as columns, X·R and R·Xᵀ."""
        trace, points = Trace({}, legend=LEGEND), self.matrix("points")
        trace.labels = {"point": POINT_NAMES[: len(points)]}
        with Run({}, trace) as run:
            x = run.leaf("points", points, ("point", "from"))
            turning = run.leaf("R", self.turning, ("from", "number"))
            run.do("turned.rows", linear, (x, turning, None), {}, ("point", "number"))
            columns = run.leaf("columns", np.ascontiguousarray(points.T), ("from", "point"))
            again = run.leaf("R.rows", self.turning, ("number", "from"))
            run.do("turned.columns", linear, (again, columns, None), {}, ("number", "point"))
        return trace

    @cached_property
    def turn_steps(self) -> Product:
        """The rotation of points as rows, X·R, term by term."""
        return Product(self.turn, "turned.rows")

    @property
    def rows_turned(self) -> Array:
        """The rotated points X·R, [point, 2]."""
        return self.turn["turned.rows"].output

    @property
    def columns_turned(self) -> Array:
        """The rotated points R·Xᵀ, [2, point]."""
        return self.turn["turned.columns"].output

    @property
    def turned_plane(self) -> Scatter:
        """The points before and after the rotation X·R."""
        return Scatter({**points_by_name(self.matrix("points"), ""), **points_by_name(self.rows_turned, "'")}, 9)

    @property
    def both_ways(self) -> list[tuple[Any, ...]]:
        """Each point, with its rotation by X·R and by R·Xᵀ."""
        rows, columns = (self.recorded("turn", f"turned.{way}") for way in ("rows", "columns"))
        ways = zip(POINT_NAMES, self.matrix("points"), rows, zip(*columns, strict=True), strict=False)
        return [(name, *before, "", *rows, "", *columns) for name, before, rows, columns in ways]

    # ---- shadows -------------------------------------------------------------------------------------------------------

    @property
    def lost(self) -> tuple[float, ...]:
        """The kernel of the projection: the cross product of the columns of `screen`."""
        (a, d), (b, e), (c, f) = self.matrix("screen").astype(np.float64).tolist()
        return (b * f - c * e, c * d - a * f, a * e - b * d)

    @property
    def things(self) -> Array:
        """A point in space, and another one with the same projection, [2, 3]."""
        return np.array([self.thing, [p + q for p, q in zip(self.thing, self.lost, strict=True)]], np.float32)

    @cached_property
    def shadow(self) -> Trace:
        """The projections of both points, and these projections times the transposed matrix."""
        trace = Trace({}, legend=LEGEND)
        trace.labels = {"point": POINT_NAMES[:2]}
        with Run({}, trace) as run:
            room = run.leaf("room", self.things, ("point", "from"))
            screen = run.leaf("screen", self.matrix("screen"), ("from", "number"))
            flat = run.do("shadow.flat", linear, (room, screen, None), {}, ("point", "number"))
            back = run.leaf("back", np.ascontiguousarray(self.matrix("screen").T), ("number", "to"))
            run.do("shadow.back", linear, (flat, back, None), {}, ("point", "to"))
        return trace

    @cached_property
    def shadow_steps(self) -> Product:
        """The projections of both points, term by term."""
        return Product(self.shadow, "shadow.flat")

    @property
    def one_shadow(self) -> bool:
        """Whether both points have the same projection, but for rounding."""
        first, second = self.shadow["shadow.flat"].output
        return bool((np.abs(first - second) < 0.001).all())

    @cached_property
    def cube(self) -> Trace:
        """The projections of the corners of a cube."""
        return projected(CORNERS, CUBE, self.matrix("screen"))

    @cached_property
    def far_cube(self) -> Trace:
        """The projections of the corners of the same cube, moved along the way on which the screen sees nothing."""
        corners = CUBE + np.float32(FAR) * np.array(self.lost, np.float32)
        return projected(CORNERS.lower(), corners, self.matrix("screen"))

    @property
    def cube_plane(self) -> Scatter:
        """The projected corners of a cube."""
        return Scatter({name: (x, y) for name, (x, y) in zip(CORNERS, self.cube["shadow.flat"].output, strict=True)}, 9)

    @property
    def cubes(self) -> list[tuple[Any, ...]]:
        """Each corner of the near cube and of the far one, each with its projection."""
        rows = [self.recorded(cube, name) for cube in ("cube", "far_cube") for name in ("room", "shadow.flat")]
        return [
            (CORNERS[n], *rows[0][n], "→", *rows[1][n], CORNERS[n].lower(), *rows[2][n], "→", *rows[3][n])
            for n in range(8)
        ]

    @property
    def one_picture(self) -> bool:
        """Whether the near cube and the far one have the same projections, but for rounding."""
        return bool((np.abs(self.cube.tensor("shadow.flat") - self.far_cube.tensor("shadow.flat")) < 0.001).all())

    @property
    def shadows(self) -> list[tuple[Any, ...]]:
        """Each point, its projection, and what the transposed matrix makes of that."""
        flat, back = (self.recorded("shadow", f"shadow.{kind}") for kind in ("flat", "back"))
        each = zip(POINT_NAMES, self.things, flat, back, strict=False)
        return [(name, *thing, "→", *shadow, "→", *guess) for name, thing, shadow, guess in each]

    # ---- a word --------------------------------------------------------------------------------------------------------

    @property
    def vocabulary(self) -> int:
        """The size of GPT-2's vocabulary."""
        return 50_257

    @property
    def features(self) -> int:
        """The width of GPT-2's embedding."""
        return 768

    @cached_property
    def table(self) -> Array:
        """The random table of GPT-2's size."""
        blocks = self.tracked(-(-self.vocabulary // BLOCK))
        return random_table(derive(0, self.name, "table"), self.vocabulary, self.features, blocks)

    @cached_property
    def word(self) -> Trace:
        """A token looked up in the random table, and the scores of that row against the whole table."""
        trace = Trace({}, legend=LEGEND)
        with Run({}, trace) as run:
            token = run.leaf("token", np.array([self.token]), ("word",))
            given = run.leaf("word.table", self.table, ("entry", "feature"))
            vector = run.do("word.vector", embedding, (token, given), {}, ("word", "feature"))
            run.do("word.scores", linear, (vector, given, None), {"transposed": True}, ("word", "entry"))
        return trace

    @property
    def vector(self) -> Array:
        """The row of the table for the token."""
        return self.word["word.vector"].output[0]

    @property
    def scores(self) -> Array:
        """The scores of all tokens."""
        return self.word["word.scores"].output[0]

    @property
    def best(self) -> list[tuple[int, float]]:
        """The tokens with the largest scores."""
        order = np.argsort(-self.scores, kind="stable")[:SHOWN]
        return [(int(token), float(self.scores[token])) for token in order]

    # ---- a layer -------------------------------------------------------------------------------------------------------

    @cached_property
    def layer(self) -> Trace:
        """The layer Z = φ(X·Wᵀ + B)."""
        net = Feedforward.of(self.matrix("w"), biases=[self.matrix("bias")[0]], last=self.activation)
        return net.trace(self.matrix("x"))

    @property
    def layer_table(self) -> list[tuple[Any, ...]]:
        """The inputs of each example, its sums, and its outputs."""
        sums, out = (self.layer[f"output.{kind}"].output for kind in ("sum", "act"))
        each = zip(self.matrix("x"), sums, out, strict=True)
        return [(n, row_text(x), row_text(z), row_text(y)) for n, (x, z, y) in enumerate(each)]
