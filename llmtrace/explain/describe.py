"""What a number means, in one sentence that speaks of tokens, heads and features."""

from __future__ import annotations

from typing import Any

from llmtrace.arithmetic.types import Axes
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.trace import StepKind, Trace, role_of
from llmtrace.trace.role_words import BEFORE, OF_LOSS, OF_WEIGHT, ON_THE_WAY, REALLY, ROLES, THIS, WEIGHT


@frozen
class TrainingWords:
    """What a tensor of a training step means: two texts, and what they speak of."""

    what: str
    sentence: str
    base: str
    """The tensor that it has to do with; {what} in the sentence is the sentence about that one's number."""
    via: str
    source: str
    """The first input of its step."""
    scores: bool
    """Whether the base are the scores of tokens, so that the token which really follows is told."""


def training_words(trace: Trace, name: str) -> TrainingWords | None:
    """The words for a tensor that a training step computes; None for one of the forward."""
    role = role_of(trace, name)
    if role is None:
        return None
    record, template = trace.record_of(name), ROLES[role.kind].sentence
    if role.kind == "gradient" and record is None and not trace.shape(name):
        template = OF_LOSS
    elif role.kind == "gradient" and role.base in trace.weights:
        template = OF_WEIGHT
    elif role.kind == "before":
        template = BEFORE.get(role.via, "")
    elif role.kind == "way":
        template = ON_THE_WAY.get(role.via, template)
    source = record.inputs[0] if record is not None and record.inputs else ""
    scores = trace.legend.kind(role.base) == StepKind.LOGITS
    return TrainingWords(ROLES[role.kind].what, template, role.base, role.via, source or "", scores)


def what(trace: Trace, name: str) -> str:
    """A step in a few words; nothing for one that no legend knows."""
    training = training_words(trace, name)
    if training is not None:
        return _(training.what, base=training.base, via=training.via)
    found = trace.legend.of(name)
    return _(found.words.what) if found else ""


def sentence(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    """One sentence about one number of a trace."""
    if name in trace.weights:
        return _of_weight(trace, name, place) or _(WEIGHT)
    training = training_words(trace, name)
    found = _of_forward(trace, name, place) if training is None else _of_training(trace, name, place, training)
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
    return _(template, **words) if template and {"neuron", "output"} & words.keys() else ""


def _of_training(trace: Trace, name: str, place: tuple[int, ...], training: TrainingWords) -> str:
    """Of a number that a training step computes."""
    if not training.sentence:
        return name
    words = {"base": training.base, "via": training.via, "source": training.source}
    words |= _words(trace, trace.axes(name), place)
    if "{what}" in training.sentence:
        words["what"] = _(THIS) if training.base in trace.weights else sentence(trace, training.base, place)
    ending = _(REALLY, target=words["target"]) if training.scores and "target" in words else ""
    try:
        return _(training.sentence, **words) + ending
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
    words["place"] = words.get("input", place[-1] if place else 0)
    own = trace.axes("targets") if "targets" in trace.leaves else ()
    if own and axes[: len(own)] == own:
        words["target"] = repr(trace.token_text(int(trace.elements("targets", place[: len(own)]))))
    return words
