"""A legend: what the names of steps mean, in words. It stands beside the model or lesson that makes the names.

A trace carries its legend, so that nothing above a model has to know the names of its steps by heart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, field
from enum import StrEnum
from functools import lru_cache
from string import Formatter
from typing import Any

from llmtrace.frozen import frozen


class StepKind(StrEnum):
    """What a step is for, where views look for it; so they need not know what a model calls it."""

    COSINE = "cosine"
    """Those of the angles by which rows are turned."""
    SINE = "sine"
    ENTRY = "entry"
    """The rows that enter the first block."""
    AFTER_ATTENTION = "after attention"
    """The residual stream, after attention has added its part."""
    AFTER_MLP = "after mlp"
    """The residual stream, after the MLP has added its part."""
    ATTENTION_SUM = "attention sum"
    """Rows and what attention adds to them, where layer norm follows the sum (post-norm)."""
    CROSS_SUM = "cross sum"
    """The same of what attention to a source adds."""
    MLP_SUM = "mlp sum"
    """The same of what the MLP adds."""
    BLOCK_END = "block end"
    """The rows as they leave a block, where layer norm comes last in it."""
    FINAL_NORM = "final norm"
    SCORES = "scores"
    """How well each query fits each key."""
    PATTERN = "pattern"
    """The scores as shares."""
    CROSS_PATTERN = "cross pattern"
    """The shares that each token of a target gives to those of a source."""
    MIX = "mix"
    """What each head gathers."""
    NEURON_INPUTS = "neuron inputs"
    NEURONS = "neurons"
    LOGITS = "logits"
    PROBABILITIES = "probabilities"
    NEXT_TOKEN = "next token"


STREAM = frozenset({StepKind.ENTRY, StepKind.AFTER_MLP})
"""The residual stream between the blocks: what a trace holds that keeps no more than it must."""
ENDING = frozenset({StepKind.FINAL_NORM, StepKind.LOGITS, StepKind.PROBABILITIES, StepKind.NEXT_TOKEN})
"""What comes after the stream."""
SCORED = frozenset({StepKind.FINAL_NORM, StepKind.LOGITS})
"""The way from there to the scores."""
PAIRS = frozenset({StepKind.SCORES, StepKind.PATTERN})
"""What has a number for every query and every key: most of a long run."""


class Example(StrEnum):
    """Whether the guided read shows how a number of a step is made."""

    NEVER = "never"
    FIRST = "first"
    """Only in the first of the blocks that are told at length."""
    ALWAYS = "always"


@frozen
class Section:
    """Steps that are told together: a part of the guided read.

    title, sentence: texts of the catalogue; in the title stand the numbers that the pattern of a step binds.
    numbered: whether these are parts of a numbered whole, such as the blocks of a GPT; the number is bound as `n`.
    once: whether the sentence is said only of the first such section.
    """

    title: str
    sentence: str = ""
    numbered: bool = False
    once: bool = False


@frozen
class StepWords:
    """What one kind of step is.

    what: in a few words.
    sentence: about one number of it; `{feature}`, `{token}` … stand for its place (see `llmtrace.explain.describe`).
    section: where the guided read tells of it.
    kind: what it is for, if that is something views look for.
    example: whether the guided read shows how a number of it is made.
    how: how its numbers are made, where the sentence of its op says too little.
    """

    what: str = ""
    sentence: str = ""
    section: Section | None = None
    kind: StepKind | None = None
    example: Example = Example.NEVER
    how: str = ""


@frozen
class Found:
    """The words for a name, and the numbers in it that its pattern binds: `{"n": "0"}` for `block.{n}.attn.q`."""

    words: StepWords
    numbers: Mapping[str, str]


@frozen
class Legend:
    """Words by patterns of names: `block.{n}.attn.q` is for the name `block.0.attn.q`, whatever the number.

    name: by which a trace file names it; "" where the file holds its entries (see `llmtrace.trace.codec`).
    bases: where to look for what is not among the entries.
    labelled: axes whose places stand with their labels (see `Trace.label`) in calculations; those with tokens always do.
    """

    entries: Mapping[str, StepWords] = field(default_factory=dict)
    name: str = ""
    bases: tuple[Legend, ...] = ()
    labelled: frozenset[str] = frozenset()
    _by_shape: dict[str, str] = field(init=False, repr=False, compare=False)
    _kinds: dict[str, StepKind | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_shape", {_shape(pattern): pattern for pattern in self.entries})
        kinds = {_shape(pattern): words.kind for pattern, words in self.entries.items()}
        for base in self.bases:
            kinds = base._kinds | kinds
        object.__setattr__(self, "_kinds", kinds)  # those of the bases, too: every step of a run is asked for

    def of(self, name: str) -> Found | None:
        """The words for a name, if there are any."""
        words, pattern = self._entry(name)
        if words is None:
            return None
        pairs = zip(pattern.split("."), name.split("."), strict=True)
        return Found(words, {p[1:-1]: n for p, n in pairs if p.startswith("{")})

    def _entry(self, name: str) -> tuple[StepWords | None, str]:
        """The words for a name, if there are any, and their pattern."""
        shape = _shape(name)
        for legend in self.all():
            if shape in legend._by_shape:
                pattern = legend._by_shape[shape]
                return legend.entries[pattern], pattern
        return None, ""

    def kind(self, name: str) -> StepKind | None:
        """What a step of that name is for."""
        return self._kinds.get(_shape(name))

    def labels(self, axis: str) -> bool:
        """Whether the places of an axis stand with their labels in calculations."""
        return any(axis in legend.labelled for legend in self.all())

    def all(self) -> Iterator[Legend]:
        """All that are asked for a name, in order: first itself, then those that it stands on."""
        yield self
        for base in self.bases:
            yield from base.all()

    def __or__(self, other: Legend) -> Legend:
        """Both legends; where both have words for a name, those of the first count."""
        return Legend(bases=(self, other))

    def to_dict(self) -> dict[str, Any]:
        """As a trace file holds it: the names of those that have one, and the entries of the others."""
        names, entries = [], dict[str, Any]()
        waiting = [self]
        while waiting:
            legend = waiting.pop(0)
            if legend.name:
                names.append(legend.name)
            else:
                entries = {pattern: asdict(words) for pattern, words in legend.entries.items()} | entries
                waiting[:0] = legend.bases
        return {"names": names, "entries": entries}

    @classmethod
    def from_dict(cls, data: Any, known: Mapping[str, Legend]) -> Legend:
        """The legend that `to_dict` described, of those that are `known` by name; TypeError or ValueError where it is none."""
        entries = {pattern: _step_words(words) for pattern, words in data["entries"].items()}
        return cls(entries, bases=tuple(known[name] for name in data["names"] if name in known))


def _step_words(data: Any) -> StepWords:
    """The words that a file has for a kind of step."""
    section = None if data["section"] is None else Section(**data["section"])
    kind = None if data.get("kind") is None else StepKind(data["kind"])
    words = StepWords(
        data["what"], data["sentence"], section, kind, Example(data.get("example", "never")), data.get("how", "")
    )
    texts = [words.what, words.sentence, words.how, *(() if section is None else (section.title, section.sentence))]
    if not all(isinstance(text, str) and only_names(text) for text in texts):
        raise ValueError("a text of its legend can't be filled in")
    return words


@lru_cache(maxsize=4096)
def _shape(name: str) -> str:
    """A name or a pattern with `*` for every number in it."""
    return ".".join("*" if piece.isdecimal() or piece[:1] == "{" else piece for piece in name.split("."))


def only_names(template: str) -> bool:
    """Whether a template asks for nothing but words by their names: one from a file must not reach into objects."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return False
    return all(name is None or (name.isidentifier() and not spec and not how) for _text, name, spec, how in parts)


NO_WORDS = Legend()
