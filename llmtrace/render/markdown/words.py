"""Inlines in Markdown."""

from __future__ import annotations

import re

from llmtrace.text import inert, quoted, token_words
from llmtrace.views.document import Bar, Histogram, Inline, Number, Phrase, Ref, Role, Run, Text, Token, Tokens

SPECIAL = re.compile(r"([\\`*_\[\]<>|~&#])")
STRONG = frozenset({"name", "number", "value", "total", "heading"})


def escaped(text: str) -> str:
    """A text of anybody's, with a backslash before every sign that Markdown would read."""
    return SPECIAL.sub(r"\\\1", inert(text))


def markdown(*inlines: Inline, role: Role = "") -> str:
    """Inlines in one line."""
    return re.sub(" {2,}", " ", "".join(_words(inline, role) for inline in inlines)).strip()


def _words(inline: Inline, role: Role) -> str:
    match inline:
        case str():
            return _styled(escaped(inline), role)
        case Text() | Number():
            return _styled(escaped(inline.text), inline.role or role)
        case Token():
            return _styled(escaped(quoted(inline.text)), inline.role or role)
        case Ref():
            return _styled(escaped(inline.address), inline.role or role)
        case Phrase():
            return "".join(_words(part, inline.role or role) for part in inline.parts)
        case Run():
            return escaped(inline.between.join(inline.items))
        case Tokens():
            return escaped(" ".join(token_words(inline.tokens)))
        case Histogram():
            return escaped(" ".join(map(str, inline.counts)))
        case Bar():
            return ""


def _styled(text: str, role: str) -> str:
    """Strong or emphasised, with the spaces outside, where Markdown wants them."""
    mark = "**" if role in STRONG else "*" if role == "formula" else ""
    bare = text.strip()
    if not mark or not bare:
        return text
    start = len(text) - len(text.lstrip())
    return f"{text[:start]}{mark}{bare}{mark}{text[start + len(bare) :]}"
