"""A step to be done otherwise than it is done here, and what can do so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.frozen import frozen
from llmtrace.ops import OPS


@frozen
class Situation:
    """A step to be done otherwise: its op, its operands and settings, and what else is at hand."""

    op: str
    operands: Mapping[str, Array | None]
    settings: Mapping[str, Any]
    others: Mapping[str, Mapping[str, Array | None]]
    """The operands that steps beside it have: of q, those of k and v."""

    def done(self, **instead: Any) -> Array:
        """The op as it is here, with some operands or settings others."""
        operands = {**self.operands, **{k: v for k, v in instead.items() if k in self.operands}}
        settings = {**self.settings, **{k: v for k, v in instead.items() if k not in self.operands}}
        whole = [None if x is None else np.ascontiguousarray(x) for x in operands.values()]
        return OPS[self.op].forward(*whole, **settings)

    def matrix(self) -> tuple[Array, Array, Array | None]:
        """Of any linear layer x [rows, K], weight [K, N] and bias [N]."""
        x, weight = self["x"], self["weight"]
        if self.op == "linear_from_heads":
            x = np.moveaxis(x, -3, -2).reshape(*x.shape[:-3], x.shape[-2], -1)
        return x, weight.T if self.settings.get("transposed") else weight, self.operands.get("bias")

    def laid_out(self, out: Array) -> Array:
        """The result of a linear layer […, T, N] as its op lays it out."""
        if self.op != "linear_to_heads":
            return out
        heads = self.settings["heads"]
        return np.moveaxis(out.reshape(*out.shape[:-1], heads, -1), -2, -3)

    def flat(self, out: Array) -> Array:
        """The result of a linear layer as its matrix has it: […, T, N]."""
        if self.op != "linear_to_heads":
            return out
        turned = np.moveaxis(out, -3, -2)
        return turned.reshape(*turned.shape[:-2], -1)

    def part(self, rows: Array, columns: Array) -> Situation:
        """Some rows and columns of a linear layer, as a layer of their own."""
        x, weight, bias = self.matrix()
        operands = {"x": x[rows], "weight": weight[:, columns], "bias": None if bias is None else bias[columns]}
        return Situation("linear", operands, {"transposed": False}, {})

    def __getitem__(self, name: str) -> Array:
        found = self.operands[name]
        assert found is not None
        return found


Cause = Callable[[Situation], Array | None]
"""The numbers that it would give; None where it does not apply."""
