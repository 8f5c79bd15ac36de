"""A Trace: every step of one run, in order, from the prompt to the next token."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from llmtrace.arithmetic.lines import Elements
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.display import Displayed, above
from llmtrace.errors import AddressError
from llmtrace.frozen import frozen
from llmtrace.i18n import _
from llmtrace.lazy import attribute
from llmtrace.ops import Tensor, Weight, by_name
from llmtrace.ops.part import box_of, covering, is_place
from llmtrace.text import shown
from llmtrace.trace.legend import NO_WORDS, SCORED, STREAM, Legend, StepKind
from llmtrace.trace.recompute import Recomputer, Values, unmade
from llmtrace.trace.step import Record, Step

if TYPE_CHECKING:
    from llmtrace.trace.container import TraceFile


Keep = Literal["all", "residual"]
"""Which numbers of its steps a trace keeps."""
Stays = Literal["kept", "remembered", "not held"]
"""What becomes of the numbers of a step when it is done."""


@frozen
class Origin:
    """What a trace is a trace of: which model, and which prompt."""

    model: str = ""
    """What the model is called."""
    reference: str = ""
    """What `llmtrace.load` takes to load it."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Its sizes."""
    text: str | None = None
    """The prompt, or None where ids were given."""
    tokenization: Mapping[str, Any] | None = None
    """How the text became tokens, as the tokenizer's `explain(text).to_dict()` tells it."""


