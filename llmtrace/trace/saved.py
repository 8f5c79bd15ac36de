"""A trace as the content of a file, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace._version import __version__
from llmtrace.errors import TraceFileError
from llmtrace.ops import OPS, Weight
from llmtrace.ops.op import Array, Axes
from llmtrace.storage import shown, weights_hash
from llmtrace.trace.file import WEIGHT, TraceFile, write
from llmtrace.trace.step import Record
from llmtrace.trace.trace import Origin, Trace
from llmtrace.words import _

WHOLE_VOCABULARY = 4096
LIKELY = 10

WeightsOf = Callable[[Origin], Mapping[str, Weight]]
"""Finds the weights of the model that a trace names."""


def save(trace: Trace, path: Path, with_weights: bool) -> None:
    """Writes the trace, and with `with_weights` the weights that its steps used."""
    arrays = {name: trace.tensor(name) for name in [*trace.given, *trace]}
    used = {name: trace.weights[name] for step in trace.steps for name in step.weights}
    if with_weights:
        arrays |= {WEIGHT + name: weight.data for name, weight in used.items()}
    origin = trace.origin
    content = {
        "llmtrace": __version__,
        "model": {
            "name": origin.model,
            "reference": origin.reference,
            "config": dict(origin.config),
            "weights_hash": weights_hash(used),
        },
        "text": origin.text,
        "tokenization": origin.tokenization,
        "tokens": trace.tokens,
        "vocabulary": vocabulary(trace),
        "given": {name: list(axes) for name, axes in trace.given.items()},
        "steps": [_step(step.record) for step in trace.steps],
        "weights": {
            name: {"axes": list(w.axes), "shape": list(w.data.shape), "dtype": w.data.dtype.name}
            for name, w in used.items()
        },
    }
    write(path, arrays, content)


def vocabulary(trace: Trace) -> dict[str, str]:
    """The texts of the tokens that a reader of the trace may want, by id."""
    if "logits" not in trace:
        return {}
    size = trace.shape("logits")[-1]
    if size <= WHOLE_VOCABULARY:
        wanted = np.arange(size)
    else:
        likely = np.argpartition(-trace.tensor("logits"), LIKELY, axis=-1)[..., :LIKELY]
        wanted = np.unique(np.concatenate([likely.ravel(), trace.tensor("tokens").ravel()]))
    return {str(i): trace.token_text(i) for i in wanted.tolist()}


def _step(record: Record) -> dict[str, Any]:
    data = asdict(record)
    del data["shape"], data["dtype"]  # the tensor's own entry says them
    return data


def read(path: Path, weights_of: WeightsOf) -> Trace:
    """The trace in a file; tensors are read when they are looked at, the model's weights when they are needed."""
    file = TraceFile(path)
    try:
        return _trace(file, weights_of)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, TraceFileError):
            raise
        why = f"{type(error).__name__}: {shown(error)}"
        raise TraceFileError(
            _("{path} does not say what a trace must say: {why}").format(path=shown(path), why=why)
        ) from error


def _trace(file: TraceFile, weights_of: WeightsOf) -> Trace:
    content = file.content
    model, texts = content["model"], content["vocabulary"]
    origin = Origin(model["name"], model["reference"], model["config"], content["text"], content["tokenization"])
    loaded: dict[str, Weight] = {}

    def from_model(name: str) -> Array:
        if not loaded:
            found = {weight.name: weight for weight in weights_of(origin).values()}
            if weights_hash({n: found[n] for n in content["weights"] if n in found}) != model["weights_hash"]:
                raise TraceFileError(
                    _(
                        "{path} was made with other weights than those of {model}; open it with the model it was made with"
                    ).format(path=shown(file.path), model=shown(origin.reference))
                )
            loaded.update(found)
        return loaded[name].data

    weights = {}
    for name, entry in content["weights"].items():
        fetch = (lambda n=name: file.array(WEIGHT + n)) if WEIGHT + name in file else (lambda n=name: from_model(n))
        weights[name] = Weight(name, fetch, _axes(entry["axes"], entry["shape"]))
    trace = Trace(weights, content["tokens"], lambda i: str(texts.get(str(int(i)), f"#{int(i)}")), origin)
    given = {name: _axes(axes, file.shape(name)) for name, axes in content["given"].items()}
    records: dict[str, Record] = {}
    for step in content["steps"]:
        record = _record(step, file)
        if {*record.inputs} - {*given, *records} or {*record.weights} - {None, *weights}:
            raise ValueError(_("{name} uses what comes later, or is not there").format(name=shown(record.name)))
        records[record.name] = record
    trace.attach(file, list(records.values()), given)
    return trace


def _record(step: dict[str, Any], file: TraceFile) -> Record:
    if step["op"] not in OPS:
        raise ValueError(_("there is no op {name!r}").format(name=step["op"]))
    op, name, inputs, weights = OPS[step["op"]], step["name"], tuple(step["inputs"]), tuple(step["weights"])
    if len(inputs) != len(op.inputs) or len(weights) != len(op.weights):
        raise ValueError(_("{name} has not the inputs that {op} takes").format(name=shown(name), op=op.name))
    shape, settings = file.shape(name), step["settings"]
    options = [p for p in signature(op.meaning).parameters.values() if p.kind is p.KEYWORD_ONLY]
    known, needed = {p.name for p in options}, {p.name for p in options if p.default is p.empty}
    if not needed <= set(settings) <= known or not all(isinstance(v, int | float) for v in settings.values()):
        raise ValueError(_("{name} has not the settings that {op} takes").format(name=shown(name), op=op.name))
    return Record(name, op.name, inputs, weights, settings, _axes(step["axes"], shape), shape, file.dtype(name))


def _axes(names: Any, shape: Sequence[int]) -> Axes:
    """The names of axes, as many as there are and such as an address can hold."""
    axes = tuple(names)
    if len(axes) != len(shape) or not all(isinstance(name, str) and name.isidentifier() for name in axes):
        raise ValueError(_("{axes} does not name {count} axes").format(axes=shown(list(axes)), count=len(shape)))
    return axes
