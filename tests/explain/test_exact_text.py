"""The exact text, read back by a reader that knows only its grammar, and the plain data of an explanation."""

import io
import json
import re

import numpy as np
import pytest
from helpers.printing import printed
from helpers.small_models import ADDRESSES, small_gpt
from rich.console import Console

from llmtrace.arithmetic.lines import Result
from llmtrace.explain import Explanation
from llmtrace.explain.exact_text import exact_text
from llmtrace.models import Sampling
from llmtrace.ops import OPS
from llmtrace.render import show
from llmtrace.trace import Run, Trace


@pytest.fixture(scope="module")
def trace():
    return small_gpt().trace("CBABBC")


OPERAND = r'(?:("(?:[^"\\]|\\.)*")|<([^>]*)>|\{([^}]*)\}) (\S+)'
FUNCTIONS = {"take": lambda x: x, "masked": lambda x: x, "negate": lambda x: -x, "root": np.sqrt}
FUNCTIONS |= {"exp": np.exp, "tanh": np.tanh, "log": np.log}
TWO = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide}


def number(text, real):
    """A number as it is written: one without a point is a whole one."""
    return np.int64(text) if re.fullmatch(r"-?\d+", text) else real(text)


def again(operation, numbers, real):
    """One operation on numbers of one type: functions are evaluated in double precision and rounded once."""
    if operation == "look_up":
        return numbers[1]
    if operation == "keep":
        return real(-np.inf) if numbers[1] >= numbers[2] else numbers[0]
    if operation in TWO:
        return TWO[operation](*numbers)
    return real(FUNCTIONS[operation](np.float64(numbers[0]))) if operation != "root" else np.sqrt(numbers[0])


def ahead(row):
    """How many numbers come before the one at the place that stands beside each, from the largest on."""
    numbers, place = [x for x, _place in row], row[0][1]
    return np.int64(sum(x > numbers[place] or (x == numbers[place] and i < place) for i, x in enumerate(numbers)))


class Reader:
    """Reads the exact text line by line and does all of it again, comparing bits."""

    def __init__(self, text):
        self.lines = [line.strip() for line in text.splitlines()]
        self.values = {}
        self.terms = 0

    def read(self):
        while self.lines:
            address, kind = re.fullmatch(r"explain (\S.*) (\w+)", self.lines.pop(0)).groups()
            self.real, self.values, value = getattr(np, kind), {}, None
            while not self.lines[0].startswith("done"):
                value = self.line(*re.fullmatch(r'(\w+) (".*") (\d+)', self.lines.pop(0)).groups())
            done = re.fullmatch(r"done (\S.*) = (\S+)", self.lines.pop(0))
            assert done[1] == address
            assert value is None or same(value, number(done[2], self.real))

    def operands(self, work):
        numbers = []
        for _address, line, _constant, text in re.findall(OPERAND, work):
            numbers.append(number(text, self.real))
            if line:
                name, place = re.fullmatch(r'(".*?")(?:\[(\d+)\])?', line).groups()
                known = self.values[name]
                assert same(known if place is None else known[int(place)], numbers[-1])
        return numbers

    def line(self, operation, name, count):
        total, row = self.real(0), []
        for i in range(int(count)):
            place, work = self.lines.pop(0).split(": ", 1)
            assert int(place) == i
            self.terms += 1
            if operation in {"sum", "dot"}:
                total = total + self.term(operation, work)
                assert same(total, self.real(work.rpartition(" total ")[2]))
            elif operation == "first_above":
                work, limit = work.rsplit(" , ", 1)
                total = total + self.term("sum", work)
                assert same(total, self.real(work.rpartition(" total ")[2]))
                row.append(total > self.operands(limit)[0])
            elif operation == "ahead":
                row.append(self.operands(work))
            elif operation in {"maximum", "argmax"}:
                row += self.operands(work)
            else:
                work, _equals, result = work.rpartition(" = ")
                row.append(again(operation, self.operands(work), self.real))
                assert same(row[-1], number(result, self.real))
        value = total if operation in {"sum", "dot"} else row
        found = {"maximum": np.max, "argmax": np.argmax, "first_above": np.argmax, "ahead": ahead}
        value = found.get(operation, lambda x: x)(value)
        if self.lines[0].startswith("value"):
            value = value[0] if isinstance(value, list) else value
            said = re.fullmatch(r'value (".*") = (\S+)', self.lines.pop(0))
            assert said[1] == name
            assert same(value, number(said[2], self.real))
        self.values[name] = value
        return value

    def term(self, operation, work):
        if operation == "sum":
            return self.operands(work)[0]
        numbers, product = self.operands(work), re.search(r" = (\S+) total ", work)[1]
        assert same(numbers[0] * numbers[1], self.real(product))
        return numbers[0] * numbers[1]


def same(a, b):
    return type(a) is type(b) and (a.tobytes() == b.tobytes() or (np.isnan(a) and np.isnan(b)))


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_exact_text_can_be_done_again_to_the_same_bits(trace, address):
    explanation = trace.explain(address, depth=3)
    reader = Reader(exact_text(explanation))
    reader.read()
    lines = sum(max((o.values.size for o in line.operands), default=0) for line in explanation.lines)
    assert reader.terms >= lines


@pytest.mark.parametrize("part", ["logits", "scaled", "top_k", "top_p", "probabilities", "token"])
def test_a_choice_can_be_done_again(part):
    generation = small_gpt().generate("CBABBC", 2, Sampling(0.7, 2, 0.9, 5))
    list(generation)
    trace = generation.trace()
    for place in [()] if part == "token" else [(0,), (1,), (2,)]:
        Reader(exact_text(trace.explain(f"choice.1.{part}", *place, depth=3))).read()


def test_the_reader_sees_a_changed_digit(trace):
    text = exact_text(trace.explain("block.0.mlp.up[position=0, feature=0]"))
    lines = text.splitlines()
    for n in (2, 5, len(lines) - 1):
        numbers = list(re.finditer(r"(\d)(?= |$)", lines[n]))
        at = numbers[-1].start()
        changed = lines[n][:at] + str((int(lines[n][at]) + 5) % 10) + lines[n][at + 1 :]
        with pytest.raises(AssertionError):
            Reader("\n".join([*lines[:n], changed, *lines[n + 1 :]])).read()


def test_exact_text_on_an_ascii_terminal(trace):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    show(trace.explain(ADDRESSES[4]), exact=True, console=Console(file=stream, width=40))
    stream.flush()
    text = stream.buffer.getvalue().decode()
    assert "{sqrt(D)} " in text
    Reader(text).read()


@pytest.mark.parametrize("address", ADDRESSES)
def test_plain_data_and_back(trace, address):
    explanation = trace.explain(address, depth=2)
    back = Explanation.from_dict(json.loads(json.dumps(explanation.to_dict(), allow_nan=False)))
    assert np.array_equal(back.replay(), explanation.value)
    assert exact_text(back) == exact_text(explanation)
    assert printed(back)
    assert all(isinstance(o, Result) or o.values is not None for line in back.lines for o in line.operands)


def test_where_a_sum_begins_is_said():
    trace = Trace({})
    with Run({}, trace) as run:
        a, start = (
            run.leaf("a", np.array([1, 2], np.float32), ("entry",)),
            run.leaf("start", np.array(10, np.float32), ()),
        )
        run.do("total", OPS["sum_all"], (a, start), {}, ())
    assert '\n    from "start" 10.0\n    0: "a[entry=0]" 1.0 total 11.0\n' in exact_text(trace.explain("total"))
