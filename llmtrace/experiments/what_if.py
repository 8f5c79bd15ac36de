"""What if: a run with some of its numbers replaced. Only what depends on them is computed again, to the bits of a full run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from llmtrace.arithmetic.bits import other_bits
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.experiments.again import Operand, Places, again, work
from llmtrace.experiments.edits import Edit, Swap, as_recipe, resolved
from llmtrace.i18n import N_
from llmtrace.ops import OPS
from llmtrace.ops.elementwise.edit import edit as edit_op
from llmtrace.ops.shapes import parse
from llmtrace.trace import Record, Trace
from llmtrace.trace.legend import Legend, StepWords

BEFORE, EDITED = "unedited", "edited"


@dataclass
class Changes:
    """What an edit has done: for each step of the run, where its numbers have other bits, and how many were computed for that."""

    places: dict[str, Places | None] = field(default_factory=dict)
    """None where nothing has changed."""
    computed: dict[str, int] = field(default_factory=dict)
    operations: int = 0
    """How many elementary operations, about, were done."""

    def count(self, name: str) -> int:
        """How many numbers of a step have other bits."""
        found = self.places.get(name)
        return 0 if found is None else int(np.count_nonzero(found))


@dataclass
class WhatIf:
    """A run, the same with its edits, and where the two differ."""

    before: Trace
    after: Trace
    changes: Changes
    recipe: list[dict[str, Any]]
    """The edits as JSON (see docs/experiments.md)."""


def what_if(before: Trace, edits: Mapping[str, Any]) -> WhatIf:
    """The run again, with its numbers replaced where `edits` says, each by an address: `{"block.0.attn.pattern[head=1]": 0}`.

    An address may leave out axes; `head:2.1`, `neuron:1.17` and `token:5` are understood, too. A value is a number, an array, a
    function of the numbers that stand there, or another Trace, whose numbers are taken. What a step would have been is kept as
    `NAME.unedited`, and NAME is the step that replaces it; an edited weight becomes the step `NAME.edited`.

    Raises EditError or AddressError. `before` stays as it is; what has not changed is shared.
    """
    return _WhatIf(before, resolved(before, edits)).run()


class _WhatIf:
    def __init__(self, before: Trace, edits: list[Edit | Swap]) -> None:
        self.before = before
        self.edits = [self._latest(each) for each in edits if isinstance(each, Edit)]
        self.swaps = [each for each in edits if isinstance(each, Swap)]
        self.changes = Changes()
        self.instead: dict[str, str] = {}  # the names of weights, and what now stands for them
        self.recipe: dict[str, dict[str, Any]] = {}
        self.words: dict[str, StepWords] = {}
        self.after = self._empty()

    def _latest(self, edit: Edit) -> Edit:
        """The edit of a weight that was edited before, as one of what stands for it now."""
        edited = f"{edit.name}.{EDITED}"
        if edited not in self.before:
            return edit
        value = edit.numbers(self.before.tensor(edited)[edit.index]) if isinstance(edit.value, Trace) else edit.value
        return replace(edit, name=edited, value=value)

    def _free(self, name: str) -> str:
        """A name that no earlier edit of the same numbers has taken."""
        more = f".{name.rpartition('.')[2]}"
        while name in self.before or name in self.before.leaves:
            name += more
        return name

    def _empty(self) -> Trace:
        before, tokens = self.before, list(self.before.tokens)
        for swap in self.swaps:
            tokens[before.past + swap.position] = before.token_text(swap.token)
        origin = replace(before.origin, tokenization=None) if self.swaps else before.origin
        after = Trace(before.weights, tokens, before.token_text, origin, before.legend, before.keep)
        after.labels = dict(before.labels)
        return after

    def run(self) -> WhatIf:
        """All steps, from the first that is edited on."""
        for name, axes in self.before.leaves.items():
            self._leaf(name, axes)
        for name in dict.fromkeys(each.name for each in self.edits if each.name not in self.before):
            self._edit(name, self.before.axes(name), unedited=name, edited=f"{name}.{EDITED}")
            self.instead[name] = f"{name}.{EDITED}"
        for step in self.before.steps:
            self._step(step.record)
        if self.words:
            self.after.legend = Legend(self.words, bases=(self.before.legend,))
        recipe = list(self.recipe.values())
        return WhatIf(self.before, self.after, self.changes, recipe)

    def _leaf(self, name: str, axes: Axes) -> None:
        data = self.before.tensor(name)
        if name == "tokens" and self.swaps:
            old, data = data, data.copy()
            for swap in self.swaps:
                data[swap.position] = swap.token
                self.recipe[swap.said] = as_recipe(swap, None)
            self._note(name, old, data)
        self.after.add_leaf(name, data, axes)

    def _note(self, name: str, old: Array, new: Array) -> None:
        changed = other_bits(new, old)
        self.changes.places[name] = changed if changed.any() else None

    def _step(self, record: Record) -> None:
        """A step again, and its edits, if it has some."""
        edited = any(each.name == record.name for each in self.edits)
        name = self._free(f"{record.name}.{BEFORE}") if edited else record.name
        inputs = tuple(self.instead.get(n, n) for n in record.inputs)
        weights = tuple(None if n is None else self.instead.get(n, n) for n in record.weights)
        self.after.record(replace(record, name=name, inputs=inputs, weights=weights), self._computed(record, name))
        if edited:
            self._edit(record.name, record.axes, unedited=name, edited=record.name)

    def _computed(self, record: Record, name: str) -> Array:
        """The numbers of a step: those of before, but where they can have changed."""
        old = self.before.tensor(record.name)
        operands = [self._operand(record, kind, given) for kind, given in record.operands.items()]
        if not any(x is not None and x.changed is not None for x in operands):
            self.changes.places[name] = None
            return old
        op = OPS[record.op]
        done = again(op, operands, record.settings, old)
        self.changes.places[name] = done.changed
        self.changes.computed[name] = done.computed
        sizes = [None if x is None else x.data.shape for x in operands]
        self.changes.operations += done.computed * work(op.name, sizes, record.settings)
        return done.data

    def _operand(self, record: Record, kind: str, name: str | None) -> Operand | None:
        if name is None:
            return None
        op, now = OPS[record.op], self.instead.get(name, name)
        changed = self.changes.places.get(now)
        weight = self.before.weights.get(name) if changed is None and name not in self.before else None
        packed = None
        if weight is not None and kind in op.packed:
            packed = weight.packed(record.settings.get("transposed", False))
        return Operand(self.after.tensor(now), parse(op.shapes[kind]), changed, packed)

    def _edit(self, target: str, axes: Axes, *, unedited: str, edited: str) -> None:
        """The step that replaces numbers of `target`: it reads the tensor `unedited`, and is called `edited`."""
        old = self.after.tensor(unedited)
        value, kept = np.zeros(old.shape, old.dtype), np.ones(old.shape, old.dtype)  # C order; old may be transposed
        for each in self.edits:
            if each.name == target:
                new = each.numbers(np.where(kept[each.index] > 0, old[each.index], value[each.index]))
                value[each.index], kept[each.index] = new, 0
                self.recipe[each.said] = as_recipe(each, new)
        out = edit_op.forward(np.ascontiguousarray(old), value, kept)
        leaves = self._free(f"{target}.value"), self._free(f"{target}.kept")
        for leaf, data in zip(leaves, (value, kept), strict=True):
            self.after.add_leaf(leaf, data, axes)
        record = Record(edited, edit_op.name, (unedited, *leaves), (), {}, axes, out.shape, out.dtype.name)
        self.after.record(record, out)
        self._note(edited, self.before.tensor(target), out)
        self.changes.computed[edited] = int(np.count_nonzero(kept == 0))
        self.changes.operations += self.changes.computed[edited]
        self._word(target, unedited=unedited, edited=edited)

    def _word(self, target: str, *, unedited: str, edited: str) -> None:
        """What is said of the tensor before its edit, and of an edited weight; beside the words of what has been edited."""
        found = self.before.legend.of(target)
        words, numbers = (found.words, list(found.numbers)) if found else (StepWords(), [])
        pattern = ".".join(
            f"{{{numbers.pop(0)}}}" if each.isdecimal() and numbers else each for each in target.split(".")
        )
        if edited == target:
            what, sentence = N_("the same, before the edit"), N_("this number, before the edit")
            self.words[pattern + unedited.removeprefix(target)] = replace(
                words, what=what, sentence=sentence, kind=None
            )
        else:
            what, sentence = N_("a weight, edited"), N_("a weight of the model, as you have changed it")
            self.words[pattern + edited.removeprefix(target)] = StepWords(what, sentence)
