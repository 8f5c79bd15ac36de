"""A trace as the content of a file, and back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from llmtrace._version import __version__
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.errors import TraceFileError
from llmtrace.i18n import N_, _
from llmtrace.ops import OPS, Weight, by_name
from llmtrace.ops.shapes import RANGES
from llmtrace.ops.tensor import Narrow
from llmtrace.storage import weights_hash
from llmtrace.text import cited, shown
from llmtrace.trace.container import WEIGHT, TraceFile, write
from llmtrace.trace.legend import Legend
from llmtrace.trace.step import Record
from llmtrace.trace.token_texts import TokenTexts, check_tokens
from llmtrace.trace.trace import Origin, Trace
from llmtrace.trace.version_1 import current

WHOLE_VOCABULARY = 4096
LIKELY = 10
ROWS = 64

REMEDY = N_("name the model that it was made by with --model, or make the trace again with --with-weights")

WeightsOf = Callable[[Origin], Mapping[str, Weight]]
"""Finds the weights of the model that a trace names."""


def save(trace: Trace, path: Path, with_weights: bool) -> None:
    """Writes the trace, and with `with_weights` the weights that its steps used."""
    arrays = {name: trace.tensor(name) for name in trace.kept()}
    used = {name: trace.weights[name] for step in trace.steps for name in _weights_of(step.record, trace)}
    if with_weights:
        arrays |= {WEIGHT + name: weight.data for name, weight in used.items()}
    origin = trace.origin
    content = {
        "llmtrace": __version__,
        "model": {
            "name": origin.model,
            "reference": relative(origin.reference, path),
            "config": dict(origin.config),
            "weights_hash": weights_hash(used),
        },
        "text": origin.text,
        "tokenization": origin.tokenization,
        "tokens": trace.tokens,
        "vocabulary": vocabulary(trace),
        "legend": trace.legend.to_dict(),
        "labels": {axis: list(labels) for axis, labels in trace.labels.items()},
        "given": {name: list(axes) for name, axes in trace.leaves.items()},
        "steps": [_step(step.record) for step in trace.steps],
        "weights": {
            name: {"axes": list(w.axes), "shape": list(w.shape), "dtype": w.dtype.name} for name, w in used.items()
        },
    }
    write(path, arrays, content)


def _weights_of(record: Record, trace: Trace) -> list[str]:
    """The weights that a step used: as its weights, which may also be other tensors (the second matrix of a product), or as
    inputs, where an optimiser makes new ones of them.
    """
    operands = (*record.inputs, *record.weights)
    return [name for name in operands if name is not None and name not in trace.leaves and name not in trace]


def vocabulary(trace: Trace) -> dict[str, str]:
    """The texts of the tokens that a reader of the trace may want, by id."""
    if "logits" not in trace or trace.token_text is str:  # which is no text, only the id
        return {}
    size = trace.shape("logits")[-1]
    if size <= WHOLE_VOCABULARY:
        wanted = np.arange(size)
    else:
        positions = trace.shape("logits")[-2]
        found = [trace.tensor(name).ravel() for name in ("tokens", "targets", "source") if name in trace.leaves]
        for first in range(0, positions, ROWS):  # not all at once: they may not be kept
            scores = trace.part("logits", *[slice(None)] * trace.batch, slice(first, first + ROWS))
            found.append(np.argpartition(-scores, LIKELY, axis=-1)[..., :LIKELY].ravel())
        wanted = np.unique(np.concatenate(found))
    return {str(i): trace.token_text(i) for i in wanted.tolist()}


def _step(record: Record) -> dict[str, Any]:
    data = asdict(record)
    del data["shape"], data["dtype"]  # the tensor's own entry says them
    return data


def relative(reference: str, path: Path) -> str:
    """What a trace file says of where its model is: the way from the file's folder, so that both can be moved together; of a
    model on another drive only its name.
    """
    if not os.path.isabs(reference):
        return reference
    try:
        way = Path(os.path.relpath(reference, Path(os.path.abspath(path)).parent)).as_posix()
    except ValueError:
        return Path(reference).name
    return way if way.startswith("../") else f"./{way}"


def read(path: Path, weights_of: WeightsOf, legends: Mapping[str, Legend], asked: str = "") -> Trace:
    """The trace in a file; tensors are read when they are looked at, the model's weights when they are needed.

    legends: those that a file may name. asked: the model whose weights `weights_of` gives, if somebody asked for one.

    All that the file says is checked here, so that what is read later can only be damaged, or not follow.
    """
    file = TraceFile(path)
    try:
        return _trace(file, weights_of, legends, asked)
    except TraceFileError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise file.wrong(f"{type(error).__name__}: {shown(error)}") from error


def _trace(file: TraceFile, weights_of: WeightsOf, legends: Mapping[str, Legend], asked: str) -> Trace:
    content = file.content
    origin, texts = _origin(file), _texts(content["vocabulary"])
    weights = _weights(file, origin, weights_of, asked)
    without = content["version"] == 1 and all(index == text for index, text in texts.items())  # no texts, only ids
    token_text = str if without else TokenTexts(texts)
    trace = Trace(weights, content["tokens"], token_text, origin)
    if "legend" in content:
        trace.legend = Legend.from_dict(content["legend"], legends)
    else:  # of version 1, which has none
        trace.legend = Legend(bases=tuple(legends.values()))
    trace.labels = _labels(content.get("labels", {}))
    given = {name: _axes(axes, file.shape(name)) for name, axes in _dict(content, "given").items()}
    check_tokens(file, given)
    records: dict[str, Record] = {}
    sizes = {name: Size(file.shape(name), np.dtype(file.dtype(name))) for name in given}
    sizes |= {name: Size(tuple(e["shape"]), np.dtype(e["dtype"])) for name, e in content["weights"].items()}
    if not isinstance(content["steps"], list):
        raise TypeError(_("{what} is not a list", what="steps"))
    for step in content["steps"]:
        record = _record(current(step) if content["version"] == 1 else step, file, sizes)
        if record.name in records or record.name in given:
            raise ValueError(_("there is already a step named {name}", name=shown(record.name)))
        records[record.name] = record
        sizes[record.name] = Size(record.shape, np.dtype(record.dtype))
    trace.keep = "all" if all(name in file for name in records) else "residual"
    trace.attach(file, list(records.values()), given, content["model"]["weights_hash"])
    return trace


def _origin(file: TraceFile) -> Origin:
    content = file.content
    model = _dict(content, "model")
    texts = {"llmtrace": content["llmtrace"], "text": "" if content["text"] is None else content["text"]}
    texts |= {f"model.{key}": model[key] for key in ("name", "reference", "weights_hash")}
    for what, text in texts.items():
        if not isinstance(text, str):
            raise TypeError(_("{what} is not a text", what=what))
    tokenization = None if content["tokenization"] is None else _dict(content, "tokenization")
    reference = model["reference"]
    if reference.startswith(("./", "../")):  # from the file's folder
        reference = os.path.abspath(file.path.parent / reference)
    return Origin(model["name"], reference, _dict(model, "config"), content["text"], tokenization)


def _dict(content: dict[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(content[key], dict):
        raise TypeError(_("{what} is not an object of JSON", what=key))
    found: dict[str, Any] = content[key]
    return found


def _texts(found: Any) -> dict[str, str]:
    """The texts of tokens by id."""
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise TypeError(_("the vocabulary does not map ids to texts"))
    return found


def _labels(found: Any) -> dict[str, list[str]]:
    """What stands at the places of axes."""
    lists = list(found.values()) if isinstance(found, dict) else [None]
    if not all(isinstance(each, list) and all(isinstance(text, str) for text in each) for each in lists):
        raise TypeError(_("the labels do not map axes to texts"))
    return dict(found)


def _weights(file: TraceFile, origin: Origin, weights_of: WeightsOf, asked: str) -> dict[str, Weight]:
    """The weights that the steps used, fetched when they are looked at."""
    entries = _dict(file.content, "weights")
    loaded: dict[str, Weight] = {}

    def from_model(name: str) -> Array | Narrow:
        if not loaded:
            found = by_name(weights_of(origin).values())
            fits = {*entries} <= {*found} and all(
                [list(found[n].shape), found[n].dtype.name] == [entry["shape"], entry["dtype"]]
                for n, entry in entries.items()
            )
            if not fits or weights_hash({n: found[n] for n in entries}) != file.content["model"]["weights_hash"]:
                raise _other_weights(file, origin, asked)
            loaded.update(found)
        return loaded[name].kept

    weights = []
    for name, entry in entries.items():
        stored, said = WEIGHT + name in file, (entry["shape"], entry["dtype"])
        whole = isinstance(entry["shape"], list) and all(type(n) is int and n >= 0 for n in entry["shape"])
        if not whole or entry["dtype"] not in {"float32", "float64"}:
            raise ValueError(_("{name} has no shape or no dtype", name=shown(name)))
        if stored and said != (list(file.shape(WEIGHT + name)), file.dtype(WEIGHT + name)):
            raise ValueError(_("{name} has another shape or dtype than its tensor", name=shown(name)))
        fetch = (lambda n=name: file.array(WEIGHT + n)) if stored else (lambda n=name: from_model(n))
        weights.append(Weight(name, fetch, _axes(entry["axes"], entry["shape"])))
    return by_name(weights)


def no_weights(path: str, origin: Origin) -> TraceFileError:
    """The error that the weights of a trace are neither in its file nor, any more, where its model was."""
    text = _("{path} holds no weights, and its model, {model}, is not to be found: {remedy}")
    return TraceFileError(text.format(path=shown(path), model=cited(origin.model), remedy=_(REMEDY)))


def _other_weights(file: TraceFile, origin: Origin, asked: str) -> TraceFileError:
    """The error that a model is not the one of the trace; `asked` is the one that was asked for, if any was."""
    text = _("{path} was made by {model} with other weights than it has now: {remedy}")
    if asked:
        text = _("{path} was not made by {asked}, but by {model}, which has other weights: {remedy}")
    return TraceFileError(
        text.format(path=shown(file.path), asked=cited(asked), model=cited(origin.model), remedy=_(REMEDY))
    )


class Size(NamedTuple):
    """What is known of a tensor that has not been read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def _record(step: dict[str, Any], file: TraceFile, sizes: Mapping[str, Size]) -> Record:
    """A step, checked; the shape of one whose numbers are not in the file follows from its operands, in `sizes`."""
    if not isinstance(step["op"], str) or step["op"] not in OPS:
        raise ValueError(_("there is no op {name!r}", name=shown(step["op"])))
    if not isinstance(step["inputs"], list) or not isinstance(step["weights"], list):
        raise TypeError(_("{what} is not a list", what="inputs, weights"))
    op, name, inputs, weights = OPS[step["op"]], step["name"], tuple(step["inputs"]), tuple(step["weights"])
    least = sum(not op.optional(name) for name in op.inputs)
    lacking = [letter for letter, weight in zip(op.weights, weights, strict=False) if weight is None]
    wrong = len(weights) != len(op.weights) or not all(map(op.optional, lacking))
    if wrong or not least <= len(inputs) <= len(op.inputs):
        raise ValueError(_("{name} has not the inputs that {op} takes", name=shown(name), op=op.name))
    if not {*inputs, *weights} - {None} <= {*sizes}:
        raise ValueError(_("{name} uses what comes later, or is not there", name=shown(name)))
    settings = step["settings"]
    options = {p.name: p for p in signature(op.meaning).parameters.values() if p.kind is p.KEYWORD_ONLY}
    needed = {p.name for p in options.values() if p.default is p.empty}
    if not needed <= set(settings) <= set(options) or not all(
        _plain(value, options[key].annotation, op.shapes.get(key, "")) for key, value in settings.items()
    ):
        raise ValueError(_("{name} has not the settings that {op} takes", name=shown(name), op=op.name))
    if name in file:
        shape, dtype = file.shape(name), file.dtype(name)
    else:
        operands = (*inputs, *[None] * (len(op.inputs) - len(inputs)), *weights)
        found = {kind: None if n is None else sizes[n] for kind, n in zip(op.tensors, operands, strict=True)}
        shape, real = op.result(found, settings)
        dtype = real.name
    return Record(name, op.name, inputs, weights, settings, _axes(step["axes"], shape), shape, dtype)


def _plain(value: Any, kind: type, values: str) -> bool:
    """Whether a setting is of the type that the op's signature says: a truth, a size or a count, or a number that floats
    have; and within the range of what `Op.shapes` says of it. A first place ("F") may be 0.
    """
    values = "whole" if values == "F" else values
    if kind is float:
        right = type(value) in {int, float} and abs(value) <= float(np.finfo(np.float64).max)
    elif kind is int:
        right = type(value) is int and (values == "whole" or 1 <= value < 1 << 31)
    else:
        right = type(value) is kind
    return right and (values not in RANGES or RANGES[values].holds(value))


def _axes(names: Any, shape: Sequence[int]) -> Axes:
    """The names of axes, as many as there are, all different, and such as an address can hold."""
    axes = tuple(names) if isinstance(names, list) else ()
    right = len(axes) == len(shape) and all(isinstance(name, str) and name.isidentifier() for name in axes)
    if not right or len({*axes}) != len(axes):
        raise ValueError(_("{axes} does not name {count} axes", axes=shown(names), count=len(shape)))
    return axes
