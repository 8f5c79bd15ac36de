"""What a number means, in one sentence that speaks of tokens, heads and features."""

from __future__ import annotations

from typing import Any

from llmtrace.arithmetic.types import Axes
from llmtrace.i18n import _
from llmtrace.trace import Role, StepKind, Trace, role_of
from llmtrace.trace.role_words import BEFORE, OF_LOSS, OF_WEIGHT, ON_THE_WAY, ROLES, THIS, WEIGHT


def what(trace: Trace, name: str) -> str:
    """A step in a few words; nothing for one that no legend knows."""
    role = role_of(trace, name)
    if role is not None:
        return _(ROLES[role.kind].what, base=role.base, via=role.via)
    found = trace.legend.of(name)
    return _(found.words.what) if found else ""


def sentence(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    """One sentence about one number of a trace."""
    if name in trace.weights:
        return _of_weight(trace, name, place) or _(WEIGHT)
    role = role_of(trace, name)
    found = _of_forward(trace, name, place) if role is None else _of_training(trace, name, place, role)
    where = _in_text(trace, name, place)
    return _("{text} ({where})", text=found, where=where) if found and where else found


def _in_text(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    """Where in the text a place is that counts only what is read after a cache; keys count the whole text."""
    axes = dict(zip(trace.axes(name), place, strict=True))
    axis = next((axis for axis in ("query", "position") if axis in axes), None)
    if not trace.past or axis is None:
        return ""
    return _(
        "{axis} {place} is place {token} of the text: {past} tokens were read before",
        axis=axis,
        place=axes[axis],
        token=trace.past + axes[axis],
        past=trace.past,
    )


def _template(trace: Trace, name: str) -> tuple[str, dict[str, str]]:
    """The sentence of the legend for a name, and the numbers that it binds."""
    found = trace.legend.of(name)
    return ("", {}) if found is None else (found.words.sentence, dict(found.numbers))


def _of_weight(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    """Of a weight that a legend knows: it may be typed in, and not learned."""
    template, numbers = _template(trace, name)
    words = numbers | _words(trace, trace.axes(name), place)
    words["place"] = words.get("input", place[-1])
    return _(template, **words) if template and {"neuron", "output"} & words.keys() else ""


def _of_training(trace: Trace, name: str, place: tuple[int, ...], role: Role) -> str:
    """Of a number that a training step computes."""
    record = trace.record_of(name)
    if role.kind == "gradient" and record is None and not place:
        return _(OF_LOSS)
    if role.kind == "gradient" and role.base in trace.weights:
        return _(OF_WEIGHT)
    if role.kind == "before":
        return _(BEFORE.get(role.via, "")) or name
    words = {"base": role.base, "via": role.via, **_words(trace, trace.axes(name), place)}
    words["source"] = record.inputs[0] if record is not None and record.inputs else ""
    template = ROLES[role.kind].sentence
    if role.kind == "way":
        template = ON_THE_WAY.get(role.via, template)
    elif role.kind in {"gradient", "part", "sum", "start"}:
        words["what"] = _(THIS) if role.base in trace.weights else sentence(trace, role.base, place)
    ending = (
        _(" (really follows: {target})")
        if trace.legend.kind(role.base) == StepKind.LOGITS and "target" in words
        else ""
    )
    try:
        return (_(template) + ending).format(**words)
    except KeyError:  # a step of this name with other axes
        return _(ROLES["way"].sentence, **words)


def _of_forward(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    """Of a number of the forward."""
    template, numbers = _template(trace, name)
    words = numbers | _words(trace, trace.axes(name), place)
    if "{value}" in template:
        words["value"] = repr(trace.token_text(int(trace.elements(name, place))))
    try:
        return _(template, **words) if template else name
    except KeyError:  # a step of this name with other axes
        return name


def _words(trace: Trace, axes: Axes, place: tuple[int, ...]) -> dict[str, Any]:
    """What the sentences speak of: an index or a token for every axis, and `token`, the one that the number belongs to."""
    batch = place[0] if axes[:1] == ("batch",) else None
    words: dict[str, Any] = {}
    for axis, index in zip(axes, place, strict=True):
        label = trace.label(axis, index, batch)
        words[axis] = trace.past + index if axis == "position" else index if label is None else repr(label)
        if axis in {"position", "query"}:
            words["token"] = repr(label) if label is not None else _("token {place}", place=index)
    own = trace.axes("targets") if "targets" in trace.leaves else ()
    if own and axes[: len(own)] == own:
        words["target"] = repr(trace.token_text(int(trace.elements("targets", place[: len(own)]))))
    return words
