"""The runs of a file of lessons: their steps and numbers, the words for them, and explanations that the page can't do itself."""

from __future__ import annotations

import base64
import json
import zlib
from collections import deque
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from llmtrace.explain import Explanation
from llmtrace.ops import OPS
from llmtrace.render.page_data import CHOOSING, FAMILY, legend_of, messages, names_of_lines, texts_of_training
from llmtrace.render.page_file import shuffled
from llmtrace.render.page_run import as_page_numbers, explanation_data, operands_of, run_record
from llmtrace.storage.digest import array_digest
from llmtrace.trace import Step, Trace
from llmtrace.views.terms import AXES

MOST_EXPLAINED = 2500
"""Of a trace with more numbers, only those are explained that the pages lead to."""
OF_TOKENS = frozenset({"position", "query", "key", "source", "source_key"})
"""Axes whose places are called by the tokens there."""
LARGEST_TENSOR = 100_000
"""Larger tensors are left out."""


@dataclass
class Runs:
    """What the runs of all lessons of a file need beside their pages. Whatever is alike is in the file once."""

    packed: dict[str, str] = field(default_factory=dict)
    """Tensors and explanations, by the ids of their elements."""
    said: set[str] = field(default_factory=lambda: {*messages(), *names_of_lines(), *AXES.values()})
    """All texts that are translated."""
    ops: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, list[Any]] = field(default_factory=lambda: {"runs": [], "legends": [], "vocabularies": []})
    _places: dict[str, int] = field(default_factory=dict)
    _explained: dict[str, str] = field(default_factory=dict)
    """The ids of explanations, by the run and the numbers that its pages lead to."""

    def add(self, trace: Trace, first: Sequence[Explanation]) -> int:
        """Adds a run; its number. first: what the pages explain of it."""
        record = self.described(trace)
        held = {each["name"] for each in record["tensors"] if each["held"]}
        known = json.dumps([record, [each.address for each in first]])
        if len(held) < len(record["tensors"]) or known not in self._explained:  # in another language it is the same run
            self._explained[known] = self._explanations(trace, first, held)
        record["explanations"] = self._explained[known]
        return self._place("runs", record)

    def described(self, trace: Trace) -> dict[str, Any]:
        """The steps of a run and its tensors, with the words for them."""
        legend = legend_of(trace)
        self.said |= {words[key] for words in legend.values() for key in ("what", "sentence", "section")}
        self.said |= texts_of_training(trace)
        for op in {step.op for step in trace.steps}:
            self.ops[op] = {"formula": OPS[op].formula, "how": OPS[op].how}
            self.said |= {OPS[op].formula, OPS[op].how}
        record = self._record(trace)
        record["legend"] = self._place("legends", legend)
        record["vocabulary"] = self._place("vocabularies", vocabulary_of(trace))
        return record

    def _place(self, kind: str, thing: Any) -> int:
        """The place of a thing among those of its kind that lessons share."""
        key = f"{kind} {json.dumps(thing, sort_keys=True)}"
        if key not in self._places:
            self._places[key] = len(self.shared[kind])
            self.shared[kind].append(thing)
        return self._places[key]

    def _record(self, trace: Trace) -> dict[str, Any]:
        used = {name for step in trace.steps for name in (step.name, *operands_of(step.record).values())}
        held = {name for name in used if trace.tensor(name).size <= LARGEST_TENSOR}
        record = run_record(trace, "", held)
        record["tensors"] = [each for each in record["tensors"] if each["name"] in used]
        record["leaves"] = [name for name in record["leaves"] if name in used]
        for each in record["tensors"]:
            if each["held"]:
                numbers = as_page_numbers(trace.tensor(each["name"]))
                each["digest"] = array_digest(numbers)
                each["id"] = f"n:{each['digest'][:24]}"
                if each["id"] not in self.packed:
                    self.packed[each["id"]] = shuffled(numbers)
        record["labels"] = labels_of(trace) | record["labels"]
        return record

    def _explanations(self, trace: Trace, first: Sequence[Explanation], held: Set[str]) -> str:
        """The id of the explanations of a run that the page can't do itself."""
        others = {step.name for step in trace.steps if not done_by_page(step, held)}
        found = {each.address: explanation_data(each) for each in explained(trace, first, others)}
        text = json.dumps(found, separators=(",", ":"))
        identity = f"e:{sha256(text.encode()).hexdigest()[:24]}"
        self.packed[identity] = deflated(text)
        return identity


def labels_of(trace: Trace) -> dict[str, list[str | None]]:
    """The tokens at the places of axes that have some."""
    found: dict[str, list[str | None]] = {}
    for name in trace.names():
        for axis, size in zip(trace.axes(name), trace.shape(name), strict=True):
            if axis in OF_TOKENS and name not in trace.weights and size > len(found.get(axis, [])):
                found[axis] = [trace.label(axis, place) for place in range(size)]
    return found


def vocabulary_of(trace: Trace) -> list[str]:
    """The texts of all tokens of a trace that has scores of tokens."""
    sizes = [
        size
        for name in trace.names()
        for axis, size in zip(trace.axes(name), trace.shape(name), strict=True)
        if axis == "vocabulary"
    ]
    return [trace.token_text(index) for index in range(max(sizes, default=0))]


def done_by_page(step: Step, held: Set[str]) -> bool:
    """Whether the page can explain a step's numbers by itself: it does the op, and has all that goes into it."""
    return step.op in FAMILY | CHOOSING and held >= {step.name, *operands_of(step.record).values()}


def explained(trace: Trace, first: Sequence[Explanation], wanted: Set[str]) -> Iterator[Explanation]:
    """Explanations of numbers that some steps made: of all in a small trace, of those that the pages lead to in a large one."""
    if sum(trace[name].output.size for name in trace) <= MOST_EXPLAINED:
        for step in trace.steps:
            for place in every_place(step.output.shape) if step.name in wanted else ():
                yield trace.explain(step.name, *place)
        return
    own = {each.address: each for each in first}
    waiting, seen = deque(own.values()), set(own)
    for _count in range(len(own) + MOST_EXPLAINED // 10):
        if not waiting:
            return
        found = waiting.popleft()
        if found.element.tensor in wanted:
            yield found
        for element in found.leans_on(8):
            address = element.address()
            if element.tensor in trace and address not in seen:
                seen.add(address)
                waiting.append(trace.explain(element.tensor, *element.place()))


def every_place(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """All indexes of a tensor."""
    yield from np.ndindex(*shape)


def deflated(text: str) -> str:
    """A text as an element of the page holds it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(packer.compress(text.encode()) + packer.flush()).decode()
