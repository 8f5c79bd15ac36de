"""How a text became tokens, on a page: the pieces it was cut into, their bytes, each merge, the ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult

from llmtrace.i18n import _, n_
from llmtrace.render.notebook import View
from llmtrace.render.terminal.layout import NAME, QUIET, VALUE, Page
from llmtrace.text import quoted
from llmtrace.tokenizers import Piece, Tokenization
from llmtrace.views.numbers import column, rounded

FEW_PIECES, FEW_MERGES = 12, 12


def view(tokenization: Tokenization, *, every: bool = False, count: int = 6) -> TokenizationView:
    """The tokenization as Rich prints it, replayed first; `every`: all pieces and all merges."""
    tokenization.replay()
    return TokenizationView(tokenization, every)


@dataclass(frozen=True)
class TokenizationView(View):
    """A Tokenization that Rich can print."""

    tokenization: Tokenization
    every: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Pieces, merges and tokens, and the ids."""
        return {**self.tokenization.to_dict(), "ids": self.tokenization.ids}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page, whole = Page.of(options), self.tokenization
        merged = any(piece.merges for piece in whole.different)
        yield page.line((quoted(whole.text, 3 * page.width), NAME))
        characters, tokens, pieces = len(whole.text), len(whole.ids), len(whole.order)
        counts = _(
            "{characters} become {tokens}, in {pieces}.",
            characters=n_("{n} character", "{n} characters", characters, n=characters),
            tokens=n_("{n} token", "{n} tokens", tokens, n=tokens),
            pieces=n_("{n} piece", "{n} pieces", pieces, n=pieces),
        )
        yield page.line(counts)
        if merged:
            yield page.line(
                _(
                    "Each piece begins as its single bytes (Ġ stands for a space). Then the two neighbours that were learned"
                    " first are joined into one, again and again, until no pair that was learned is left."
                ),
                hang=0,
            )
        if any(piece.partings for piece in whole.different):
            yield page.line(
                _(
                    "Each word (▁ stands for a space) is parted so that its score is largest: the sum of the scores of its"
                    " parts, which are the logarithms of their probabilities."
                ),
                hang=0,
            )
        shown = whole.different if self.every else whole.different[:FEW_PIECES]
        for piece in shown:
            yield page.text()
            yield from self._piece(piece, page)
        left = len(whole.different) - len(shown)
        if left:
            yield page.text()
            yield page.line((_("… and {count} more different pieces: --all shows them", count=left), QUIET))
        yield page.text()
        yield page.line((_("ids: "), QUIET), (self._ids(page), VALUE))
        yield page.line((_("✓ done again: the same tokens"), QUIET))

    def _piece(self, piece: Piece, page: Page) -> Iterator[ConsoleRenderable]:
        yield page.line((quoted(piece.text, page.width), NAME))
        if piece.data != piece.text.encode("utf-8", "replace") or not piece.text.isascii():
            shown = " ".join(f"{byte:02x}" for byte in piece.data[:FEW_MERGES])
            more = " …" if len(piece.data) > FEW_MERGES else ""
            yield page.line((_("bytes: "), QUIET), shown + more, indent=2)
        if piece.merges:
            yield page.line(" ".join(piece.symbols[: page.width]), indent=2)
        states = piece.states()
        for number, merge in enumerate(piece.merges):
            symbols = next(states)
            if not self.every and FEW_MERGES - 1 <= number < len(piece.merges) - 1:
                if number == FEW_MERGES - 1:
                    count = len(piece.merges) - FEW_MERGES
                    yield page.line((_("… {count} more merges: --all shows them", count=count), QUIET), indent=2)
                continue
            rule = _("merge {rank}: {left} + {right}", rank=merge.rank, left=merge.left, right=merge.right)
            yield page.line(" ".join(symbols), (f"   {rule}", QUIET), indent=2)
        for number, parting in enumerate(piece.partings):
            parts = " | ".join(parting.parts[: page.width])
            few = 1 < len(parting.parts) <= FEW_PIECES
            sum_of = " + ".join(text.strip() for text in column(parting.scores)) if few else ""
            score = f"{sum_of} = {rounded(np.float64(parting.score))}".removeprefix(" = ")
            best = _("score: {score}") if number == 0 else _("next best score: {score}")
            yield page.line(parts, (f"   {best.format(score=score)}", QUIET), indent=2)
        for token in piece.tokens if self.every else piece.tokens[:FEW_PIECES]:
            yield page.line("→ ", (str(token.id), VALUE), f"  {quoted(token.text, 40)}", indent=2)
        if not self.every and len(piece.tokens) > FEW_PIECES:
            yield page.line(_("… {count} tokens in all", count=len(piece.tokens)), indent=2)

    def _ids(self, page: Page) -> str:
        ids = self.tokenization.ids
        few = ids if self.every or len(ids) <= 200 else ids[:200]
        return " ".join(map(str, few)) + (" …" if len(few) < len(ids) else "")
