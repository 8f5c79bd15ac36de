"""Every op in JavaScript gives the bits of the op in Python: its numbers, and the lines of their explanation."""

import math
from functools import cache

import numpy as np
import pytest
from helpers.fresh import examples
from helpers.javascript import edited, packed, run, unpacked
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.ops import OPS
from llmtrace.testing import Arguments, arguments, steady
from llmtrace.testing.compare import expect_same_bits
from llmtrace.testing.replays import traced

NAMES = (
    "add",
    "argmax",
    "attention_mix",
    "attention_scores",
    "causal_softmax",
    "divide_by",
    "embedding",
    "gelu_erf",
    "gelu_tanh",
    "layer_norm",
    "linear",
    "linear_from_heads",
    "linear_to_heads",
    "multiply",
    "relu",
    "repeat_heads",
    "rms_norm",
    "rotate",
    "sample",
    "scale",
    "select",
    "silu",
    "softmax",
    "tanh",
    "top_k",
    "top_p",
)
LONGEST = 4000
"""Numbers of the largest tensor of a case."""


SELDOM = {"top_p": [(Arguments({"x": np.zeros(2, np.float32)}, {"p": 0.5}), 0)]}
"""Arguments that are seldom drawn, and a place: shares that add up to p."""


def drawn(op, count):
    """Argument sets of the contract's own strategies, and a place of the result for each."""
    cases = SELDOM.get(op.name, [])[:]

    @steady(count, shrink=False)
    @given(arguments(op, np.float32), st.integers(0, 2**31))
    def collect(case, place):
        if all(t is None or t.size <= LONGEST for t in case.tensors.values()):
            cases.append((case, place))

    collect()
    return cases


def expected(op, case, place):
    """What Python says: the result, an index, and the lines of the explanation of the number there."""
    trace = traced(op, case)
    out = trace.tensor("out").copy()  # which leaves the run's own memory free again
    if not out.size:
        return out, [], []
    index = [int(i) for i in np.unravel_index(place % out.size, out.shape)]
    return out, index, [written(line) for line in trace.explain("out", *index).to_dict()["lines"]]


def written(line):
    """A line as the driver writes it."""
    operands = []
    for operand in line["operands"]:
        if "line" in operand:
            operands.append({"line": operand["line"]})
        elif "constant" in operand:
            operands.append({"constant": operand["constant"], "values": plain(operand["values"])})
        else:
            operands.append(
                {"tensor": operand["tensor"], "index": operand["index"], "values": plain(operand["values"])}
            )
    return {
        "name": line["name"],
        "operation": line["operation"],
        "operands": operands,
        "values": plain(line["values"]),
    }


def plain(values):
    """Numbers as text where JSON has none for them."""
    if isinstance(values, list):
        return [plain(value) for value in values]
    if values == 0 and isinstance(values, float) and math.copysign(1, values) < 0:
        return "-0.0"
    return values


@cache
def asked_of(name, count):
    """An op with arguments, and what Python says to each."""
    op = OPS[name]
    return [(op, case, *expected(op, case, place)) for case, place in drawn(op, count)]


def compare(names, count, **options):
    """AssertionError where the two sides differ."""
    asked = [each for name in names for each in asked_of(name, count)]
    cases = [
        {
            "op": op.name,
            "tensors": {n: None if t is None else packed(t) for n, t in case.tensors.items()},
            "settings": {
                n: str(v) if isinstance(v, float) and not math.isfinite(v) else v for n, v in case.settings.items()
            },
            "index": index,
        }
        for op, case, _out, index, _lines in asked
    ]
    for (op, case, out, index, lines), answer in zip(asked, run("ops.mjs", cases, **options), strict=True):
        found = unpacked(answer["out"])
        expect_same_bits(found.astype(out.dtype), out, f"{op.name} in JavaScript", case)
        assert comparable(answer["lines"]) == comparable(lines), f"{op.name} at {index}\nwith {case}"
        assert answer.get("same", True)


