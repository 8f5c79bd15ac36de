"""What a tokenizer knows: how many tokens, some of them, and which are special."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llmtrace.display import asked
from llmtrace.errors import PromptError
from llmtrace.i18n import _
from llmtrace.tokenizers.vocabulary import FromVocabulary
from llmtrace.views.document import (
    Block,
    Column,
    Document,
    Heading,
    Space,
    Table,
    Token,
    heading,
    paragraph,
    quiet,
    said,
)

FEW = 10


def view(tokenizer: FromVocabulary) -> Document:
    """How many tokens there are, the first and the longest of them, and the special ones."""
    tokens = _tokens(tokenizer)
    facts = {"kind": type(tokenizer).__name__, "size": len(tokenizer), "special": _special(tokenizer), "tokens": tokens}
    return Document(tuple(_blocks(tokenizer, tokens)), facts)


def _tokens(tokenizer: FromVocabulary) -> dict[int, str]:
    found = {}
    for index in range(len(tokenizer)):
        try:
            found[index] = tokenizer.token(index)
        except PromptError:  # ids may have gaps
            continue
    return found


def _special(tokenizer: FromVocabulary) -> Mapping[str, int]:
    return {name: index for kind in ("added", "special") for name, index in getattr(tokenizer, kind, {}).items()}


def _blocks(tokenizer: FromVocabulary, tokens: dict[int, str]) -> Iterator[Block]:
    text = _("{kind}: a tokenizer with {count} tokens")
    yield Heading((said(text, "heading", kind=type(tokenizer).__name__, count=f"{len(tokens):,}"),), 1)
    special = _special(tokenizer)
    ordinary = [index for index in tokens if index not in set(special.values())]
    longest = sorted(ordinary, key=lambda index: (-len(tokens[index]), index))[:FEW]
    for title, few in (
        (_("The first tokens"), ordinary[:FEW]),
        (_("The longest tokens"), longest),
        (_("Special tokens, which stand for no text of their own"), sorted(special.values())[:FEW]),
    ):
        if few:
            yield Space()
            yield Heading((heading(title),))
            yield _table(tokens, few)
    hint = asked('llmtrace tokenize "…"', "tokenizer.explain(text)")
    yield paragraph(quiet(_("How a text becomes tokens: {hint}", hint=hint)), hang=0)


def _table(tokens: dict[int, str], few: list[int]) -> Table:
    return Table(
        (
            Column(_("id"), tuple(map(str, few)), "right", role="quiet"),
            Column(_("token"), tuple(Token(tokens[index], most=40) for index in few), role="name"),
        )
    )
