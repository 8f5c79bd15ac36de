"""Edits: which numbers of a run are replaced, and by what. Written as addresses, or by the names of heads, neurons and tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from llmtrace.arithmetic.bits import exact, same_bits
from llmtrace.arithmetic.types import Array
from llmtrace.errors import AddressError, EditError
from llmtrace.explain.address import or_near, parse, resolve_part
from llmtrace.frozen import frozen
from llmtrace.i18n import _, listed
from llmtrace.text import cited, quoted
from llmtrace.trace import StepKind, Trace

Value = float | Array | Callable[[Array], Any] | Trace
"""What stands there afterwards: a number, an array, what a function makes of the numbers, or those of another run."""

PART = re.compile(r"(head|neuron|token):(.*)", re.DOTALL)
OF_PART = {"head": StepKind.MIX, "neuron": StepKind.NEURONS}


@frozen
class Edit:
    """One edit, resolved: some numbers of a tensor. `index` has an entry for every axis, a number or `slice(None)`."""

    said: str
    """As it was written."""
    name: str
    index: tuple[int | slice, ...]
    value: Value

    def numbers(self, now: Array) -> Array:
        """What the numbers at this place become, out of what they are; EditError where they can't be that."""
        value: Any = self.value
        if isinstance(value, Trace):
            if not value.knows(self.name):
                raise EditError(
                    _("{edit}: the other run has nothing named {name}", edit=self.said, name=cited(self.name))
                )
            other = value.tensor(self.name)
            if other.ndim != len(self.index):
                raise self._misshapen(other.shape, now.shape)
            value = other[self.index]
        elif callable(value):
            value = value(now)
        try:
            given = np.asarray(value)
        except ValueError:  # lists of different lengths
            given = np.asarray(None)
        if given.dtype.kind not in "fiu":
            kind = type(value).__name__
            raise EditError(_("{edit}: {kind} is no number or array of numbers", edit=self.said, kind=kind))
        with np.errstate(over="ignore"):
            fitted = given.astype(now.dtype)
        if (np.isfinite(given) & ~np.isfinite(fitted)).any():
            raise EditError(_("{edit}: that is too large a number for {type}", edit=self.said, type=now.dtype.name))
        try:
            return np.array(np.broadcast_to(fitted, now.shape))
        except ValueError:
            raise self._misshapen(given.shape, now.shape) from None

    def _misshapen(self, given: tuple[int, ...], wanted: tuple[int, ...]) -> EditError:
        text = _("{edit}: numbers of shape {given} do not fit into shape {wanted}")
        return EditError(text.format(edit=self.said, given=given, wanted=wanted))


@frozen
class Swap:
    """One token replaced by another, by its id."""

    said: str
    position: int
    token: int


def zero(numbers: Array) -> Array:
    """Noughts: a head or a neuron that is switched off."""
    return np.zeros_like(numbers)


def resolved(trace: Trace, edits: Mapping[str, Any]) -> list[Edit | Swap]:
    """The edits of a run: addresses (whole, a slice, one number), `head:2.1`, `neuron:1.17`, `token:5`, each with its value.

    Raises EditError, or AddressError where there is no such number.
    """
    found: list[Edit | Swap] = []
    for said, value in edits.items():
        part = PART.fullmatch(said)
        if part and part[1] == "token":
            found.append(_swap(trace, said, part[2], value))
        elif part:
            found.append(_part(trace, said, part[1], part[2], value))
        else:
            name, places, by_axis = parse(said)
            if name in trace.leaves:
                raise EditError(_leaf(name))
            if trace.knows(name) and trace.tensor(name).dtype.kind != "f":
                raise EditError(_("{name} has whole numbers, and only real ones can be edited", name=cited(name)))
            trace.axes(name)
            found.append(Edit(said, name, resolve_part(trace, name, places, _axes(trace, name, by_axis)), value))
    return found


def _leaf(name: str) -> str:
    """Why what goes into a run can't be edited."""
    if name == "tokens":
        return _("{name} is no result of a step: a token is changed with token:5", name=cited(name))
    return _(
        "{name} can't be changed: it goes into the run as it is, like the constants of positions, and is no result of a step",
        name=cited(name),
    )


