"""How a text became tokens: the pieces it was cut into, their bytes, each merge, the ids."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from llmtrace.display import asked_option
from llmtrace.i18n import _, n_
from llmtrace.tokenizers import Piece, Tokenization
from llmtrace.tokenizers.byte_symbols import SPACE
from llmtrace.tokenizers.tokenization import Parting
from llmtrace.views.document import (
    Block,
    Document,
    Heading,
    Inline,
    Phrase,
    Run,
    Space,
    Token,
    paragraph,
    quiet,
    said,
    value,
)
from llmtrace.views.numbers import number, numbers

FEW_PIECES, FEW_MERGES, FEW_IDS = 12, 12, 200


def view(tokenization: Tokenization, *, every: bool = False, count: int = 6) -> Document:
    """The tokenization, replayed first; `every`: all pieces and all merges."""
    tokenization.replay()
    facts = {**tokenization.to_dict(), "ids": tokenization.ids}
    return Document(tuple(_blocks(tokenization, every)), facts)


def _blocks(whole: Tokenization, every: bool) -> Iterator[Block]:
    yield Heading((Token(whole.text, "name", lines=3),), 1)
    characters, tokens, pieces = len(whole.text), len(whole.ids), len(whole.order)
    yield paragraph(
        n_(
            "{characters} becomes {tokens}, in {pieces}.",
            "{characters} become {tokens}, in {pieces}.",
            characters,
            characters=n_("{n} character", "{n} characters", characters, n=characters),
            tokens=n_("{n} token", "{n} tokens", tokens, n=tokens),
            pieces=n_("{n} piece", "{n} pieces", pieces, n=pieces),
        )
    )
    if any(piece.merges for piece in whole.different):
        if any(SPACE in piece.symbols for piece in whole.different):
            begins = _("Each piece begins as its single characters (▁ stands for a space).")
        else:
            begins = _("Each piece begins as its single bytes (Ġ stands for a space).")
        joined = _(
            "Then the two neighbours that were learned first are joined into one, again and again, until no pair that was"
            " learned is left."
        )
        yield paragraph(_("{before} {after}", before=begins, after=joined), hang=0)
    if any(piece.partings for piece in whole.different):
        yield paragraph(
            _(
                "Each word (▁ stands for a space) is parted so that its score is largest: the sum of the scores of its"
                " parts, which are the logarithms of their probabilities."
            ),
            hang=0,
        )
    shown = whole.different if every else whole.different[:FEW_PIECES]
    for piece in shown:
        yield Space()
        yield from _piece(piece, every)
    if left := len(whole.different) - len(shown):
        yield Space()
        yield paragraph(
            quiet(
                _(
                    "… and {count} more different pieces: {every} shows them",
                    count=left,
                    every=_every(),
                )
            )
        )
    yield Space()
    few = whole.ids if every or len(whole.ids) <= FEW_IDS else whole.ids[:FEW_IDS]
    ids = " ".join(map(str, few)) + (" …" if len(few) < len(whole.ids) else "")
    yield paragraph(quiet(_("ids: ")), value(ids))
    yield paragraph(quiet(_("✓ done again: the same tokens")))


def _piece(piece: Piece, every: bool) -> Iterator[Block]:
    if piece.is_framing:
        yield Heading((Token("".join(piece.symbols), "name", lines=1),))
        yield paragraph(_("not in the text: the tokenizer puts it around every text"), indent=2)
        yield from _tokens(piece, every)
        return
    yield Heading((Token(piece.text, "name", lines=1),))
    if not piece.tokens:
        yield paragraph(_("left out, as the tokenizer's rule of cutting says"), indent=2)
        return
    if piece.data != piece.text.encode("utf-8", "replace") or not piece.text.isascii():
        shown = " ".join(f"{byte:02x}" for byte in piece.data[:FEW_MERGES])
        more = " …" if len(piece.data) > FEW_MERGES else ""
        yield paragraph(quiet(_("bytes: ")), shown + more, indent=2)
    if piece.merges:
        yield paragraph(Run(tuple(piece.symbols)), indent=2)
    yield from _merges(piece, every)
    for rank, parting in enumerate(piece.partings):
        yield _parting(parting, rank)
    yield from _tokens(piece, every)


def _tokens(piece: Piece, every: bool) -> Iterator[Block]:
    """What a piece has become."""
    for token in piece.tokens if every else piece.tokens[:FEW_PIECES]:
        yield paragraph("→ ", value(str(token.id)), "  ", Token(token.text, most=40), indent=2)
    if not every and len(piece.tokens) > FEW_PIECES:
        yield paragraph(_("… {count} tokens in all", count=len(piece.tokens)), indent=2)


def _merges(piece: Piece, every: bool) -> Iterator[Block]:
    """What a piece looks like after each merge."""
    last = len(piece.merges) - 1
    shown = [done for done in range(last + 1) if every or done < FEW_MERGES - 1 or done == last]
    states, left = piece.states({*shown}), last + 1 - len(shown)
    for done in shown:
        if left and done == last:
            yield paragraph(quiet(_("… {count} more merges: {every} shows them", count=left, every=_every())), indent=2)
        symbols, merge = next(states), piece.merges[done]
        rule = _("merge {rank}: {left} + {right}", rank=merge.rank, left=merge.left, right=merge.right)
        yield paragraph(" ".join(symbols), quiet(f"   {rule}"), indent=2)


def _parting(parting: Parting, rank: int) -> Block:
    """One way to part a word, and how its score is made."""
    total = number(np.float64(parting.score))
    score: list[Inline] = [total]
    if 1 < len(parting.parts) <= FEW_PIECES:
        score = []
        for each in numbers(parting.scores):
            below = score and each.text.startswith("−")
            score += [" + (" if below else " + " if score else "", each, ")" if below else ""]
        score += [" = ", total]
    text = _("score: {score}") if rank == 0 else _("next best score: {score}")
    best = said(text, score=Phrase(tuple(score)))
    return paragraph(Run(tuple(parting.parts), " | "), Phrase(("   ", best), "quiet"), indent=2)


def _every() -> str:
    """How all is asked for."""
    return asked_option("all", "every")
