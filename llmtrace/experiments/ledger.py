"""Who decided? The score of a token as an account: what each part of the model added to it, and what rounding did.

The last norm and the row of the output matrix turn the residual stream into one number. Both are linear once the norm's own
mean and spread are known, so every part that was added to the stream has its share of the score: Σ over features of part · g,
where g = gain · weight / spread; a layer norm takes the mean of the part off first. In exact rational numbers
(`fractions.Fraction`) the shares, the norm's bias (if it has one) and what every rounding on the way contributed add up to the
score that the model computed, to the last digit. (The direct logit attribution of Elhage et al. 2021, A Mathematical Framework
for Transformer Circuits.)
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import EditError
from llmtrace.explain.not_finite import sign, warning
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _
from llmtrace.ops.rows.layer_norm import layer_norm
from llmtrace.trace import Record, StepKind, Trace


@frozen
class Entry:
    """One line of the account. `of` is the step or the weight that it is of, "" for rounding."""

    title: str
    of: str
    amount: Fraction
    block: int | None = None
    head: int | None = None
    neuron: int | None = None
    source: int | None = None


@frozen
class Ledger:
    """The account of one score: its entries add up to `total`, exactly."""

    address: str
    total: Fraction
    entries: tuple[Entry, ...]
    scores: tuple[tuple[int, int], ...]
    """Of which position and token; after the first one, those that are taken off."""

    @property
    def balances(self) -> bool:
        """Whether nothing is missing."""
        return sum((entry.amount for entry in self.entries), Fraction(0)) == self.total

    def less(self, other: Ledger) -> Ledger:
        """The account of the difference of two scores of one run: why this token and not the other one."""
        mine, theirs = self._by_part(), other._by_part()
        entries = []
        for key in dict.fromkeys([*mine, *theirs]):
            entry = mine.get(key) or theirs[key]
            amounts = [side[key].amount if key in side else Fraction(0) for side in (mine, theirs)]
            entries.append(Entry(entry.title, entry.of, amounts[0] - amounts[1], *key[2:]))
        return Ledger(
            f"{self.address} − {other.address}", self.total - other.total, tuple(entries), self.scores + other.scores
        )

    def _by_part(self) -> dict[Any, Entry]:
        return {(e.title, e.of, e.block, e.head, e.neuron, e.source): e for e in self.entries}


EMBEDDING, POSITION = N_("embedding of the token"), N_("embedding of the place")
HEAD, BIAS, MLP = N_("head"), N_("bias of attention"), N_("MLP")
NEURON, MLP_BIAS = N_("neuron"), N_("bias of the MLP")
NORM_BIAS, ROUNDING = N_("bias of the final norm"), N_("rounding")


def ledger(trace: Trace, position: int, token: int, *, neurons: bool = False, sources: bool = False) -> Ledger:
    """The account of `logits[position, token]`.

    neurons: an entry for each neuron of an MLP instead of one for all. sources: one for each token that a head looked at.
    Raises EditError where the run is none that ends in a norm and scores of tokens.
    """
    return _Account(trace, position, token, neurons, sources).made()


DIGITS = {"float32": (24, 172), "float64": (53, 1127)}
"""How many binary digits a number has, and at which negative power of two every one of them is a whole number."""


@frozen
class Scale:
    """Floating-point numbers of one type as whole ones, in units so small that none loses a digit."""

    dtype: str

    @property
    def unit(self) -> int:
        """How many units are 1."""
        return 1 << DIGITS[self.dtype][1]

    def __call__(self, numbers: Array) -> Any:
        """The numbers, as an array of Python's int."""
        digits, power = DIGITS[self.dtype]
        parts, exponents = np.frexp(numbers)
        whole = np.ldexp(parts, digits).astype(np.int64).astype(object)
        return np.left_shift(whole, (exponents.astype(np.int64) + power - digits).astype(object))


