"""An Explanation at full precision, as plain text that anyone can read back and do again, to the same bits.

Every number is the shortest decimal that reads back to the same bits of its type (`nan`, `inf`, `-inf` where there is
none). One thing stands on a line; indentation means nothing. The grammar:

    text        = { explanation }                 the number that was asked for first, then those it came from
    explanation = "explain" address type          type: float32 or float64, of all numbers and their arithmetic
                  { line }
                  "done" address "=" number       the explained number: the value of the last line, bit for bit
    line        = operation name count            name in quotes, as JSON writes text
                  { place ":" work }              count times; place: 0, 1, 2 …
                  [ "value" name "=" number ]     for a line that gives one number
    work        = operand "=" number                      a function of one number: take, masked, negate, root, exp …
                | operand sign operand "=" number         sign: + - * / (a comma for look_up)
                | operand "," operand "," operand "," operand "=" number      above
                | operand "total" number                  sum:  total = total + operand
                | operand "*" operand "=" number "total" number
                                                          dot:  total = total + (operand * operand)
                | operand                                 maximum, argmax
                | operand "," operand                     ahead: the second operand is a place of the row
                | operand "," operand "," operand "=" number
                                                          keep: the first operand, or -inf
                | operand "total" number "," operand      first_above: total = total + operand; the limit
    operand     = what number
    what        = address | "<" name [ "[" place "]" ] ">" | "{" text "}"
    address     = an element in quotes, as JSON writes text: "block.0.attn.q[head=2, position=4, feature=1]"

`<name>` is the value of an earlier line, `<name[5]>` its place 5 where it gave a row; `{text}` is a constant. A total
starts at +0, and the last total is the line's value. Each operation rounds once, to nearest, ties to even: `+ - * /`
and `root` are IEEE 754; `exp log tanh erf sin cos` are correctly rounded; `relu` is x where x > 0 and else 0; `negate` is -x;
`absolute` is x without its sign; `above` is its third operand where the first is larger than the second, else its fourth
(NaN where one of the first two is);
`maximum` is the largest, `argmax` the place of the first largest, a whole number. `ahead` is how many numbers of the row
are larger than the one at the place, or equal and before it (a NaN counts as larger than everything). `keep` is -inf where
the second operand has reached the third. `first_above` is the first place where the total is above the limit; where there
is none, the last number above 0, or the last. `look_up` gives its second operand,
read from the row that the first one numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace.arithmetic.bits import exact
from llmtrace.arithmetic.lines import Constant, Elements, Line, Operand
from llmtrace.arithmetic.operations import DOTS, SUMS
from llmtrace.explain import Explanation
from llmtrace.text import inert

_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "look_up": ",", "above": ",", "keep": ","}


def exact_text(explanation: Explanation) -> str:
    """The explanation and its children, replayed, then written by the grammar at the top of llmtrace/explain/exact_text.py.

    In short: `explain ADDRESS TYPE`, for every line `OPERATION NAME COUNT` with as many rows of `operand sign operand =
    result` (and the running total, for a sum) and its `value`, then `done ADDRESS = VALUE`.
    """
    explanation.replay()
    return "".join(f"{line}\n" for line in _explanation(explanation, ""))


def _explanation(explanation: Explanation, space: str) -> Iterator[str]:
    address = _quoted(explanation.address)
    yield f"{space}explain {address} {_type(explanation)}"
    for line in explanation.lines:
        yield from (f"{space}  {text}" for text in _line(line))
    yield f"{space}done {address} = {exact(explanation.value)}"
    for child in explanation.children:
        yield from _explanation(child, space + "  ")


def _type(explanation: Explanation) -> str:
    kinds = [operand.values.dtype for line in explanation.lines for operand in line.operands]
    return str(next((kind for kind in kinds if kind.kind == "f"), np.asarray(explanation.value).dtype))


def _line(line: Line) -> Iterator[str]:
    rows = [operand.values.size for operand in line.operands if operand.values.ndim]
    count = max(rows, default=1)
    yield f"{line.operation} {_quoted(line.name)} {count}"
    if line.operation in SUMS or line.operation == "first_above":
        terms, totals = line.terms(), line.totals()
    if line.start is not None:
        yield f"  from {_operand(line.start, 0)}"
    for i in range(count):
        operands = [_operand(operand, i) for operand in line.operands]
        if line.operation in SUMS - DOTS:
            yield f"  {i}: {operands[0]} total {exact(totals[i])}"
        elif line.operation in DOTS:
            yield f"  {i}: {operands[0]} * {operands[1]} = {exact(terms[i])} total {exact(totals[i])}"
        elif line.operation == "first_above":
            yield f"  {i}: {operands[0]} total {exact(totals[i])} , {operands[1]}"
        elif line.operation in {"maximum", "argmax", "ahead"}:
            yield f"  {i}: {' , '.join(operands)}"
        else:
            result = line.values[i] if line.values.ndim else line.values
            yield f"  {i}: {f' {_SIGNS.get(line.operation)} '.join(operands)} = {exact(result)}"
    if not line.values.ndim:
        yield f"value {_quoted(line.name)} = {exact(line.values)}"


def _operand(operand: Operand, i: int) -> str:
    number: Any = operand.values[i] if operand.values.ndim else operand.values
    if isinstance(operand, Elements):
        what = _quoted(operand.address(i))
    elif isinstance(operand, Constant):
        what = f"{{{inert(operand.text)}}}"
    else:
        what = f"<{_quoted(operand.line)}[{i}]>" if operand.values.ndim else f"<{_quoted(operand.line)}>"
    return f"{what} {exact(number)}"


def _quoted(text: str) -> str:
    return inert(json.dumps(text, ensure_ascii=False))
