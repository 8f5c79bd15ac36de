"""A running sum in a terminal: its rows under each other where there is room, one sentence each where there is not."""

from __future__ import annotations

from rich.cells import cell_len

from llmtrace.frozen import frozen
from llmtrace.i18n import _, clauses
from llmtrace.render.terminal.layout import Hanging, Page
from llmtrace.render.terminal.words import Drawn, aligned, hanging
from llmtrace.views.document import Fold, Number, Phrase, RunningSum, Start, Term, label, name, quiet, said


def running_sum(block: RunningSum, page: Page) -> Drawn:
    """A title, then a line for each term and each stretch of terms."""
    yield from _Rows(block, page).lines()


@frozen
class _Row:
    """The texts of a row: its place, its numbers, the running total. Of a fold: how many terms, and both totals."""

    kind: str
    cells: list[str]


class _Rows:
    def __init__(self, block: RunningSum, page: Page) -> None:
        self.page, self.signs = page, ["×", "=", ""] if block.products else [""]
        totals = [each.text for row in block.rows for each in _totals(row)]
        self.total = max(map(len, totals), default=0)
        rows = [[each.text for each in row.factors] for row in block.rows if isinstance(row, Term)]
        columns = [aligned(column, bool(n)) for n, column in enumerate(zip(*rows, strict=True))]
        self.factors = iter(list(zip(*columns, strict=True)))
        products = [_("product")] if block.products else []
        heads = [block.axis, *block.operands, *products, _("total so far")]
        self.rows = [_Row("head", [page.plain(text) for text in heads]), *map(self._row, block.rows)]

    def _row(self, row: Start | Term | Fold) -> _Row:
        if isinstance(row, Start):
            cells = [row.name, _("the sum goes on from"), row.total.text]
        elif isinstance(row, Fold):
            count = _("{count} terms", count=f"{row.count:,}")
            cells = [f"{row.first} – {row.last}", count, f"{row.before.text} → {row.after.text}"]
        else:
            sums = (each.text.rjust(self.total) for each in (row.added, row.total))
            cells = [row.place, *next(self.factors, ()), *sums]
        return _Row("term" if isinstance(row, Term) else "fold", [self.page.plain(text) for text in cells])

    def lines(self) -> Drawn:
        label = max(cell_len(row.cells[0]) for row in self.rows)
        whole = [row.cells[1:] for row in self.rows if row.kind != "fold"]
        sizes = [max(map(cell_len, cells)) for cells in zip(*whole, strict=True)]
        between = sum(3 if sign else 2 for sign in self.signs)
        folds = [cell_len(row.cells[1]) + 1 + cell_len(row.cells[2]) for row in self.rows if row.kind == "fold"]
        room = max([sum(sizes) + between, *folds])
        sizes[-1] += room - sum(sizes) - between
        for row in self.rows:
            fits = 2 + label + 2 + room <= self.page.width
            if fits:
                yield self._aligned(row, label, sizes)
            elif row.kind != "head":
                yield self._sentence(row)

    def _aligned(self, row: _Row, label: int, sizes: list[int]) -> Hanging:
        between = [f" {sign} " if sign else "  " for sign in self.signs]
        first, cells = _right(row.cells[0], label), row.cells
        if row.kind == "fold":
            room = sum(sizes) + sum(map(len, between)) - cell_len(cells[1])
            return hanging(self.page, quiet(f"{first}  {cells[1]}{_right(cells[2], room)}"), indent=2)
        padded = [_right(text, size) for text, size in zip(cells[1:], sizes, strict=True)]
        if row.kind == "head":
            return hanging(
                self.page, quiet(f"{first}  {_joined(padded, [' ' * len(gap) for gap in between])}"), indent=2
            )
        calculation = _joined([*padded[:-1], ""], between)
        return hanging(self.page, name(first), f"  {calculation}", Phrase((padded[-1],), "total"), indent=2)

    def _sentence(self, row: _Row) -> Hanging:
        cells = [text.strip() for text in row.cells]
        if row.kind == "fold":
            return hanging(self.page, quiet(label(cells[0]) + clauses(cells[1:])), indent=2, hang=4)
        between = [f" {sign} " if sign else "" for sign in self.signs]
        calculation = _joined(cells[1:-1], between[:-1])
        total = Phrase((_("total so far {total}", total=cells[-1]),), "total")
        work = said(_("{before}, {after}"), before=label("") + calculation, after=total)
        return hanging(self.page, name(cells[0]), work, indent=2, hang=4)


def _totals(row: Start | Term | Fold) -> tuple[Number, ...]:
    """What is added up, and totals: they have the same number of decimals, and stand under each other."""
    if isinstance(row, Term):
        return (row.added, row.total)
    return (row.total,) if isinstance(row, Start) else (row.before, row.after)


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text


def _joined(texts: list[str], between: list[str]) -> str:
    return "".join(text + gap for text, gap in zip(texts, [*between, ""], strict=True))
