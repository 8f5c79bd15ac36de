"""What is not known of numbers that another program has not written: how far theirs may be from those that are computed here.

What was computed from them there may be off by more than its own rounding: by as much as each op makes of the doubts of its
inputs. Its rule bounds that however large the doubts are; where it has none, or can't say, the doubt is ∞.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.experiments.situation import Situation
from llmtrace.frozen import frozen
from llmtrace.ops.attention.rotate import halves


@frozen
class Near:
    """Numbers, in float64, and how far those of the other program may be from each of them; None where they are the same."""

    value: Array
    off: Array | None = None

    def same_way(self, move: Callable[[Array], Array]) -> Near:
        """The numbers put elsewhere, their doubts with them."""
        return Near(move(self.value), None if self.off is None else move(self.off))

    def __add__(self, other: Near) -> Near:
        value = self.value + other.value
        return Near(value, _sum(value, self.off, other.off))

    def __mul__(self, other: Near) -> Near:
        return self._product(other, np.multiply)

    def __matmul__(self, other: Near) -> Near:
        return self._product(other, np.matmul)

    def _product(self, other: Near, multiply: Callable[[Array, Array], Array]) -> Near:
        """|a'b' − ab| ≤ δa·|b| + |a|·δb + δa·δb."""
        value, a, b = multiply(self.value, other.value), self, other
        parts = [
            None if a.off is None else multiply(a.off, np.abs(b.value)),
            None if b.off is None else multiply(np.abs(a.value), b.off),
            None if a.off is None or b.off is None else multiply(a.off, b.off),
        ]
        return Near(value, _sum(value, *parts))


def _sum(value: Array, *parts: Array | None) -> Array | None:
    there = [part for part in parts if part is not None]
    return sum(there, np.zeros(value.shape)) if there else None


Rule = Callable[[Situation, Mapping[str, Near]], Near]
"""The result of a step from its operands."""


def carried(situation: Situation, ours: Array, doubts: Mapping[str, Array]) -> Array:
    """How far the result of a step may move where its inputs may, by the name of the operand."""
    if not any(each.any() for each in doubts.values()):
        return np.zeros(ours.shape)
    rule = RULES.get(situation.op)
    off = np.full(ours.shape, np.inf) if rule is None else applied(rule, situation, doubts).off
    return np.zeros(ours.shape) if off is None else np.where(np.isnan(off), np.inf, off)


def applied(rule: Rule, situation: Situation, doubts: Mapping[str, Array], *, sizes: bool = False) -> Near:
    """What a rule says; with `sizes` of the absolute values of all numbers, whose sums are the largest that there can be."""
    wide = {
        name: x.astype(np.float64) if x.dtype.kind == "f" else x
        for name, x in situation.operands.items()
        if x is not None
    }
    near = {name: Near(np.abs(x) if sizes else x, doubts.get(name)) for name, x in wide.items()}
    with np.errstate(all="ignore"):
        return rule(situation, near)


# ---- sums of products ------------------------------------------------------------------------------------------------


def _linear(s: Situation, of: Mapping[str, Near]) -> Near:
    x, weight = of["x"], of["weight"]
    if s.op == "linear_from_heads":
        x = x.same_way(lambda rows: np.moveaxis(rows, -3, -2).reshape(*rows.shape[:-3], rows.shape[-2], -1))
    out = x @ (weight.same_way(np.transpose) if s.settings.get("transposed") else weight)
    return (out + of["bias"] if "bias" in of else out).same_way(s.laid_out)


def _scores(s: Situation, of: Mapping[str, Near]) -> Near:
    root = Near(np.array(of["q"].value.shape[-1] ** -0.5))
    return of["q"] @ of["k"].same_way(lambda rows: np.moveaxis(rows, -1, -2)) * root


def _mix(s: Situation, of: Mapping[str, Near]) -> Near:
    return of["pattern"] @ of["v"]


# ---- rows ------------------------------------------------------------------------------------------------------------


def _norm(s: Situation, of: Mapping[str, Near]) -> Near:
    """The root mean square r is a norm: it moves by at most that of the doubts, d. So for y = x/r
    |y' − y| ≤ (δx + |y|·d) / (r − d); and no |y| is above √C. Taking off the mean makes no row of doubts longer.
    """
    x, width = of["x"], of["x"].value.shape[-1]
    value = x.value - x.value.mean(-1, keepdims=True) if s.op == "layer_norm" else x.value
    root = np.sqrt((value * value).mean(-1, keepdims=True) + s.settings["epsilon"])
    scaled, off = value / root, x.off
    if off is not None:
        moved = np.sqrt((off * off).mean(-1, keepdims=True))
        own = off + off.mean(-1, keepdims=True) if s.op == "layer_norm" else off
        near = (own + np.abs(scaled) * moved) / np.maximum(root - moved, 0)
        most = np.abs(scaled) + width**0.5
        off = np.where(near < most, near, most)
    out = Near(scaled, off) * of["gain"]
    return out + of["bias"] if "bias" in of else out


FARTHEST = 300.0
"""Beyond e to so much, nothing is known of a share."""


def _softmax(s: Situation, of: Mapping[str, Near]) -> Near:
    """A share is largest where its own score is as high as it may be, and all others as low; and the other way round."""
    x, off = of["x"].value, of["x"].off
    if s.op == "causal_softmax":
        x = np.where(np.tri(x.shape[-2], x.shape[-1], x.shape[-1] - x.shape[-2], dtype=bool), x, -np.inf)
    parts = np.exp(x - x.max(-1, keepdims=True))
    shares = parts / parts.sum(-1, keepdims=True)
    if off is None:
        return Near(shares)
    off = np.where(np.isneginf(x), 0, off)

    def share(up: float) -> Array:
        own, others = (parts * np.exp(sign * np.minimum(off, FARTHEST)) for sign in (up, -up))
        return np.asarray(own / (own + np.maximum(others.sum(-1, keepdims=True) - others, 0)))

    moved = np.maximum(share(1) - shares, shares - share(-1))
    moved = np.where((off > FARTHEST).any(-1, keepdims=True), 1.0, moved)
    return Near(shares, np.where(np.isneginf(x), 0, moved))


def _rotate(s: Situation, of: Mapping[str, Near]) -> Near:
    first, second = halves(of["x"].value.shape[-1], s.settings["interleaved"])
    a, b = of["x"].same_way(lambda x: x[..., first]), of["x"].same_way(lambda x: x[..., second])
    cosine, sine = (of[name].same_way(lambda x: x[..., None, :, :]) for name in ("cosine", "sine"))
    turned = a * cosine + b * (sine * Near(np.array(-1.0))), b * cosine + a * sine

    def together(halves_of: tuple[Array | None, ...]) -> Array | None:
        if halves_of[0] is None or halves_of[1] is None:
            return None
        out = np.empty(of["x"].value.shape)
        out[..., first], out[..., second] = halves_of
        return out

    value = together((turned[0].value, turned[1].value))
    assert value is not None
    return Near(value, together((turned[0].off, turned[1].off)))


def _largest(s: Situation, of: Mapping[str, Near]) -> Near:
    """The place of the largest number: sure, where that is so however far all have moved."""
    x, off = of["x"].value, of["x"].off
    place = x.argmax(-1)
    if off is None:
        return Near(place)
    top = np.arange(x.shape[-1]) == place[..., None]
    least = np.where(top, x - off, -np.inf).max(-1)
    return Near(place, np.where(least > np.where(top, -np.inf, x + off).max(-1), 0.0, np.inf))


# ---- numbers put elsewhere, or bent one by one -----------------------------------------------------------------------


def _joined(s: Situation, of: Mapping[str, Near]) -> Near:
    past, new = of["past"], of["new"]
    return Near(np.concatenate([past.value, new.value], -2), np.concatenate([_known(past), _known(new)], -2))


def _edited(s: Situation, of: Mapping[str, Near]) -> Near:
    kept, x, value = of["kept"].value > 0, of["x"], of["value"]
    return Near(np.where(kept, x.value, value.value), np.where(kept, _known(x), _known(value)))


def _known(near: Near) -> Array:
    return np.zeros(near.value.shape) if near.off is None else near.off


def _bent(slope: float) -> Rule:
    """An activation function that is nowhere steeper. Its values are left out: nobody asks for them."""
    return lambda s, of: Near(of["x"].value, None if of["x"].off is None else slope * of["x"].off)


def _put(move: Callable[[Situation, Array], Array]) -> Rule:
    return lambda s, of: of["x"].same_way(lambda x: move(s, x))


LINEAR = ("linear", "linear_to_heads", "linear_from_heads")
RULES: dict[str, Rule] = {
    **dict.fromkeys(LINEAR, _linear),
    **dict.fromkeys(("attention_scores", "full_scores"), _scores),
    **dict.fromkeys(("attention_mix", "full_mix"), _mix),
    **dict.fromkeys(("layer_norm", "rms_norm"), _norm),
    **dict.fromkeys(("causal_softmax", "softmax"), _softmax),
    "add": lambda s, of: of["a"] + of["b"],
    "argmax": _largest,
    "concatenate": _joined,
    "edit": _edited,
    "embedding": lambda s, of: of["weight"].same_way(lambda table: table[s["ids"]]),
    "gelu_erf": _bent(1.13),
    "gelu_tanh": _bent(1.13),
    "multiply": lambda s, of: of["a"] * of["b"],
    "relu": _bent(1.0),
    "repeat_heads": _put(lambda s, x: np.repeat(x, s.settings["copies"], -3)),
    "rotate": _rotate,
    "scale": lambda s, of: of["x"] * Near(np.array(s.settings["factor"], np.float64)),
    "sigmoid": _bent(0.25),
    "silu": _bent(1.1),
    "slice_positions": _put(lambda s, x: x[..., s.settings["first"] :, :][..., : s.settings["count"], :]),
    "tanh": _bent(1.0),
}
"""By the names of ops."""
