"""A model family: what has to be known of one kind of model to read it from others' files, write it, and begin to train it.

The table of a family says of every stored tensor what it is called there and here; reading, writing, checking and initial
weights are made from it, and done here for all families alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from llmtrace.arithmetic.bits import same_bits
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.environment import takes_not_finite
from llmtrace.errors import ModelError
from llmtrace.frozen import frozen
from llmtrace.i18n import _, listed, n_
from llmtrace.models import Model
from llmtrace.models.memory import available_memory
from llmtrace.models.prompt import Tokenizer
from llmtrace.ops import Weight, by_name
from llmtrace.rng import derive, normal
from llmtrace.storage.matrix import StoredMatrix
from llmtrace.storage.stored import OtherTypeError, Stored, all_finite
from llmtrace.text import as_size, shown
from llmtrace.weights.names import Problem, must_be_whole, own_name, together, unused, unwrapped

STD = 0.02
"""The standard deviation of random initial weights (Radford et al. 2019), where a table gives no other."""

Initial = Literal["zero", "one", "normal", "residual"]


@frozen
class Entry:
    """A stored tensor: its name, its shape, and the weights here that stand side by side along its last axis.

    `initial`: what it is before training; a `residual` one writes into the residual stream, once for each of `writers`; `std`:
    the standard deviation of random numbers.
    `transposed`: the file has its two axes the other way round, as torch's Linear has [out, in].
    """

    stored: str
    shape: tuple[int, ...]
    weights: tuple[str, ...]
    axes: Axes
    initial: Initial = "normal"
    writers: int = 1
    transposed: bool = False
    std: float = STD


@frozen
class Tied:
    """Two weights that may be one: a second one with the numbers of the first is stored once, or may be absent."""

    stored: str
    """The name of the second."""
    weight: str
    first: str
    """The stored name of the first."""
    first_weight: str
    usual: bool | None = None
    """What counts where config.json does not say whether they are one; None: they are, unless both are stored, and differ."""


@frozen
class Family:
    """One kind of model. To add one: its files (model, words, table), and its line in `llmtrace.weights.families`."""

    name: str
    """What `model_type` in config.json says."""
    title: str
    """What people call it."""
    architectures: str
    """How the entries of `architectures` begin, in files that have no `model_type`."""
    model: type[Model]
    config: Callable[..., Any]
    """The class of its sizes."""
    read_config: Callable[[Mapping[str, Any], list[str]], Any]
    """The sizes, from the content of config.json, or None where something is wrong, which is added to the list."""
    write_config: Callable[[Any, bool], dict[str, Any]]
    """The content of config.json; and whether the tied weights are one."""
    table: Callable[[Any], Iterable[Entry]]
    """Every tensor of a model of these sizes."""
    tied: Tied
    prefix: str = ""
    """What stands before the names of most tensors in files; it may be absent."""
    ignored: re.Pattern[str] = re.compile("(?!)")
    """Names (without the prefix) that are no parameters."""

    def build(
        self, config: Any, weights: Mapping[str, Weight], tokenizer: Tokenizer | None = None, name: str = ""
    ) -> Model:
        """A model of these sizes and weights."""
        kind: Any = self.model
        model: Model = kind(config, weights, tokenizer, name)
        return model

    def shapes(self, config: Any) -> dict[str, tuple[int, ...]]:
        """The stored tensors (without the prefix) and their shapes there."""
        return {e.stored: e.shape[::-1] if e.transposed else e.shape for e in self.table(config)}

    def weights(
        self,
        config: Any,
        stored: Mapping[str, Array | Stored],
        where: str,
        tied: bool | None = None,
        notes: list[str] | None = None,
    ) -> dict[str, Weight]:
        """Weights by our names; one ModelError names every tensor that is missing, unknown or not what it must be.

        `tied`: whether the output reads the token embedding; None: unless both are stored, with other numbers.
        `notes`: gets what is to be said of a file that holds more, or names it otherwise.
        """
        notes = [] if notes is None else notes
        must_be_whole(stored, where)
        anchors = (self.prefix + self.tied.first, self.tied.first, self.tied.stored)
        stored = unwrapped(stored, anchors, notes)
        _must_fit(stored, where)
        tensors = self._checked(config, stored, where, tied, notes)
        weights = by_name(self._parts(config, tensors))
        own = weights[self.tied.first_weight]
        first, second = tensors[self.tied.first], tensors.get(self.tied.stored)
        if second is None or (tied is not False and _same(second, first)):
            weights[self.tied.weight] = own  # the same numbers read tokens in and score them
        else:
            weights[self.tied.weight] = Weight(self.tied.weight, second, own.axes)
        return weights

    def tensors(self, config: Any, weights: Mapping[str, Weight]) -> dict[str, Array]:
        """The way back: stored names and shapes, the tied tensor only where it has weights of its own."""
        tensors: dict[str, Array] = {}
        for entry in self.table(config):
            parts = [weights[name].data for name in entry.weights]
            whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
            tensors[self.prefix + entry.stored] = whole.T if entry.transposed else whole
        if not self.is_tied(weights):
            tensors[self.tied.stored] = weights[self.tied.weight].data
        return tensors

    def is_tied(self, weights: Mapping[str, Weight]) -> bool:
        """Whether both tied weights are one."""
        return weights[self.tied.weight] is weights[self.tied.first_weight]

    def initial(self, config: Any, seed: int) -> dict[str, Weight]:
        """Random weights to train from, the same for the same seed on every machine: normal numbers of the table's
        deviations, for those that write into the residual stream divided by √writers (Radford et al. 2019, section 2.3); gains
        1, biases 0.
        """
        tensors: dict[str, Array] = {}
        for entry in self.table(config):
            if entry.initial in {"zero", "one"}:
                tensors[entry.stored] = np.full(entry.shape, float(entry.initial == "one"), np.float32)
            else:
                std = entry.std / math.sqrt(entry.writers) if entry.initial == "residual" else entry.std
                drawn = normal(derive(seed, "weight", entry.stored), entry.shape)
                tensors[entry.stored] = (drawn * std).astype(np.float32)
        weights = by_name(self._parts(config, tensors))
        return {**weights, self.tied.weight: weights[self.tied.first_weight]}

    def _parts(self, config: Any, tensors: Mapping[str, Array | StoredMatrix]) -> Iterator[Weight]:
        """Our weights, each a view of the tensor that it is stored in."""
        for entry in self.table(config):
            width = entry.shape[-1] // len(entry.weights)
            for n, name in enumerate(entry.weights):
                whole, part = tensors[entry.stored], slice(n * width, (n + 1) * width)
                if len(entry.weights) > 1:
                    whole = whole.columns(part) if isinstance(whole, StoredMatrix) else whole[..., part]
                yield Weight(name, whole, entry.axes)

    def _checked(
        self,
        config: Any,
        stored: Mapping[str, Array | Stored],
        where: str,
        tied: bool | None,
        notes: list[str],
    ) -> dict[str, Array | StoredMatrix]:
        """The numbers of every tensor, by its name without the prefix; ModelError with all that is wrong."""
        shapes, head = self.shapes(config), self.tied.stored
        parts = {name.split(".")[0] for name in (*shapes, head)}
        transposed = {entry.stored for entry in self.table(config) if entry.transposed}
        if head in stored or tied is False:
            shapes[head] = shapes[self.tied.first]
        problems: list[Problem] = []
        others: list[tuple[str, OtherTypeError]] = []
        tensors: dict[str, Array | StoredMatrix] = {}
        apart: list[str] = []
        prefixed = bool(self.prefix) and any(name.startswith(self.prefix) for name in stored)
        for full, tensor in stored.items():
            name = full.removeprefix(self.prefix)
            if self.ignored.fullmatch(name):
                continue
            if name not in shapes and prefixed and name == full and name.split(".")[0] not in parts:
                apart.append(name)
            elif name not in shapes:
                problems.append(partial(_foreign, own_name(stored, full), self.title))
            elif name in tensors:
                twice = _("{name} is there twice, with {prefix} and without", name=name, prefix=self.prefix)
                problems.append(twice)
            else:
                tensors[name] = np.empty(0, np.float32)
                try:
                    array = _read(own_name(stored, full), tensor, shapes[name], problems, notes)
                    tensors[name] = array.T if name in transposed else array
                except OtherTypeError as error:
                    others.append((own_name(stored, full), error))
        if tied is not False and head in tensors and self.tied.first not in tensors:
            tensors[self.tied.first] = tensors[head]  # one tensor, stored under the other of its names
        unused(apart, notes)
        missing = [name for name in shapes if name not in tensors]
        before = {name: self.prefix if prefixed and name != head else "" for name in missing}
        problems[:0] = [partial(_missing, own_name(stored, before[name] + name), name == head) for name in missing]
        if others:
            problems.append(_of_other_types(others))
        if len({array.dtype for array in tensors.values()} & {np.dtype(np.float32), np.dtype(np.float64)}) > 1:
            problems.append(_("some tensors are float32, others float64"))
        if not problems and tied and head in tensors and not _same(tensors[head], tensors[self.tied.first]):
            problems.append(
                _(
                    "tie_word_embeddings is true, but {head} is stored and differs from {first}; set it to false"
                    " in config.json if the stored one is meant",
                    head=head,
                    first=self.tied.first,
                )
            )
        if problems:
            raise ModelError(f"{where}: {together(problems)}")
        return tensors


def _must_fit(stored: Mapping[str, Array | Stored], where: str) -> None:
    """ModelError where the tensors of a file need more memory than is free."""
    needed = sum(0 if isinstance(tensor, np.ndarray) else tensor.memory() for tensor in stored.values())
    free = available_memory(needed)
    if free is not None and needed > free:
        text = _("{path}: the weights take {needed} of memory, and {free} are free")
        raise ModelError(text.format(path=where, needed=as_size(needed), free=as_size(free)))


def _missing(name: str, is_head: bool) -> str:
    if is_head:
        return _("{name} is missing, which only a model with tie_word_embeddings = true can do without", name=name)
    return _("{name} is missing", name=name)


def _of_other_types(found: Sequence[tuple[str, OtherTypeError]]) -> str:
    """What types can't be read, each said once, with the first tensor that is of it."""
    kinds: dict[str, list[str]] = {}
    for name, error in found:
        kinds.setdefault(error.kind, []).append(name)
    said = [
        n_(
            "{first} is of type {kind}",
            "{count} tensors are of type {kind} (the first: {first})",
            len(names),
            count=len(names),
            first=names[0],
            kind=shown(kind, 80),
        )
        for kind, names in kinds.items()
    ]
    return _("{tensors}; only {readable} can be read", tensors=together(said), readable=listed(found[0][1].readable))


