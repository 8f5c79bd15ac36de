"""What `Op.formula` says, computed: a parser of its few signs over arrays whose axes have the letters of `Op.shapes`.

A product joins the axes of both factors by their letters; Σ adds up those that the result does not have, or else a whole row.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from llmtrace.arithmetic.types import Array

__all__ = ["Named", "evaluate"]

TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[A-Za-zεβπ_][A-Za-z0-9_]*|[Σ√·/+−()|\[\],<>²³])")
FUNCTIONS: dict[str, Callable[..., Any]] = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "sign": np.sign}
FUNCTIONS |= {"sin": np.sin, "cos": np.cos, "erf": np.vectorize(math.erf, otypes=[float]), "√": np.sqrt}
POWERS = {"²": 2, "³": 3}


class Named(NamedTuple):
    """An array and the letters of its axes."""

    axes: tuple[str, ...]
    data: Array


def number(value: float) -> Named:
    """One number, without axes."""
    return Named((), np.asarray(float(value)))


def together(function: Callable[..., Any], *operands: Named) -> Named:
    """A function of arrays, element by element, joined by the letters of their axes."""
    axes = tuple(dict.fromkeys(axis for operand in operands for axis in operand.axes))

    def spread(x: Named) -> Array:
        own = [axis for axis in axes if axis in x.axes]
        data = np.transpose(x.data, [x.axes.index(axis) for axis in own])
        return data[tuple(slice(None) if axis in own else None for axis in axes)]

    return Named(axes, np.asarray(function(*map(spread, operands))))


def evaluate(formula: str, names: Mapping[str, Named], out: tuple[str, ...], row: str | None) -> Named:
    """What a formula gives: `value, name = value, …`, where the names after the commas may be used in all that stands before.

    names: the values of the letters and words in it. out: the axes of the result. row: the axis that Σ adds up where the
    result has all axes. Phrases such as "over all positions" only tell what the axes do. ValueError where it can't be read.
    """
    known = dict(names)
    pieces = formula.split(", ")
    while len(pieces) > 1 and (pieces[-1].startswith("over ") or re.match(r"\w+ = ", pieces[-1])):
        name, _, text = pieces.pop().partition(" = ")
        if text:
            known[name] = _Reader(text, known, out, row).whole()
    return _Reader(", ".join(pieces), known, out, row).whole()


class _Reader:
    """Reads one formula from left to right: a method for each strength of binding, the weakest first."""

    def __init__(self, text: str, names: Mapping[str, Named], out: tuple[str, ...], row: str | None) -> None:
        self.names, self.out, self.row, self.text = names, out, row, text
        self.tokens = TOKEN.findall(text)
        if "".join(self.tokens) != re.sub(r"\s", "", text):
            raise ValueError(f"{text!r} has signs that are not known")

    def whole(self) -> Named:
        """The value of all of it."""
        value = self.choice()
        if self.tokens:
            raise ValueError(f"{self.text!r} can't be read from {self.tokens[0]!r} on")
        return value

    def take(self, *wanted: str) -> str:
        """The next sign, if it is one of these, else nothing."""
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in wanted else ""

    def expect(self, wanted: str) -> None:
        """The next sign must be this one."""
        if not self.take(wanted):
            raise ValueError(f"{self.text!r} lacks {wanted!r}")

    def choice(self) -> Named:
        """`a if x > y, b if x < y, else c`."""
        value = self.sum()
        if not self.take("if"):
            return value
        left, sign, right = self.sum(), self.take("<", ">"), self.sum()
        self.take(",")
        otherwise = self.sum() if self.take("else") else self.choice()
        met = together(np.greater if sign == ">" else np.less, left, right)
        return together(np.where, met, value, otherwise)

    def sum(self) -> Named:
        """`a + b − c`."""
        value = self.product()
        while sign := self.take("+", "−"):
            value = together(np.add if sign == "+" else np.subtract, value, self.product())
        return value

    def product(self) -> Named:
        """`a · b / c`."""
        value = self.factor()
        while sign := self.take("·", "/"):
            value = together(np.multiply if sign == "·" else np.divide, value, self.factor())
        return value

    def factor(self) -> Named:
        """`−a`, `Σ a · b`, `√a`, `log Σ a`, `a²`."""
        if self.take("−"):
            return together(np.negative, self.factor())
        if self.take("Σ"):
            return self.added_up(self.product())
        if name := self.take(*FUNCTIONS):
            return together(FUNCTIONS[name], self.factor())
        value = self.atom()
        while power := self.take(*POWERS):
            value = together(np.power, value, number(POWERS[power]))
        return value

    def added_up(self, terms: Named) -> Named:
        """Σ of these terms."""
        summed = [axis for axis in terms.axes if axis not in self.out] or [
            axis for axis in terms.axes if axis == self.row
        ]
        places = tuple(terms.axes.index(axis) for axis in summed)
        return Named(tuple(axis for axis in terms.axes if axis not in summed), np.sum(terms.data, axis=places))

    def atom(self) -> Named:
        """`(a)`, `|a|`, `0.5`, `2π`, `x`, `x[target]`."""
        if self.take("("):
            value = self.choice()
            self.expect(")")
            return value
        if self.take("|"):
            value = together(np.abs, self.sum())
            self.expect("|")
            return value
        token = self.tokens.pop(0) if self.tokens else ""
        if token[:1].isdigit():
            value = number(float(token) * (math.pi if self.take("π") else 1))
            return self.at(value) if self.take("at") else value
        if token == "softmax":
            return self.softmax(self.atom())
        if token == "π":
            return number(math.pi)
        if token not in self.names:
            raise ValueError(f"{self.text!r}: nothing says what {token!r} is")
        value = self.names[token]
        if self.take("["):
            index = self.names[self.tokens.pop(0)]
            self.expect("]")
            value = Named(value.axes[:-1], np.take_along_axis(value.data, index.data[..., None], -1)[..., 0])
        return value

    def at(self, value: Named) -> Named:
        """`1 at the target`: in the place of each row that an input names, elsewhere 0."""
        self.expect("the")
        index = self.names[self.tokens.pop(0)]
        assert self.row is not None
        places = Named((self.row,), np.arange(int(self.names[self.row].data)))
        return together(lambda i, place, x: np.where(i == place, x, 0), index, places, value)

    def softmax(self, x: Named) -> Named:
        """`softmax(x)`, along the row."""
        e = np.exp(x.data - x.data.max(-1, keepdims=True, initial=-np.inf))
        return Named(x.axes, e / e.sum(-1, keepdims=True))
