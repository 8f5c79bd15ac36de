"""Inlines in HTML."""

from __future__ import annotations

from dataclasses import field
from html import escape

from llmtrace.frozen import frozen
from llmtrace.text import inert, token_words
from llmtrace.views.document import Bar, Histogram, Inline, Number, Phrase, Ref, Role, Run, Text, Token, Tokens


@frozen
class Page:
    """What the inlines of one article share: the prefix of its ids, and the addresses that have a place in it."""

    prefix: str
    targets: frozenset[str] = field(default_factory=frozenset)

    def place(self, address: str) -> str:
        """The id of an address."""
        return escape(f"{self.prefix}{inert(address)}".replace(" ", "_"), quote=True)


def escaped(text: str) -> str:
    """A text of anybody's, which can't be anything but text."""
    return escape(inert(text), quote=True)


def html(page: Page, *inlines: Inline, role: Role = "") -> str:
    """Inlines in one line."""
    return "".join(_html(page, inline, role) for inline in inlines)


def _html(page: Page, inline: Inline, role: Role) -> str:
    match inline:
        case str():
            return spanned(escaped(inline), role)
        case Text():
            return spanned(escaped(inline.text), inline.role or role)
        case Number():
            return linked(page, inline.address, spanned(escaped(inline.text.strip()), inline.role or role))
        case Token():
            return spanned(f"<q>{escaped(inline.text)}</q>".replace(" ", "&nbsp;"), inline.role or role)
        case Ref():
            return linked(page, inline.address, spanned(escaped(inline.address), inline.role or role))
        case Phrase():
            return "".join(_html(page, part, inline.role or role) for part in inline.parts)
        case Run():
            return spanned(escaped(inline.between.join(inline.items)), role)
        case Tokens():
            return spanned(escaped(" ".join(token_words(inline.tokens))), role)
        case Bar():
            width = 10 * max(0.0, min(1.0, inline.share)) if inline.share == inline.share else 0
            return f'<span class="bar" style="width:{width:.3g}em" aria-hidden="true"></span>'
        case Histogram():
            return _histogram(inline)


def spanned(text: str, role: str) -> str:
    """A text with the class of its role."""
    return f'<span class="{role}">{text}</span>' if role and text.strip() else text


def linked(page: Page, address: str, text: str) -> str:
    """A link to the place of an address, where the article has one; else the address as a hint."""
    if address in page.targets:
        return f'<a href="#{page.place(address)}">{text}</a>'
    return f'<span title="{escaped(address)}">{text}</span>' if address else text


def _histogram(histogram: Histogram) -> str:
    top = max(histogram.counts, default=0)
    if not top:
        return ""
    bins = "".join(f'<i style="height:{100 * count / top:.0f}%"></i>' for count in histogram.counts)
    return f'<span class="histogram" role="img" aria-label="{", ".join(map(str, histogram.counts))}">{bins}</span>'
