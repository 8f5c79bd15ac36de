"""Addresses: a name and an index by number, by axis, or by token.

Such as `block.0.attn.scores[head=2, query=4, key=1]` or `logits[-1, " mat"]`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from llmtrace.arithmetic.types import Axes
from llmtrace.errors import AddressError
from llmtrace.i18n import _, listed, n_
from llmtrace.text import cited, quoted

OF_NEW_TOKENS = frozenset({"position", "query"})
"""Axes that count from the first token that was read; what a cache had before it has places as keys alone."""


class Labelled(Protocol):
    """What addresses need of a trace."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a tensor."""

    def axes(self, name: str) -> Axes:
        """The names of its axes."""

    def label(self, axis: str, index: int, batch: int | None = None) -> str | None:
        """The token at a place of an axis, if it has tokens."""


_ENTRY = re.compile(
    r"""\s*(?:(?P<axis>[A-Za-z_]\w*)\s*=\s*)?(?:(?P<number>[+-]?\d+)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<word>[^\W\d_]\w*))\s*(?P<end>,|\Z)"""
)


def parse(address: str) -> tuple[str, list[int | str], dict[str, int | str]]:
    """Splits an address into its name, the entries of its index by place, and those by axis."""
    name, bracket, rest = address.strip().partition("[")
    if not bracket:
        return name, [], {}
    if not rest.endswith("]"):
        raise AddressError(
            _(
                "the address {address!r} has no closing bracket: write it like block.0.attn.q[head=0, position=1,"
                " feature=2]",
                address=address,
            )
        )
    places: list[int | str] = []
    by_axis: dict[str, int | str] = {}
    text, start = rest[:-1], 0
    while start < len(text) or (start and text[start - 1] == ","):
        entry = _ENTRY.match(text, start)
        if entry is None:
            raise AddressError(
                _(
                    "the index {text!r} can't be read at {rest!r}: write numbers, axis=number, or a token in quotes",
                    text=text,
                    rest=text[start:].strip(),
                )
            )
        value: int | str = int(entry["number"]) if entry["number"] else entry["word"] or _unquote(entry["text"])
        if entry["axis"] is None and not by_axis:
            places.append(value)
        elif entry["axis"] is None or entry["axis"] in by_axis:
            raise AddressError(
                _(
                    "the index {text!r} gives an axis twice, or a number without an axis after one with an axis",
                    text=text,
                )
            )
        else:
            by_axis[entry["axis"]] = value
        start = entry.end()
    return name.strip(), places, by_axis


def _unquote(text: str) -> str:
    inner = text[1:-1]
    if text[0] == "'":
        inner = inner.replace("\\'", "'").replace('"', '\\"')
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        raise AddressError(
            _(
                "the token {text} can't be read: write it in double quotes, with \\n, \\\" and \\\\ as in JSON",
                text=text,
            )
        ) from None


def resolve(
    trace: Labelled, name: str, places: Sequence[int | str], by_axis: Mapping[str, int | str]
) -> tuple[int, ...]:
    """The index that an address means, every entry a number from 0; AddressError says what is wrong and what there is."""
    axes, shape = trace.axes(name), trace.shape(name)
    index = resolve_part(trace, name, places, by_axis)
    index = tuple(
        0 if isinstance(place, slice) and size == 1 else place for place, size in zip(index, shape, strict=True)
    )
    missing = [axis for axis, place in zip(axes, index, strict=True) if isinstance(place, slice)]
    if missing:
        sizes = listed(
            _("{axis} 0 to {last}", axis=axis, last=size - 1) for axis, size in zip(axes, shape, strict=True)
        )
        raise AddressError(
            _(
                "{name} needs {missing} as well; its axes are {sizes}",
                name=name,
                missing=listed(missing),
                sizes=sizes,
            )
        )
    return tuple(place for place in index if not isinstance(place, slice))


def resolve_part(
    trace: Labelled, name: str, places: Sequence[int | str], by_axis: Mapping[str, int | str]
) -> tuple[int | slice, ...]:
    """As `resolve`, of an address that need not name a place on every axis: `slice(None)`, all of it, where it does not."""
    axes, shape = trace.axes(name), trace.shape(name)
    if len(places) > len(axes):
        raise AddressError(
            _(
                "{name} has {count} axes ({axes}), but {places} places were given",
                name=name,
                count=len(axes),
                axes=listed(axes),
                places=len(places),
            )
        )
    entries: dict[str, int | str] = dict(zip(axes, places, strict=False))
    for axis, entry in by_axis.items():
        if axis not in axes:
            raise AddressError(
                _("{name} has no axis {axis!r}; its axes are {axes}", name=name, axis=axis, axes=listed(axes))
            )
        if axis in entries:
            raise AddressError(_("the axis {axis!r} of {name} is given twice", axis=axis, name=name))
        entries[axis] = entry
    index: list[int | slice] = []
    batch = None
    for axis, size in zip(axes, shape, strict=True):
        place = _place(trace, name, axis, size, entries[axis], batch) if axis in entries else slice(None)
        index.append(place)
        batch = place if axis == "batch" and isinstance(place, int) else batch
    return tuple(index)


