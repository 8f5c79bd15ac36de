"""How a text is cut into pieces before anything is merged: what `pre_tokenizer` says in a tokenizer.json.

Nothing is lost: where a pattern matches, the match is a piece, and what lies between two matches is a piece too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from llmtrace.errors import ModelError
from llmtrace.i18n import _

if TYPE_CHECKING:
    from regex import Pattern

GPT2_PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
"""English endings; then letters, numbers, or other signs, with one space before them if there is one; then spaces."""

GPT2_SPLIT: Mapping[str, Any] = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}

Cut = Callable[[Iterable[str]], Iterable[str]]
"""Pieces into smaller pieces."""


class Splitter:
    """Cuts texts as the `pre_tokenizer` of a tokenizer.json says; ModelError for what is not supported."""

    def __init__(self, rule: Mapping[str, Any] = GPT2_SPLIT) -> None:
        self.rule = rule
        self.adds_space = False
        self._cuts: list[Cut] = []
        self._read(rule)

    def pieces(self, text: str) -> list[str]:
        """The pieces of a text; side by side they are the text, apart from spaces that the rule adds (`adds_space`)."""
        parts: Iterable[str] = [text]
        for cut in self._cuts:
            parts = cut(parts)
        return list(parts)

    def _read(self, rule: Any) -> None:
        kind = rule.get("type") if isinstance(rule, Mapping) else type(rule).__name__
        if kind == "Sequence":
            for part in _field(rule, "pretokenizers", list):
                self._read(part)
        elif kind == "ByteLevel":
            if _field(rule, "add_prefix_space", bool, True):
                self.adds_space = True
                self._cuts.append(_add_spaces)
            if _field(rule, "use_regex", bool, True):
                self._cuts.append(_by_pattern(GPT2_PATTERN))
        elif kind == "Split":
            self._cuts.append(_by_pattern(_split_pattern(rule)))
        elif kind == "Digits":
            self._cuts.append(_by_pattern(r"\p{N}" if _field(rule, "individual_digits", bool, False) else r"\p{N}+"))
        else:
            raise ModelError(
                _("the pre_tokenizer {kind!r} is not supported; ByteLevel, Split, Digits and Sequence are", kind=kind)
            )


def _split_pattern(rule: Mapping[str, Any]) -> str:
    """The regular expression of a Split. "Removed" and inverted keeps only the matches; here nothing is lost."""
    behaviour, inverted = _field(rule, "behavior", str), _field(rule, "invert", bool, False)
    if (behaviour, inverted) not in {("Isolated", False), ("Isolated", True), ("Removed", True)}:
        raise ModelError(
            _(
                "a Split with behavior {behaviour!r} and invert {inverted} is not supported; 'Isolated' is",
                behaviour=behaviour,
                inverted=str(inverted).lower(),
            )
        )
    pattern = _field(rule, "pattern", dict)
    if set(pattern) == {"Regex"}:
        return str(_field(pattern, "Regex", str))
    from regex import escape

    return str(escape(_field(pattern, "String", str)))


def _field(rule: Mapping[str, Any], name: str, kind: type, default: Any = None) -> Any:
    value = rule.get(name, default)
    if not isinstance(value, kind):
        raise ModelError(_("the pre_tokenizer has {name} = {value!r}", name=name, value=value))
    return value


def _add_spaces(parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        yield part if part.startswith(" ") else " " + part


def _by_pattern(pattern: str) -> Cut:
    compiled = compile_pattern(pattern)

    def cut(parts: Iterable[str]) -> Iterator[str]:
        for part in parts:
            done = 0
            for match in compiled.finditer(part):
                start, end = match.span()
                if start > done:
                    yield part[done:start]
                if end > start:
                    yield part[start:end]
                done = end
            if done < len(part):
                yield part[done:]

    return cut


@cache
def compile_pattern(pattern: str) -> Pattern[str]:
    """A pattern as the `regex` library reads it, `^` and `$` at every line as in Oniguruma, which `tokenizers` uses."""
    import regex

    try:
        return regex.compile(pattern, regex.MULTILINE)
    except regex.error as error:
        message = _("the pattern {pattern!r} can't be read: {error}", pattern=pattern, error=error)
        raise ModelError(message) from error
