"""What a page says of a run that it does not compute itself: the steps, the tensors, and explanations by address."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from llmtrace import i18n
from llmtrace.arithmetic.types import Array
from llmtrace.errors import PromptError
from llmtrace.explain import Explanation
from llmtrace.explain.describe import training_words
from llmtrace.i18n import _
from llmtrace.ops import OPS
from llmtrace.storage.digest import array_digest
from llmtrace.trace import Trace


def as_page_numbers(array: Array) -> Array:
    """Numbers in one of the two types that the page knows: little-endian float32, and int32 for ids and places."""
    return np.ascontiguousarray(array, "<f4" if array.dtype.kind == "f" else "<i4")


def expect_page_numbers(trace: Trace) -> None:
    """PromptError where the numbers of a run are not those that the page computes with."""
    if trace.batch or trace.past:
        raise PromptError(_("a page shows the run of one prompt from its beginning"))
    if not has_page_numbers(trace):
        raise PromptError(_("a page computes with float32, but this model has other numbers"))


def has_page_numbers(trace: Trace) -> bool:
    """Whether all numbers of a run are of types that the page computes with."""
    return all(trace.dtype(name) in {np.dtype("f4"), np.dtype("i4"), np.dtype("i8")} for name in trace.names())


def run_record(trace: Trace, identity: str, held: Collection[str] | None = None) -> dict[str, Any]:
    """The steps and tensors of a run as JSON can hold them. held: the tensors whose numbers can be had; all, if it is None."""
    names = trace.names()
    tensors = [
        {
            "name": name,
            "shape": list(trace.shape(name)),
            "axes": list(trace.axes(name)),
            "kind": "f4" if trace.dtype(name).kind == "f" else "i4",
            "weight": name not in trace and name not in trace.leaves,
            "held": held is None or name in held,
        }
        for name in names
    ]
    steps = [
        {"name": step.name, "op": step.op, "operands": operands_of(step.record), "settings": dict(step.settings)}
        for step in trace.steps
    ]
    ops = {
        step.op: {"inputs": list(OPS[step.op].inputs), "weights": list(OPS[step.op].weights)} for step in trace.steps
    }
    return {
        "id": identity,
        "tensors": tensors,
        "steps": steps,
        "ops": ops,
        "leaves": list(trace.leaves),
        "labels": {axis: list(labels) for axis, labels in trace.labels.items()},
        "past": trace.past,
        "training": {name: asdict(words) for name in names if (words := training_words(trace, name)) is not None},
    }


def operands_of(record: Any) -> dict[str, str]:
    """The inputs and weights of a step by the op's names for them, without those that are absent."""
    return {kind: name for kind, name in record.operands.items() if name is not None}


def with_digests(record: dict[str, Any], trace: Trace) -> dict[str, Any]:
    """The record with a checksum of every tensor that the page holds, so that damage is noticed."""
    for each in record["tensors"]:
        if each["held"]:
            each["digest"] = array_digest(as_page_numbers(trace.tensor(each["name"])))
    return record


def explanation_data(explanation: Explanation) -> dict[str, Any]:
    """The lines of an explanation, and what its names are in every language."""
    lines = [line.to_dict() for line in explanation.lines]
    value = explanation.element.to_dict()["values"]
    names = [line["name"] for line in lines]
    names += [operand["constant"] for line in lines for operand in line["operands"] if "constant" in operand]
    return {"value": value, "lines": lines, "words": translated(names)}


def translated(texts: Collection[str]) -> Mapping[str, dict[str, str]]:
    """The texts in every language in which they are others."""
    found = {}
    for language in i18n.languages():
        known = i18n.of_language(language)
        found[language] = {text: known.gettext(text) for text in texts if text and known.gettext(text) != text}
    return found