class _Account:
    def __init__(self, trace: Trace, position: int, token: int, neurons: bool, sources: bool) -> None:
        self.trace, self.position, self.token = trace, position, token
        self.neurons, self.sources = neurons, sources
        logits, norm = trace.of_kind(StepKind.LOGITS), trace.of_kind(StepKind.FINAL_NORM)
        if not logits or not norm or trace.batch:
            raise EditError(
                _("an account needs the run of one text by a model that ends in a norm and scores of tokens")
            )
        self.logits, self.norm = self._record(logits[0]), self._record(norm[0])
        self.scaled = Scale(self.logits.dtype)

    def _record(self, name: str) -> Record:
        found = self.trace.record_of(name)
        assert found is not None
        return found

    def made(self) -> Ledger:
        """The account."""
        score = float(self.trace.tensor(self.logits.name)[self.position, self.token])
        if not isfinite(score):
            text = _("the score is {value}, of which there is no account; {found}")
            raise EditError(text.format(value=sign(score), found=warning(self.trace)))
        total = Fraction(score)
        entries = list(self._entries())
        known = sum((entry.amount for entry in entries), Fraction(0))
        entries.append(Entry(ROUNDING, "", total - known))
        axes = self.trace.axes(self.logits.name)
        rows, scores = self.trace.shape(self.logits.name)
        position, token = self.position % rows, self.token % scores
        address = f"{self.logits.name}[{axes[0]}={position}, {axes[1]}={token}]"
        return Ledger(address, total, tuple(entries), ((position, token),))

    def _entries(self) -> Iterator[Entry]:
        weight = self.trace.tensor(str(self.logits.operands["weight"]))
        column = self.scaled(weight[self.token] if self.logits.settings.get("transposed") else weight[:, self.token])
        operands = self.norm.operands
        gain = self.scaled(self.trace.tensor(str(operands["gain"])))
        stream = self.trace.tensor(str(operands["x"]))[self.position].astype(np.float64)
        self.width = len(gain)
        self.direction = self.width * gain * column
        mean = 0.0
        if self.norm.op == layer_norm.name:  # what the norm takes off, the mean, taken off here
            mean = stream.mean()
            self.direction = self.direction - sum((gain * column).tolist())
        self.spread = Fraction(float(np.sqrt(np.mean((stream - mean) ** 2) + self.norm.settings["epsilon"])))
        yield from self._stream(str(operands["x"]))
        if operands.get("bias") is not None:
            bias = self.scaled(self.trace.tensor(str(operands["bias"])))
            yield Entry(NORM_BIAS, str(operands["bias"]), Fraction(int(bias @ column), self.scaled.unit**2))

    def _amount(self, whole: Any, factors: int) -> Fraction:
        """A share of the score, from a whole number: the product of a direction and of so many `factors`."""
        return Fraction(int(whole), self.scaled.unit ** (2 + factors) * self.width) / self.spread

    def _row(self, name: str) -> Fraction:
        """What the row of a tensor is worth for the score."""
        return self._amount(self.scaled(self.trace.tensor(name)[self.position]) @ self.direction, 1)

    def _stream(self, name: str) -> Iterator[Entry]:
        """The parts that were added to the stream, from its beginning on."""
        record, kind = self.trace.record_of(name), self.trace.legend.kind(name)
        if record is None or record.op != "add" or kind is None:
            yield Entry(EMBEDDING, name, self._row(name))
        elif kind == StepKind.ENTRY:
            for title, part in zip((EMBEDDING, POSITION), record.inputs, strict=True):
                yield Entry(title, part, self._row(part))
        else:
            before, part = record.inputs
            yield from self._stream(before)
            yield from self._part(part, self._block(name))

    def _block(self, name: str) -> int | None:
        found = self.trace.legend.of(name)
        return int(found.numbers["n"]) if found and "n" in found.numbers else None

    def _part(self, name: str, block: int | None) -> Iterator[Entry]:
        """What attention or an MLP has added: head by head, neuron by neuron."""
        record = self.trace.record_of(name)
        if record is not None and record.op == "linear_from_heads":
            yield from self._heads(record, block)
        elif record is not None and record.op == "linear" and self.neurons:
            yield from self._neurons(record, block)
        else:
            yield Entry(MLP, name, self._row(name), block)

    def _worth(self, record: Record) -> Any:
        """What each input of a layer is worth for the score: a whole number with one factor."""
        weight = self.scaled(self.trace.tensor(str(record.operands["weight"])))
        return (weight.T if record.settings.get("transposed") else weight) @ self.direction

    def _heads(self, record: Record, block: int | None) -> Iterator[Entry]:
        mix, worth = self.trace.tensor(record.inputs[0])[:, self.position], self._worth(record)
        for head, (row, mine) in enumerate(zip(mix, worth.reshape(mix.shape), strict=True)):
            amount = self._amount(self.scaled(row) @ mine, 2)
            if self.sources:
                yield from self._sources(record, block, head, mine, amount)
            else:
                yield Entry(HEAD, record.name, amount, block, head)
        yield from self._bias(BIAS, record, block)

    def _sources(self, record: Record, block: int | None, head: int, worth: Any, amount: Fraction) -> Iterator[Entry]:
        """What a head brought from each token; what rounding did to its mix stays with it."""
        step = self._record(record.inputs[0])
        pattern, values = (self.trace.tensor(name)[head] for name in step.inputs)
        brought = self.scaled(pattern[self.position]) * (self.scaled(values) @ worth)
        for source in np.flatnonzero(pattern[self.position]).tolist():
            share = self._amount(brought[source], 3)
            amount -= share
            yield Entry(HEAD, record.name, share, block, head, None, source)
        if amount:
            yield Entry(ROUNDING, step.name, amount, block, head)

    def _neurons(self, record: Record, block: int | None) -> Iterator[Entry]:
        acts = self.scaled(self.trace.tensor(record.inputs[0])[self.position]) * self._worth(record)
        for neuron in np.flatnonzero(acts).tolist():
            yield Entry(NEURON, record.name, self._amount(acts[neuron], 2), block, None, neuron)
        yield from self._bias(MLP_BIAS, record, block)

    def _bias(self, title: str, record: Record, block: int | None) -> Iterator[Entry]:
        """The bias of a layer."""
        name = record.operands["bias"]
        if name is not None:
            yield Entry(title, name, self._amount(self.scaled(self.trace.tensor(name)) @ self.direction, 1), block)