def _place(trace: Labelled, name: str, axis: str, size: int, entry: int | str, batch: int | None) -> int:
    if isinstance(entry, str):
        matches = [i for i in range(size) if trace.label(axis, i, batch) == entry]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise AddressError(
                _(
                    "{entry!r} stands at several places of {axis}: {places}; give one by number",
                    entry=entry,
                    axis=axis,
                    places=listed(matches),
                )
            )
        near = _like(trace, axis, size, entry, batch)
        if near:
            raise AddressError(
                _(
                    "there is no {entry!r} along the axis {axis!r} of {name}; did you mean {near}?",
                    entry=entry,
                    axis=axis,
                    name=name,
                    near=listed(map(quoted, near)),
                )
            )
        raise AddressError(
            _(
                "there is no {entry!r} along the axis {axis!r} of {name}; {places}",
                entry=entry,
                axis=axis,
                name=name,
                places=_places(trace, axis, size),
            )
        )
    if not isinstance(entry, int) and not hasattr(entry, "__index__"):
        raise AddressError(_("{axis} must be a whole number or a token, not {entry!r}", axis=axis, entry=entry))
    if not -size <= entry < size:
        places = _places(trace, axis, size)
        raise AddressError(
            _("{axis}={entry} is outside {name}; {places}", axis=axis, entry=entry, name=name, places=places)
        )
    return int(entry) % size


def _like(trace: Labelled, axis: str, size: int, text: str, batch: int | None) -> list[str]:
    """The tokens along an axis that differ from a text by spaces and capitals only: at most three, spaces first."""
    wanted = text.strip()
    labels = dict.fromkeys(trace.label(axis, i, batch) for i in range(size))
    found = [label for label in labels if label and label != text and label.strip().casefold() == wanted.casefold()]
    return sorted(found, key=lambda label: label.strip() != wanted)[:3] if wanted else []


def or_near(trace: Labelled, name: str, text: str, refusal: str) -> str:
    """A refusal of a text that is no token of the last axis; with the tokens that were perhaps meant, if there are some."""
    near = _like(trace, trace.axes(name)[-1], trace.shape(name)[-1], text, None)
    return _("{refusal}; did you mean {near}?", refusal=refusal, near=listed(map(quoted, near))) if near else refusal


def also(trace: Labelled, name: str, places: Sequence[Any], by_axis: Mapping[str, Any]) -> str:
    """A sentence about tokens that were perhaps meant: ` her` where `her` was said, and both are there."""
    if "[" in name:
        name, places, by_axis = parse(name)
    axes, shape = trace.axes(name), trace.shape(name)
    index = resolve(trace, name, places, by_axis)
    batch = index[axes.index("batch")] if "batch" in axes else None
    said = {**dict(zip(axes, places, strict=False)), **by_axis}
    for axis, text in said.items():
        if isinstance(text, str):
            near = _like(trace, axis, shape[axes.index(axis)], text, batch)
            near = [label for label in near if label.strip() == text.strip()]
            if near:
                return _("this is {text}; there is also {near}", text=quoted(text), near=listed(map(quoted, near)))
    return ""


def _places(trace: Labelled, axis: str, size: int) -> str:
    """Which numbers an axis takes."""
    text = _("give a number from 0 to {last}", last=size - 1) if size else _("it has no places")
    if size == 1:
        text = _("the only place is 0")
    past = getattr(trace, "past", 0)
    if not past or axis not in OF_NEW_TOKENS:
        return text
    return n_(
        "{places}, where 0 is the first token after {count} token that the cache had",
        "{places}, where 0 is the first token after {count} tokens that the cache had",
        past,
        places=text,
        count=past,
    )


def explain_target(
    trace: Labelled, name: str, places: Sequence[Any], by_axis: Mapping[str, Any]
) -> tuple[str, tuple[int, ...]]:
    """Name and index, from an address in one text or from a name with its index apart."""
    if not isinstance(name, str):
        raise AddressError(_("an address is a text such as logits[-1, 0], not {what}", what=cited(name)))
    if "[" in name:
        if places or by_axis:
            raise AddressError(_("give the index inside the address or apart from it, not both: {name}", name=name))
        name, places, by_axis = parse(name)
    return name, resolve(trace, name, places, by_axis)
