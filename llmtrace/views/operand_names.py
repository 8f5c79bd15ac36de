"""How operands are called in a worked calculation: by the letters of the formula, listed once with their addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace.arithmetic.lines import Constant, Elements, Line, Operand, Result
from llmtrace.explain import Explanation
from llmtrace.i18n import N_, _, listed
from llmtrace.ops import OPS
from llmtrace.text import quoted
from llmtrace.views.numbers import rounded
from llmtrace.views.terms import axis_word, letter_word

TOKENS = {"position", "query", "key", "vocabulary"}
"""The axes whose places have tokens."""

JUDGES, TARGET = "cross_entropy", "target"
"""The op that judges what was expected, and what it calls the tokens that really follow."""

_CONSTANTS = {
    "√D": N_("{number}, how many features q and k have"),
    "C": N_("{number}, how many numbers are added up"),
    "ε": N_("{number}, so that nothing is divided by 0"),
    "divisor": N_("{number}, what every number here is divided by"),
    "β": N_("{number}, how much of the old mean is kept"),
    "momentum": N_("{number}, how much of the movement before is kept"),
    "limit": N_("{number}, how long the gradient may be"),
    "l1": N_("{number}, the pull on a weight towards 0, whatever its size (L1)"),
    "l2": N_("{number}, the pull on a weight towards 0, in proportion to it (L2)"),
    "dropout.rate": N_("{number}, the share of numbers that is left out"),
    "sgd_step.rate": N_("{number}, the learning rate: how far a step goes"),
    "adam_update.rate": N_("{number}, the learning rate: how far a step goes"),
    "k": N_("{number}, how many numbers stay in play"),
    "p": N_("{number}, the share that those in play reach together"),
    "u": N_("{number}, a random number from 0 to 1, made from the seed and the place"),
    "mean correction": N_("{number}, how much of a whole mean has come together so far"),
    "square correction": N_("{number}, how much of a whole mean of squares has come together so far"),
}


class Names:
    """The names of everything that one explanation calculates with."""

    def __init__(self, explanation: Explanation) -> None:
        self._explanation = explanation
        self._lines = {line.name: line for line in explanation.lines}
        self._letters = self._letters_of_formula()

    @property
    def address(self) -> str:
        """That of the explained number."""
        return self._explanation.address

    def _elements(self) -> Iterator[Elements]:
        for line in self._explanation.lines:
            for operand in line.operands:
                if isinstance(operand, Elements):
                    yield operand

    def _letters_of_formula(self) -> dict[str, str]:
        op = OPS.get(self._explanation.op)
        if op is None:
            return {}
        letters = {elements.tensor: elements.tensor.rpartition(".")[2] for elements in self._elements()}
        source: Any = self._explanation.source
        if source is not None:
            named = source[self._explanation.element.tensor].record.operands
            letters.update({named[letter]: letter for letter in op.tensors if named[letter] in letters})
        return letters

    def of(self, operand: Operand) -> str:
        """The name of an operand: a letter, `x[5]` for one element beside a row x, a constant, an earlier line."""
        if isinstance(operand, Result):
            return self.line(operand.line)
        if isinstance(operand, Constant):
            return letter_word(operand.text, self._explanation.op)
        letter = letter_word(self._letters.get(operand.tensor, operand.tensor), self._explanation.op)
        if operand.values.ndim:
            return letter
        varies = self._varies(operand)
        return f"{letter}[{', '.join(str(operand.index[n]) for n in varies)}]" if varies else letter

    def _varies(self, operand: Elements) -> list[int]:
        """The axes along which a number stands beside others of its tensor: a row, or single ones of other places."""
        beside = [e for e in self._elements() if e.tensor == operand.tensor]
        row = next((e for e in beside if e.values.ndim), None)
        if row is not None:
            return [n for n, part in enumerate(row.index) if isinstance(part, np.ndarray)]
        return [n for n, part in enumerate(operand.index) if any(e.index[n] != part for e in beside)]

    def line(self, name: str) -> str:
        """What a line is called: its last is the result itself."""
        return _("result") if name == "out" else letter_word(name, self._explanation.op)

    def legend(self) -> list[tuple[str, str, str]]:
        """Name, address and token of everything taken from tensors, each once, in the order in which it is used."""
        rows = {self.of(e): (self.of(e), row_address(e), self.token(e)) for e in self._elements() if e.values.size}
        return [*rows.values(), *self._constants()]

    def _constants(self) -> Iterator[tuple[str, str, str]]:
        """The letters of the formula that no tensor has: `D`, `C`, `ε`, with what they are."""
        size = next((e.values.size for e in self._elements() if e.values.ndim), 0)
        constants = (o for line in self._explanation.lines for o in line.operands if isinstance(o, Constant))
        for text, value in {constant.text: constant.values for constant in constants}.items():
            said = _CONSTANTS.get(f"{self._explanation.op}.{text}") or _CONSTANTS.get(text)
            if said is not None:
                number = f"{size:,}" if text == "√D" else rounded(value)
                yield letter_word(text, self._explanation.op).removeprefix("√"), _(said, number=number), ""

    def origin(self, line: Line) -> Elements | None:
        """The row of a tensor whose places the elements of a line's row stand for."""
        for operand in line.operands:
            if isinstance(operand, Elements) and operand.values.ndim:
                return operand
        for operand in line.operands:
            if isinstance(operand, Result) and operand.values.ndim:
                return self.origin(self._lines[operand.line])
        return None

    def label(self, elements: Elements | None, i: int) -> str:
        """The place of the i-th element along the axes that vary: `5`, `2, 5`, or with its token, `3 'cat'`."""
        if elements is None:
            return str(i)
        parts = []
        for axis, part in zip(elements.axes, elements.index, strict=True):
            if isinstance(part, np.ndarray):
                token = self._token(elements, axis, i)
                follows = "→ " if axis == "position" and self._targets(elements.tensor) else ""
                parts.append(
                    f"{int(part[i])} {follows}{quoted(token, 20)}"
                    if token is not None and self._labels(axis)
                    else str(int(part[i]))
                )
        return ", ".join(parts)

    def place(self, elements: Elements | None, i: int) -> str:
        """The same without tokens, for a stretch from one place to another."""
        if elements is None:
            return str(i)
        return ", ".join(str(int(part[i])) for part in elements.index if isinstance(part, np.ndarray))

    def token(self, elements: Elements) -> str:
        """Which tokens stand at the places that do not vary."""
        found = {}
        for axis, part in zip(elements.axes, elements.index, strict=True):
            table_of_places = axis == "position" and elements.tensor.endswith(".weight")
            if self._labels(axis) and not isinstance(part, np.ndarray) and not table_of_places:
                token = self._token(elements, axis)
                if token is not None:
                    found[axis] = quoted(token, 20)
        return (
            next(iter(found.values()), "")
            if len(found) < 2
            else listed(f"{axis_word(a)} {t}" for a, t in found.items())
        )

    def _labels(self, axis: str) -> bool:
        """Whether the places of an axis stand with their tokens or labels."""
        source: Any = self._explanation.source
        return axis in TOKENS or (source is not None and source.legend.labels(axis))

    def _targets(self, tensor: str) -> str | None:
        """The tensor of the tokens that really follow, for one that tells of these: itself, and losses that are made of it."""
        source: Any = self._explanation.source
        if source is None:
            return None
        own, explained = (source.record_of(name) for name in (tensor, self._explanation.element.tensor))
        if own is not None:
            return None if own.op != JUDGES else str(own.operands[TARGET])
        asked = explained is not None and explained.op == JUDGES and explained.operands[TARGET] == tensor
        return tensor if asked else None

    def _token(self, elements: Elements, axis: str, i: int = 0) -> str | None:
        """The token at the place of the i-th element: in a batch, one of the text that the element itself stands in; of what
        is judged at that place, the token that really follows.
        """
        source: Any = self._explanation.source
        targets = self._targets(elements.tensor) if axis == "position" else None
        if targets is not None:
            return str(source.token_text(int(source.elements(targets, elements.place(i)))))
        place = dict(zip(elements.axes, elements.place(i), strict=True))
        return None if source is None else source.label(axis, place[axis], place.get("batch"))


def axis_names(elements: Elements | None) -> str:
    """The names of the axes that vary: what the labels count."""
    if elements is None:
        return _("term")
    varying = zip(elements.axes, elements.index, strict=True)
    return listed(axis_word(axis) for axis, part in varying if isinstance(part, np.ndarray))


def row_address(elements: Elements) -> str:
    """The address of a whole row: `block.0.attn.q[head=2, position=4, feature=0…15]`."""
    parts = []
    for axis, part in zip(elements.axes, elements.index, strict=True):
        if isinstance(part, np.ndarray):
            low, high = (int(part.min()), int(part.max())) if part.size else (0, -1)
            parts.append(f"{axis}={low}" if low == high else f"{axis}={low}…{high}" if part.size else f"{axis}=∅")
        else:
            parts.append(f"{axis}={int(part)}")
    return f"{elements.tensor}[{', '.join(parts)}]" if parts else elements.tensor