def comparable(lines):
    """Lines from either side; where a row's largest is a zero, without signs of zeros: no rule says which of +0, −0 it is."""
    unsigned = any(line["operation"] == "maximum" and line["values"] in (0, "-0.0") for line in lines)

    def plainer(part):
        if isinstance(part, dict):
            return {name: plainer(value) for name, value in part.items()}
        if isinstance(part, list):
            return [plainer(value) for value in part]
        if unsigned and part == "-0.0":
            return 0.0
        return float(part) if isinstance(part, int) else part  # large numbers of JavaScript look whole

    return plainer(lines)


@pytest.mark.parametrize("half", [NAMES[::2], NAMES[1::2]], ids=["even", "odd"])
def test_the_bits_are_those_of_python(half):
    compare(half, examples(60))


ERRORS = [
    ("attention_scores", "arithmetic.js", "total = f32(total + f32(a[k] * b[k]))", "total = f32(total + a[k] * b[k])"),
    (
        "layer_norm",
        "arithmetic.js",
        "(let k = 0; k < row.length; k++) total",
        "(let k = row.length - 1; k >= 0; k--) total",
    ),
    ("softmax", "arithmetic.js", "return f32(power * (1 + rest));", "return f32(f32(Math.exp(f32(x / 2))) ** 2);"),
    ("linear", "ops/linear.js", "b = f32(b + f32(x * matrix[at + 1]));", "b = f32(b + x * matrix[at + 1]);"),
    ("linear", "ops/linear.js", "const x = rows[start + k];", "const x = rows[start + depth - 1 - k];"),
    ("linear_to_heads", "ops/linear.js", "head * w.shape.at(-1) + feature", "feature * w.shape.at(-3) + head"),
    (
        "linear_from_heads",
        "ops/linear.js",
        "const head = inputs.map((k) => Math.floor(k / features))",
        "const head = inputs.map((k) => k % heads)",
    ),
    ("causal_softmax", "ops/attention.js", "keys - queries + query + 1", "keys - queries + query"),
    ("attention_mix", "ops/attention.js", "f32(sums[d] + multiply(share, handed[d]))", "sums[d] + share * handed[d]"),
    ("attention_scores", "ops/attention.js", "f32(Math.sqrt(width))", "Math.sqrt(width)"),
    ("layer_norm", "ops/rows.js", "root(add(variance, f32(epsilon)))", "root(variance + f32(epsilon))"),
    (
        "softmax",
        "ops/rows.js",
        "e.map((each) => divide(each, total))",
        "e.map((each) => multiply(each, divide(1, total)))",
    ),
    (
        "gelu_tanh",
        "ops/elementwise.js",
        "multiply(f32(CUBIC), multiply(multiply(x, x), x))",
        "multiply(f32(CUBIC), x * x * x)",
    ),
    (
        "gelu_tanh",
        "ops/elementwise.js",
        'w.do("multiply", "x²", x, x), x)',
        'w.do("multiply", "x²", x, x), w.constant(1, "1"))',
    ),
    ("top_k", "derivation.js", "Number.isNaN(a) ? !Number.isNaN(b) : a > b", "a > b"),
    ("top_p", "ops/sampling.js", "if (!(total >= p)) kept.add(place);", "if (!(total > p)) kept.add(place);"),
    ("sample", "derivation.js", "(total) => total > limit", "(total) => total >= limit"),
]


def differs(names, count, page):
    """Whether the two sides differ."""
    try:
        compare(names, count, page=page)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(("name", "file", "before", "after"), ERRORS, ids=[f"{e[0]} {i}" for i, e in enumerate(ERRORS)])
def test_a_planted_error_is_caught(name, file, before, after, tmp_path):
    page = edited(tmp_path, file, before, after)
    assert any(differs((name,), count, page) for count in (30, 150))  # most are caught by the first few