def _foreign(name: str, family: str) -> str:
    return _("{name} is not part of this {family}", name=shown(name, 80), family=family)


def _same(a: Array | StoredMatrix, b: Array | StoredMatrix) -> bool:
    """Whether two tensors hold the same numbers, to the last bit."""
    if isinstance(a, StoredMatrix) and isinstance(b, StoredMatrix) and a.kind == b.kind:
        return a.same_as(b)
    return same_bits(*(each.read() if isinstance(each, StoredMatrix) else each for each in (a, b)))


def _read(
    name: str, tensor: Array | Stored, expected: tuple[int, ...], problems: list[Problem], notes: list[str]
) -> Array | StoredMatrix:
    """The numbers of a tensor; what is wrong with it goes to `problems`, and what is put up with to `notes`.

    OtherTypeError: many tensors have that in common, and it is said once.
    """
    nothing = np.empty(0, np.float32)
    if tensor.shape != expected:
        problems.append(
            _("{name} has shape {shape}, expected {expected}", name=name, shape=tensor.shape, expected=expected)
        )
    if not isinstance(tensor, np.ndarray):
        try:
            kept = tensor.kept() if tensor.shape == expected else nothing
        except OtherTypeError:
            raise
        except ValueError as error:
            problems.append(f"{name} {error}")
            return nothing
        if isinstance(kept, StoredMatrix) and kept.is_finite():
            return kept
        array = tensor.read() if isinstance(kept, StoredMatrix) else kept
    else:
        array = np.ascontiguousarray(tensor)  # a source may hand out columns first, which no kernel reads
    if array.dtype not in (np.float32, np.float64):
        problems.append(_("{name} is {dtype}, expected float32", name=name, dtype=array.dtype))
    elif not all_finite(array):
        index = np.unravel_index(int(np.isfinite(array).argmin()), array.shape)
        place = [int(i) for i in index]
        text = _(
            "{name} holds numbers that are not finite, such as {number} at {place}",
            name=name,
            number=array[index],
            place=place,
        )
        if takes_not_finite():
            notes.append(text)
        else:
            problems.append(_("{text} (LLMTRACE_NOT_FINITE=1 opens it all the same)", text=text))
    return array