def _axes(trace: Trace, name: str, by_axis: Mapping[str, Any]) -> dict[str, Any]:
    """The features of neurons are called neurons, too."""
    neurons = trace.legend.kind(name) == StepKind.NEURONS or trace.legend.kind(name) == StepKind.NEURON_INPUTS
    return {"feature" if axis == "neuron" and neurons else axis: place for axis, place in by_axis.items()}


def _part(trace: Trace, said: str, part: str, place: str, value: Any) -> Edit:
    """`head:2.1` is head 1 of block 2."""
    block, dot, number = place.partition(".")
    if not dot or not block.isdecimal() or not number.isdecimal():
        raise EditError(_("{edit} is not written as {part}:BLOCK.NUMBER", edit=cited(said), part=part))
    names = trace.of_kind(OF_PART[part])
    of_block = [name for name in names if (found := trace.legend.of(name)) and found.numbers.get("n") == block]
    if not of_block:
        raise EditError(_("{edit}: there is no block {block} with such parts", edit=cited(said), block=block))
    name = of_block[0]
    axis = "head" if part == "head" else "feature"
    try:
        return Edit(said, name, resolve_part(trace, name, (), {axis: int(number)}), value)
    except AddressError:
        last = trace.shape(name)[trace.axes(name).index(axis)] - 1
        text = _("{edit}: block {block} has the numbers 0 to {last}", edit=cited(said), block=block, last=last)
        raise EditError(text) from None


def _swap(trace: Trace, said: str, place: str, value: Any) -> Swap:
    """Another token at a place of the text."""
    if trace.batch or "tokens" not in trace.leaves:
        raise EditError(_("{edit}: only of one text, which was read, a token can be replaced", edit=cited(said)))
    size = trace.shape("tokens")[-1]
    if not re.fullmatch(r"-?\d+", place) or not -size <= int(place) < size:
        raise EditError(_no_place(trace, said, place, size))
    logits = list(trace.of_kind(StepKind.LOGITS))
    count = trace.shape(logits[-1])[-1] if logits else 0
    if isinstance(value, str):
        ids = [i for i in range(count) if trace.token_text(i) == value]
        if not ids:
            refusal = _("{edit}: {text} is not one token of this model", edit=cited(said), text=cited(value))
            raise EditError(or_near(trace, logits[-1], value, refusal) if logits else refusal)
        return Swap(said, int(place) % size, ids[0])
    if not hasattr(value, "__index__") or not 0 <= int(value) < count:
        raise EditError(_("{edit}: {value} is no token", edit=cited(said), value=cited(str(value))))
    return Swap(said, int(place) % size, int(value))


def _no_place(trace: Trace, said: str, place: str, size: int) -> str:
    """How places are given; and where the token is that was said instead of its place."""
    wanted = place.strip().casefold()
    tokens = trace.tokens[trace.past :]
    places = [i for i, token in enumerate(tokens) if wanted and token.strip().casefold() == wanted]
    if not places:
        return _("{edit}: the tokens have the numbers 0 to {last}", edit=cited(said), last=size - 1)
    text = _("{edit}: the tokens have the numbers 0 to {last}; {token} is at place {places}")
    return text.format(edit=cited(said), last=size - 1, token=quoted(tokens[places[0]]), places=listed(places))


def as_recipe(edit: Edit | Swap, numbers: Array | None) -> dict[str, Any]:
    """An edit as JSON, by which anybody makes it again to the same bits: numbers are written so that they read back."""
    if isinstance(edit, Swap):
        return {"at": f"token:{edit.position}", "token": edit.token}
    assert numbers is not None
    flat = numbers.reshape(-1)
    if flat.size and same_bits(flat, np.full_like(flat, flat[0])):
        return {"at": edit.said, "value": exact(flat[0])}
    return {"at": edit.said, "values": [exact(number) for number in flat], "shape": list(numbers.shape)}
