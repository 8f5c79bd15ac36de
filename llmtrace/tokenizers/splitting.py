"""How a text is cut into pieces before anything is merged: what `pre_tokenizer` says in a tokenizer.json.

Where a pattern matches, the match is a piece, and what lies between two matches is a piece too, unless the rule removes the
one or the other, or joins it to its neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.pickling import FromArguments
from llmtrace.tokenizers.json_format.fields import field, kind_of, parts_of, quote
from llmtrace.tokenizers.normal_forms import Form, normal
from llmtrace.tokenizers.part import Part
from llmtrace.tokenizers.patterns import Pattern

GPT2_PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
"""English endings; then letters, numbers, or other signs, with one space before them if there is one; then spaces."""

GPT2_SPLIT: Mapping[str, Any] = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}


class Span(NamedTuple):
    """A part of a piece, by where it begins and ends."""

    start: int
    end: int
    kept: bool


Matches = list[tuple[int, int, bool]]
"""Where each match and each stretch between two begins and ends, and whether it is a match."""


class Splitter(FromArguments):
    """Cuts texts as the `pre_tokenizer` of a tokenizer.json says; ModelError for what is not supported."""

    def __init__(self, rule: Mapping[str, Any] = GPT2_SPLIT, forms: Sequence[Form] = ()) -> None:
        self.rule = rule
        self.forms = tuple(forms)
        """The normal forms of Unicode (`normal_forms.FORMS`) that the text is brought to first, one after another."""
        self._cuts: list[Cut | None] = []  # None: a space is added
        parts = parts_of(rule, "pretokenizers")
        for part in parts:
            self._read(part)
        kinds = [part["type"] for part in parts]
        self.in_bytes = "ByteLevel" in kinds
        """Whether the pieces are bytes for what comes after the rule."""
        after = kinds[kinds.index("ByteLevel") + 1 :] if self.in_bytes else []
        if after:  # it would work on the symbols of the bytes, and cut characters into halves
            raise ModelError(_("the pre_tokenizer {kind} after ByteLevel is not supported", kind=quote(after[0])))

    def going_on(self) -> Splitter:
        """The same for a text that goes on with another: no space is added before it."""
        other = Splitter.__new__(Splitter)
        other.__dict__.update(self.__dict__, _cuts=[cut for cut in self._cuts if cut is not None])
        return other

    def normalized(self, text: str) -> str:
        """The text that is cut."""
        for form in self.forms:
            text = normal(text, form)
        return text

    def pieces(self, text: str) -> list[str]:
        """The pieces of a text; side by side they are the text, apart from what the rule adds and removes."""
        parts: Iterable[str] = [self.normalized(text)]
        for cut in self._cuts:
            parts = _add_spaces(parts) if cut is None else cut.pieces(parts)
        return list(parts)

    def parts(self, text: str) -> list[Part]:
        """The same, and what is removed; side by side they are the normalized text."""
        text = self.normalized(text)
        parts = [Part(text, text)]
        for cut in self._cuts:
            parts = [smaller for part in parts for smaller in _smaller(part, cut)]
        return parts

    def _read(self, rule: Any) -> None:
        kind = rule.get("type") if isinstance(rule, Mapping) else None
        if kind == "ByteLevel":
            if field(rule, "add_prefix_space", bool, True):
                self._cuts.append(None)
            if field(rule, "use_regex", bool, True):
                self._cuts.append(Cut(GPT2_PATTERN))
        elif kind == "Split":
            self._cuts.append(_split(rule))
        elif kind == "Digits":
            self._cuts.append(Cut(r"\p{N}" if field(rule, "individual_digits", bool, False) else r"\p{N}+"))
        else:
            raise ModelError(
                _(
                    "the pre_tokenizer {kind} is not supported; ByteLevel, Split, Digits and Sequence are",
                    kind=kind_of(rule),
                )
            )


class Cut:
    """One rule by which pieces are cut into smaller ones, where a pattern matches."""

    def __init__(self, pattern: str, behavior: str = "Isolated", inverted: bool = False, literal: bool = False) -> None:
        self.pattern = Pattern(pattern, literal)
        self._inverted = inverted
        self._join = BEHAVIORS[behavior]

    def pieces(self, parts: Iterable[str]) -> Iterator[str]:
        """The smaller pieces of all of them, one after another."""
        if self._join is not _isolated:
            yield from (part[span.start : span.end] for part in parts for span in self.spans(part) if span.kept)
            return
        for part in parts:  # the same, for the most frequent rule, in a third of the time
            done = 0
            for start, end in self.pattern.find(part):
                if start > done:
                    yield part[done:start]
                if end > start:
                    yield part[start:end]
                done = end
            if done < len(part):
                yield part[done:]

    def spans(self, text: str) -> list[Span]:
        """The same for one piece, and what is removed."""
        found: Matches = []
        done = 0
        for start, end in self.pattern.find(text):
            if start > done:
                found.append((done, start, self._inverted))
            found.append((start, end, not self._inverted))
            done = end
        if done < len(text):
            found.append((done, len(text), self._inverted))
        return [span for span in self._join(found) if span.end > span.start]


def _isolated(found: Matches) -> list[Span]:
    return [Span(start, end, True) for start, end, _match in found]


def _removed(found: Matches) -> list[Span]:
    return [Span(start, end, not match) for start, end, match in found]


def _contiguous(found: Matches) -> list[Span]:
    return _joined(found, lambda match, before: match == before)


def _with_previous(found: Matches) -> list[Span]:
    return _joined(found, lambda match, before: match and not before)


def _with_next(found: Matches) -> list[Span]:
    turned = _joined([(-end, -start, match) for start, end, match in reversed(found)], _is_lone)
    return [Span(-end, -start, True) for start, end, _kept in reversed(turned)]


def _is_lone(match: bool, before: bool) -> bool:
    return match and not before


def _joined(found: Matches, joins: Callable[[bool, bool], bool]) -> list[Span]:
    """Each is joined to the one before it where `joins` says so, which is told which of both are matches."""
    spans: list[Span] = []
    before = False
    for start, end, match in found:
        if spans and joins(match, before):
            start = spans.pop().start
        spans.append(Span(start, end, True))
        before = match
    return spans


BEHAVIORS: dict[str, Callable[[Matches], list[Span]]] = {
    "Isolated": _isolated,
    "Removed": _removed,
    "Contiguous": _contiguous,
    "MergedWithPrevious": _with_previous,
    "MergedWithNext": _with_next,
}


def _split(rule: Mapping[str, Any]) -> Cut:
    behavior = field(rule, "behavior", str)
    if behavior not in BEHAVIORS:
        raise ModelError(_("a Split with behavior {behavior} is not supported", behavior=quote(behavior)))
    pattern = field(rule, "pattern", dict)
    if len(pattern) != 1 or not {*pattern} <= {"Regex", "String"}:
        raise ModelError(_("a Split needs a pattern that is a Regex or a String"))
    (name,) = pattern
    return Cut(field(pattern, name, str), behavior, field(rule, "invert", bool, False), literal=name == "String")


def _smaller(part: Part, cut: Cut | None) -> Iterator[Part]:
    if not part.kept:
        yield part
    elif cut is None:
        yield part if part.piece.startswith(" ") else Part(part.own, f" {part.piece}")
    else:
        added = len(part.piece) - len(part.own)
        for start, end, kept in cut.spans(part.piece):
            yield Part(part.own[max(0, start - added) : end - added], part.piece[start:end], kept)


def _add_spaces(parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        yield part if part.startswith(" ") else f" {part}"
