"""The lines of an Explanation as worked calculations: `mean = sum ÷ C = 1.234 ÷ 48 = 0.02572`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from llmtrace.arithmetic.lines import Constant, Elements, Line, Operand
from llmtrace.arithmetic.operations import DOTS, OPERATIONS, SUMS
from llmtrace.i18n import _, n_
from llmtrace.views.agreement import BY_CALCULATOR, MOST, agrees, operand_numbers, operands_for, row_operands
from llmtrace.views.document import Block, Calculation, Examples, Inline, Number, Text, label, quiet, said
from llmtrace.views.numbers import DIGITS, number, numbers, rounded
from llmtrace.views.operand_names import Names
from llmtrace.views.running_sum import running_sum

_BINARY = {"add", "subtract", "multiply", "divide"}
_CHOICES = {"maximum", "argmax", "ahead"}


def calculations(lines: tuple[Line, ...], names: Names, count: int, every: bool = False) -> list[Block]:
    """All lines of one explanation. `count` numbers of a row are shown; of several rows fewer each; or `every` one."""
    rows = sum(1 for line in lines if line.operation in SUMS or line.values.ndim)
    count = count if rows < 2 else max(1, count // 2)
    vectors = [line.values for line in lines if line.values.ndim]
    places = _largest(vectors[-1], count) if vectors else []  # the same places in every row
    return [block for line in lines for block in _Worked(line, names, count, every, places).blocks()]


def folds(lines: tuple[Line, ...], count: int, every: bool = False) -> bool:
    """Whether something is left out of the lines."""
    rows = [o.values.size for line in lines for o in line.operands if o.values.ndim]
    return not every and max(rows, default=0) > (count if len(rows) < 2 else max(1, count // 2))


class _Worked:
    """One line, with how much of it is shown; `places` are the examples of a row."""

    def __init__(self, line: Line, names: Names, count: int, every: bool, places: list[int]) -> None:
        self.line, self.names, self.count, self.every, self.places = line, names, count, every, places

    def blocks(self) -> Iterator[Block]:
        """What is seen of it."""
        line = self.line
        if line.operation in SUMS:
            yield self._sum_title()
            yield running_sum(line, self.names, self.count, self.every)
        elif line.operation in _CHOICES:
            yield self._choice_title()
            yield self._row_of_choice()
        elif line.operation == "keep":
            yield self._keep()
        elif line.operation == "first_above":
            yield from self._first_above()
        elif line.values.ndim:
            yield self._row_title()
            yield self._row()
        else:
            yield self._scalar()

    # ---- one number ----------------------------------------------------------------------------------------------------

    def _scalar(self) -> Calculation:
        """One operation on single numbers: in letters, in numbers, and what it gives."""
        line, letters = self.line, self._letters(self.line.operands)
        if line.operation == "masked":
            why = _("a token can't look at tokens that come after it, so nothing is computed here")
            return self._done(said=(f"{label('')}{why}",))
        if line.operation == "take":
            return self._done((letters[0],), said=(_(" (passed on as it is)"),))
        if line.operation == "look_up":
            row = rounded(line.operands[0].values)
            table, bracket, _place = letters[1].partition("[")
            if bracket:  # one number of a row that other lines use too
                return self._done((f"{table}[{letters[0]}] = {letters[1]}",))
            return self._done((_("row {row} of the table {table}", row=row, table=table),))
        digits = _significant_digits(line)
        operands, exact = _operands(line, digits)
        written = _written(line, letters)
        if _text(written) == self.names.line(line.name):
            written = ()
        done = self._done(written, _written(line, operands), digits=digits)
        return done if exact else replace(done, sign="≈")

    def _done(
        self,
        letters: tuple[Inline, ...] = (),
        work: tuple[Inline, ...] = (),
        said: tuple[Inline, ...] = (),
        digits: int = DIGITS,
    ) -> Calculation:
        last = self.line.name == "out"
        result = number(self.line.values[()], digits, "value" if last else "number", self.names.address if last else "")
        return Calculation(self.names.line(self.line.name), letters, work, result, said)

    def _letters(self, operands: Sequence[Operand]) -> list[str]:
        return [self.names.of(operand) for operand in operands]

    def _keep(self) -> Calculation:
        """What becomes of one number: `result = x = 1.5   stays in play: ahead = 2 is less than k = 40`."""
        own, *others = self.line.operands
        kept = not others[0].values >= others[1].values
        text = _("stays in play: {a} is less than {b}") if kept else _("is left out: {a} is not less than {b}")
        a, b = (self._named(operand) for operand in others)
        done = self._done((self.names.of(own),) if kept else (), said=("   ", said(text, "quiet", a=a, b=b)))
        return replace(done, result=replace(done.result, role="value")) if done.result else done

    def _named(self, operand: Operand) -> Inline:
        """`k = 40`; only the number where that is its name."""
        name, found = self.names.of(operand), _operand(operand)
        return found if name == found.text else said("{name} = {number}", name=name, number=found)

    # ---- rows ----------------------------------------------------------------------------------------------------------

    def _sum_title(self) -> Calculation:
        line, count = self.line, self.line.operands[0].values.size
        if line.operation in DOTS:
            what = n_("{count} product", "{count} products, added in order", count, count=f"{count:,}")
        else:
            what = n_("{count} number", "{count} numbers, added in order", count, count=f"{count:,}")
        begin = "" if line.start is None else f"{self.names.of(line.start)} + "
        letters = f"{begin}Σ {' × '.join(self._letters(line.rows))}"
        return self._done((letters,), said=(quiet(f"   {what}"),))

    def _choice_title(self) -> Calculation:
        line, names = self.line, self.names
        letter, count = names.of(line.operands[0]), f"{line.operands[0].values.size:,}"
        if line.operation == "ahead":
            text = _(
                "so many of {count} numbers {a} come before it, in order from the largest on", count=count, a=letter
            )
            done = self._done(said=(quiet(f"   {text}"),))
            return replace(done, result=replace(done.result, role="number")) if done.result else done
        place = int(np.argmax(line.operands[0].values))
        number = names.place(names.origin(line), place)
        token = names.label(names.origin(line), place).removeprefix(number)
        text = _("the largest of {count} numbers {a} is number {place}{token}")
        if line.operation == "maximum":
            text = _("the largest of {count} numbers {a}, number {place}{token}")
        what = text.format(count=count, a=letter, place=number, token=token)
        return self._done(said=(quiet(f"   {what}"),))

    def _row_title(self) -> Calculation:
        size, written = self.line.values.size, _written(self.line, self._letters(self.line.operands))
        text = _("for each of {count} numbers", count=f"{size:,}")
        if size > self.count and not self.every:
            text = _("for each of {count} numbers, such as:", count=f"{size:,}")
        return Calculation(self.names.line(self.line.name), written, said=(quiet(f"   {text}"),))

    def _shown(self, row: Any) -> list[int]:
        """Which elements of a row are shown: those at `places`, if these fit, or the largest."""
        if self.every:
            return list(range(row.size))
        places = [] if self.line.operation == "ahead" else self.places
        return [i for i in places if i < row.size] or self.line.largest(self.count)

    def _row_of_choice(self) -> Examples:
        """The numbers that were chosen from."""
        operand = self.line.operands[0]
        shown = self._shown(operand.values)
        return self._examples(shown, [(each,) for each in operand_numbers(operand, shown)])

    def _row(self) -> Examples:
        """What is done with some elements of a row."""
        line, row = self.line, self.line.values
        shown = self._shown(row)
        results = numbers(row[shown])
        columns = partial(row_operands, line, shown)
        if line.operation not in BY_CALCULATOR:
            rows = zip(*columns(DIGITS), strict=True)
            return self._examples(
                shown, [(*_written(line, each), " = ", r) for each, r in zip(rows, results, strict=True)]
            )
        work = []
        for *operands, result in zip(*operands_for(line.operation, columns, results), results, strict=True):
            exact = agrees(line.operation, [each.text for each in operands], result.text)
            work.append((*_written(line, operands), " = " if exact else " ≈ ", result))
        return self._examples(shown, work)

    def _examples(self, shown: list[int], work: Sequence[tuple[Inline, ...]]) -> Examples:
        labels = [self.names.label(self.names.origin(self.line), i) for i in shown]
        return Examples(tuple(zip(labels, work, strict=True)))

    def _first_above(self) -> Iterator[Block]:
        """The running total of a row up to the place where it is above a limit."""
        line, names = self.line, self.names
        row, limit = line.operands
        place = int(line.values)
        text = _("the first place where the running total of {a} is above {b} = {limit}: {where}")
        where = names.label(names.origin(line), place)
        what = said(text, "quiet", a=names.of(row), b=names.of(limit), limit=_operand(limit), where=where)
        done = self._done(said=("   ", what))
        yield replace(done, result=replace(done.result, role="value")) if done.result else done
        if isinstance(row, Elements):
            upto = np.arange(place + 1)
            index = tuple(part[upto] if isinstance(part, np.ndarray) else part for part in row.index)
            cut = replace(row, index=index, values=row.values[upto])
            total = np.asarray(row.values[upto].sum())  # not shown: what is shown is added up in order
            yield running_sum(Line(line.name, "sum", (cut,), total), names, self.count, self.every, (place,))


# ---- operations in letters and numbers ------------------------------------------------------------------------------


def _written(line: Line, operands: Sequence[Any]) -> tuple[Inline, ...]:
    """The operation of a line on its operands, as it is written: `(a + b) × c`."""
    operation = line.operation
    symbol = OPERATIONS[operation].symbol
    if operation in _BINARY:
        left, right = (("(", each, ")") if _is_formula(_text((each,))) else (each,) for each in operands)
        if _text(right).startswith("−"):
            right = ("(", *right, ")")
        return (*left, f" {symbol} ", *right)
    if operation == "above":
        text = _("({then} if {x} > {limit}, else {otherwise})")
        if isinstance(line.operands[0], Constant):  # `weight < 0` rather than `0 > weight`
            text = _("({then} if {limit} < {x}, else {otherwise})")
        return (said(text, **dict(zip(("x", "limit", "then", "otherwise"), operands, strict=True))),)
    if operation == "absolute":
        return ("|", operands[0], "|")
    return (f"{symbol}(", operands[0], ")")


def _text(inlines: tuple[Inline, ...]) -> str:
    texts = (
        each if isinstance(each, str) else each.text if isinstance(each, Number | Text) else "" for each in inlines
    )
    return "".join(texts)


def _is_formula(text: str) -> bool:
    return any(f" {sign} " in text for sign in "+−×÷·")


def _significant_digits(line: Line) -> int:
    """So many digits that a sum is not shown as one of its terms: a weight changes by little in one step."""
    if line.operation in {"add", "subtract"} and all(np.isfinite(o.values) and o.values for o in line.operands):
        for digits in range(DIGITS, 10):
            total = rounded(line.values, digits).lstrip("−")
            if all(total != rounded(o.values, digits).lstrip("−") for o in line.operands):
                return digits
    return DIGITS


def _operands(line: Line, least: int = DIGITS) -> tuple[list[Number], bool]:
    """The operands with as many digits as a calculator needs to get the result that is shown, and whether it gets it."""

    def shown(digits: int) -> list[Number]:
        return [_operand(o, max(digits, 6) if isinstance(o, Constant) else digits) for o in line.operands]

    if line.operation not in BY_CALCULATOR:
        return shown(DIGITS), True
    result = rounded(line.values, least)
    for digits in range(least, MOST):
        if agrees(line.operation, [each.text for each in shown(digits)], result, 0.5):
            return shown(digits), True
    full = 9 if line.values.dtype == np.float32 else 17
    return shown(full), agrees(line.operation, [each.text for each in shown(full)], result)


def _operand(operand: Operand, digits: int = DIGITS) -> Number:
    return number(operand.values[()], digits, address=operand.address() if isinstance(operand, Elements) else "")


def _largest(row: Any, count: int) -> list[int]:
    order = np.argsort(-np.nan_to_num(np.abs(row), nan=np.inf), kind="stable")
    return sorted(int(i) for i in order[:count])