class Trace(Displayed):
    """The ordered steps of one run, each with its numbers. `trace["block.0.attn.pattern"]` is a Step.

    `tokens` are the texts of the tokens, by position (by sequence and position in a batch); `token_text(id)` is the text of
    any token of the vocabulary. Arrays are read-only.

    keep: "all" numbers, or of the steps only the "residual" stream between the blocks: then every other number is computed again
    when it is asked for, to the same bits.
    """

    def __init__(
        self,
        weights: Mapping[str, Weight],
        tokens: Sequence[Any] = (),
        token_text: Callable[[int], str] = str,
        origin: Origin = Origin(),
        legend: Legend = NO_WORDS,
        keep: Keep = "all",
    ) -> None:
        self.keep: Keep = keep
        self.tokens = list(tokens)
        self.token_text = token_text
        self.origin = origin
        self.legend = legend
        self.labels: Mapping[
            str, Sequence[str]
        ] = {}  # what stands at the places of other axes: the inputs of a small net
        self.weights = by_name(weights.values())
        self._records: dict[str, Record] = {}
        self._arrays: dict[str, Array] = {}
        self._leaves: dict[str, Axes] = {}
        self._positions: dict[str, int] = {}
        self._remembered: Values = {}
        self._file: TraceFile | None = None
        self._let_go: set[str] = set()  # what of the file is computed again, as if it were not there
        self.weights_hash = ""  # what a file says of the weights that made it

    @property
    def model(self) -> str:
        """What the model is called."""
        return self.origin.model

    # ---- writing, by Run -------------------------------------------------------------------------------------------

    def add_leaf(self, name: str, data: Array, axes: Axes) -> None:
        """Records what the run starts from: token ids, positions, what a cache already held."""
        data = data.view()
        data.flags.writeable = False
        self._leaves[name] = axes
        self._arrays[name] = data

    def record(self, record: Record, output: Array, stays: Stays | None = None) -> None:
        """Records one step, and holds its numbers if they stay; `stays` says that to who knows it already."""
        name = record.name
        if name in self._records or name in self._leaves:
            raise ValueError(_("there is already a step named {name}", name=name))
        self._positions[name] = len(self._records)
        self._records[name] = record
        stays = self.stays(name) if stays is None else stays
        if stays == "kept":
            output.flags.writeable = False
            self._arrays[name] = output
        elif stays == "remembered":
            output.flags.writeable = False
            self._recomputer.remember(name, box_of(output.shape), output)

    def stays(self, name: str) -> Stays:
        """What becomes of the numbers of a step of this name when it is done: they are kept, remembered until enough others are
        asked for, or not held, and computed again when they are asked for.
        """
        if self.keep == "all" or self._in_stream(name):
            return "kept"
        return "remembered" if self.legend.kind(name) in SCORED else "not held"

    def _in_stream(self, name: str) -> bool:
        return self.legend.kind(name.removeprefix("d.")) in STREAM

    def release(self, name: str) -> None:
        """Lets go of the numbers of a step, which are computed again when they are asked for; not of the residual stream's."""
        if name in self._records and not self._in_stream(name):
            self._arrays.pop(name, None)
            self._let_go.add(name)

    def reduce(self) -> None:
        """From now on keeps only the residual stream, and lets go of everything else."""
        self.keep = "residual"
        for name in self._records:
            self.release(name)

    def forget(self, name: str) -> None:
        """Drops a step and its numbers, so that their memory can be used again."""
        self._records.pop(name, None)
        self._arrays.pop(name, None)
        self._positions.clear()

    def attach(
        self, file: TraceFile, records: Sequence[Record], leaves: Mapping[str, Axes], weights_hash: str = ""
    ) -> None:
        """Makes this the trace that a file holds."""
        self._file, self.weights_hash = file, weights_hash
        self._records = {record.name: record for record in records}
        self._leaves = dict(leaves)

    # ---- reading ---------------------------------------------------------------------------------------------------

    @property
    def steps(self) -> list[Step]:
        """All steps in the order in which they were done."""
        return [Step(record, self) for record in self._records.values()]

    @property
    def leaves(self) -> Mapping[str, Axes]:
        """The tensors that no step made, with their axes: token ids, positions, what a cache already held."""
        return self._leaves

    def __getitem__(self, name: str) -> Step:
        if not isinstance(name, str):
            text = _("a step is found by its name, such as trace[{example}]; trace.steps[{index}] is one by its number")
            index = shown(name) if isinstance(name, int) else 0
            raise AddressError(text.format(example=repr(next(iter(self._records), "logits")), index=index))
        if name not in self._records:
            raise attribute("llmtrace.near.no_such_step")(name, list(self._records))
        return Step(self._records[name], self)

    def __contains__(self, name: object) -> bool:
        return name in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def names(self) -> list[str]:
        """Every name that an address may begin with: steps, leaves, weights."""
        return [*self._leaves, *self._records, *self.weights]

    def of_kind(self, *kinds: StepKind) -> list[str]:
        """The names of the steps that are for one of these, by the legend, in order."""
        return [name for name in self._records if self.legend.kind(name) in kinds]

    def knows(self, name: str) -> bool:
        """Whether anything has this name."""
        return name in self._records or name in self._leaves or name in self.weights

    def records(self) -> Iterable[Record]:
        """What was done, in order, without the numbers."""
        return self._records.values()

    def position(self, name: str) -> int:
        """Which step it is, from 0."""
        if len(self._positions) != len(self._records):
            self._positions = {each: i for i, each in enumerate(self._records)}
        return self._positions[name]

    @property
    def _recomputer(self) -> Recomputer:
        return Recomputer(self, self._remembered)

    def holds(self, name: str) -> bool:
        """Whether the numbers of that name are here or in the trace's file, and need not be computed again."""
        return name in self._arrays or (self._file is not None and name in self._file and name not in self._let_go)

    def kept(self) -> list[str]:
        """The names of all leaves and steps whose numbers are here or in the trace's file."""
        return [name for name in (*self._leaves, *self._records) if self.holds(name)]

    def each(self, again: bool = False) -> Iterator[tuple[str, Array]]:
        """The names and numbers of all steps in order: who looks at everything computes each only once so, in little memory.

        again: also kept numbers are computed, each step from the results of those before.
        """
        return Recomputer(self).every(again)

    def record_of(self, name: str) -> Record | None:
        """What was done in the step of this name; None where no step has it."""
        return self._records.get(name)

    def tensor(self, name: str) -> Array:
        """The numbers of a step's output, of a leaf, or of a weight: the one way from a name to numbers."""
        if name in self._arrays:
            return self._arrays[name]
        if self._file is not None and self.holds(name) and name in {*self._records, *self._leaves}:
            return self._arrays.setdefault(name, self._file.array(name))
        if name in self._records:
            return self._recomputer.whole(name)
        if name in self.weights:
            return self.weights[name].data
        raise attribute("llmtrace.near.no_such_step")(name, self.names())

    def operand(self, name: str) -> Tensor:
        """A tensor as a further step of the run takes it: of one that is not kept, only its shape and type."""
        kept = name not in self._records or self.holds(name)
        data = self.tensor(name) if kept else unmade(self._records[name].shape, self._records[name].dtype)
        return Tensor(name, data, self.axes(name))

    def elements(self, name: str, index: tuple[Any, ...]) -> Array:
        """Some numbers of a tensor, for which only what they need is read or computed: an index has numbers for every axis."""
        if self._file is not None and name not in self._arrays and self.holds(name):
            return self._file.elements(name, index)
        if name in self._records and not self.holds(name):
            box = covering(index)
            starts = [places.start for places in box]
            found = self._recomputer.part(name, box)
            return np.array(found[tuple(np.subtract(i, s) for i, s in zip(index, starts, strict=True))])
        if name in self.weights and name not in self._arrays:
            return self.weights[name].elements(index)
        return np.array(self.tensor(name)[index])

    def part(self, name: str, *index: Any) -> Array:
        """Some rows of a tensor, as `trace.tensor(name)[index]`; of whole numbers and slices, only what they need is computed."""
        shape = self._records[name].shape if name in self._records else ()
        by_place = len(index) <= len(shape) and all(map(is_place, index))
        if not by_place or self.holds(name):
            return self.tensor(name)[index]
        every = (*index, *[slice(None)] * (len(shape) - len(index)))
        box = covering([np.arange(n)[i] for n, i in zip(shape, every, strict=True)])
        row = tuple(slice(None, None, i.step) if isinstance(i, slice) else 0 for i in every)
        return self._recomputer.part(name, box)[row]

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, without reading it."""
        if name in self._records:
            return self._records[name].shape
        if self._file is not None and name not in self._arrays and name in self._file:
            return self._file.shape(name)
        if self._file is not None and name in self.weights:  # a model that is not there need not be loaded to know it
            return tuple(self._file.content["weights"][name]["shape"])
        if name in self.weights and name not in self._arrays:
            return self.weights[name].shape
        return self.tensor(name).shape

    def axes(self, name: str) -> Axes:
        """The names of a tensor's axes."""
        if name in self._records:
            return self._records[name].axes
        if name in self._leaves:
            return self._leaves[name]
        if name in self.weights:
            return self.weights[name].axes
        raise attribute("llmtrace.near.no_such_step")(name, self.names())

    def address(self, name: str, place: Sequence[int]) -> str:
        """How the number at a place of a tensor is called, such as `block.0.attn.q[head=2, position=4, feature=1]`."""
        return Elements(name, self.axes(name), tuple(place), np.empty(0)).address()

    @property
    def batch(self) -> bool:
        """Whether several texts were run at once: then `tokens` has a list for each, and tensors have an axis `batch`."""
        return bool(self.tokens) and isinstance(self.tokens[0], list)

    @property
    def past(self) -> int:
        """How many tokens a cache already held: they stand before position 0 of this trace's tensors."""
        return int(self.tensor("positions").flat[0]) if "positions" in self._leaves else 0

    def label(self, axis: str, index: int, batch: int | None = None) -> str | None:
        """The token at a place of an axis, where the axis has tokens: positions, queries, keys, the source, the vocabulary."""
        if axis in self.labels:
            return self.labels[axis][index] if index < len(self.labels[axis]) else None
        if axis == "vocabulary":
            return self.token_text(index)
        if axis in {"source", "source_key"} and "source" in self._leaves:
            ids = self.tensor("source")
            if ids.ndim > 1 and batch is None:  # of which text?
                return None
            return self.token_text(int(ids[index] if ids.ndim == 1 else ids[batch, index]))
        if axis in {"position", "query", "key"}:
            tokens = self.tokens if batch is None else self.tokens[batch]
            if batch is None and self.batch:  # of which text?
                return None
            place = index if axis == "key" else self.past + index
            return tokens[place] if place < len(tokens) else None
        return None

    def explain(self, name: str, *index: Any, depth: int = 1, count: int = 3, **axes: Any) -> Any:
        """The Explanation of one number, going `depth` steps back through the `count` elements that matter most.

        The index is by place or by axis, with token texts for axes that have them: `explain("logits", -1, " mat")`,
        `explain("block.0.attn.scores", head=2, query=4, key=1)`, or all in one address, `explain("logits[-1, 3]")`.
        """
        return above("llmtrace.explain").explain(self, name, *index, depth=depth, count=count, **axes)

    def edited(self, edit: Mapping[str, Any]) -> Trace:
        """The run with some numbers replaced, as `{"block.2.attn.pattern[head=1]": 0}`: see `llmtrace.experiments.what_if`."""
        found: Trace = above("llmtrace.experiments").what_if(self, edit).after
        return found

    def show(self, name: str | None = None, *, every: bool = False, **asked: int) -> None:
        """Prints the run, or what `name` is (a step, `residual`, `logits`); in a notebook shows it.

        asked: of the run, `layer`, `head` and `position`; of a name, what `llmtrace show` takes.
        """
        if name is None:
            document = above("llmtrace.views.guided").view(self, every=every, **asked)
        else:
            document = above("llmtrace.views.catalog").look(self, name, every=every, **asked)
        above("llmtrace.render").show(document)

    def nbytes(self) -> int:
        """How many bytes the kept arrays take."""
        names = self.kept()
        return sum(math.prod(self.shape(name)) * self.dtype(name).itemsize for name in names)

    def dtype(self, name: str) -> np.dtype[Any]:
        """The type of a tensor's numbers, without reading them."""
        if name in self._records:
            return np.dtype(self._records[name].dtype)
        if self._file is not None and name not in self._arrays and name in self._file:
            return np.dtype(self._file.dtype(name))
        if self._file is not None and name in self.weights:
            return np.dtype(self._file.content["weights"][name]["dtype"])
        if name in self.weights and name not in self._arrays:
            return self.weights[name].dtype
        return self.tensor(name).dtype

    def to_pandas(self, name: str) -> Any:
        """A step, weight or leaf as a DataFrame whose rows and columns are named by tokens; a Series where it has one axis."""
        return above("llmtrace.trace.frame").frame(self, name)

    # ---- files -----------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], with_weights: bool = False) -> None:
        """Writes the trace to one file (docs/trace-file.md), whole or not at all; raises TraceFileError where it can't.

        The weights are named by their checksum, or with `with_weights` written too, so that the file needs no model.
        """
        above("llmtrace.trace.codec").save(self, Path(path), with_weights)

    def __getstate__(self) -> dict[str, Any]:
        """All that the trace says, its file's and its model's numbers included, so that a copy needs neither."""
        arrays = {name: np.asarray(self.tensor(name)) for name in self.kept()}
        return self.__dict__ | {"_arrays": arrays, "_file": None, "_remembered": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for array in self._arrays.values():
            array.flags.writeable = False

    def __repr__(self) -> str:
        return f"<Trace of {self.origin.model or 'a model'}: {len(self)} steps, {self._counted()} tokens>"

    def _counted(self) -> str:
        """How many tokens it has read: of a batch, each text."""
        counts = [len(row) for row in self.tokens] if self.batch else [len(self.tokens)]
        return ", ".join(map(str, counts))
