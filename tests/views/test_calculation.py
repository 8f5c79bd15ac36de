"""Numbers in worked calculations: every one can be shown, and a calculator gets the shown result from the shown operands."""

import re
from decimal import Decimal

import numpy as np
from helpers.fresh import some
from helpers.printing import printed
from helpers.small_models import small_gpt
from hypothesis import example, given
from hypothesis import strategies as st

import llmtrace
from llmtrace.arithmetic.lines import Elements, Line
from llmtrace.arithmetic.operations import OPERATIONS
from llmtrace.explain import Explanation
from llmtrace.render.terminal.blocks import BLOCKS
from llmtrace.render.terminal.layout import Page
from llmtrace.views.calculation import calculations
from llmtrace.views.numbers import rounded
from llmtrace.views.operand_names import Names

SIGNS = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷"}
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def single(operation, a, b, dtype=np.float32):
    """A line of one operation on two numbers, and the text that shows it."""
    a, b = dtype(a), dtype(b)
    with np.errstate(all="ignore"):
        value = np.asarray(OPERATIONS[operation].compute(a, b))
    operands = tuple(Elements(name, (), (), np.asarray(x)) for name, x in (("a", a), ("b", b)))
    line = Line("out", operation, operands, value)
    names = Names(Explanation(Elements("y", (), (), value), "", "", "", (line,)))
    (block,) = calculations((line,), names, 6)
    (shown,) = BLOCKS[type(block)](block, Page(200))
    return value, shown.text.plain


def check(operation, text):
    """Does the calculation on the text: `result = a + b = 1 + 2 = 3`."""
    _name, _letters, work, result = text.replace("≈", "=").split(" = ")
    a, b = (Decimal(number.strip("()").replace("−", "-")) for number in work.split(f" {SIGNS[operation]} "))
    wanted = Decimal(result.replace("−", "-"))
    exact = {"add": a + b, "subtract": a - b, "multiply": a * b, "divide": a / b if b else None}[operation]
    digit = min(wanted.as_tuple().exponent, wanted.adjusted() - 3)
    assert exact == 0 if wanted == 0 else abs(exact - wanted) <= Decimal((0, (5,), digit - 1))


@given(st.sampled_from(sorted(SIGNS)), NUMBERS, NUMBERS)
@example("add", -0.02088072, 0.020929063)
@example("add", -0.0189241, -0.0629816)
@example("multiply", 2.6534, 1.0292)
@example("subtract", 0.1, 0.10000001)
@example("add", 1e30, -1e30)
@example("add", 1e30, 1.0)
@example("add", 1.0, 1e7)
@example("multiply", 1e30, 1e30)
@example("divide", 1.0, 0.0)
@example("divide", 1e-40, 3e-39)
@example("multiply", 1e-45, 0.5)
def test_a_calculator_gets_the_result_that_is_shown(operation, a, b):
    value, text = single(operation, a, b)
    assert any(text.endswith(rounded(value, digits)) for digits in range(4, 10))
    if np.isfinite(value) and "≈" not in text:
        check(operation, text)


@given(NUMBERS, st.integers(-40, 40), st.sampled_from(["add", "subtract"]))
def test_numbers_that_nearly_cancel(a, steps, operation):
    near = np.float32(a)
    for _step in range(abs(steps)):
        near = np.nextafter(near, np.float32(np.inf if steps > 0 else -np.inf), dtype=np.float32)
    if not np.isfinite(near):
        return
    value, text = single(operation, a, -near if operation == "add" else near)
    assert text.endswith(rounded(value))
    if "≈" not in text:
        check(operation, text)


def test_digits_are_added_until_the_result_is_right():
    assert single("add", -0.0189241, -0.0629816)[1].endswith(" = −0.08191")
    assert "≈" not in single("add", -0.02088072, 0.020929063)[1]
    assert single("add", 0.1, -0.10000001)[1].endswith("0.100000001490 + (−0.100000008941) = −7.451e−09")
    assert single("add", 0.5, 0.25)[1] == "result = a + b = 0.5 + 0.25 = 0.75"


@given(st.floats(), st.integers(1, 17))
def test_every_number_can_be_shown_with_any_digits(number, digits):
    with np.errstate(all="ignore"):
        short = np.float64(number).astype(np.float32)
    assert rounded(np.float64(number), digits)
    assert rounded(short, digits)


def test_any_number_of_a_trace_can_be_shown():
    rng = np.random.default_rng(5)
    for trace, most in ((llmtrace.load().trace("A"), 8), (small_gpt().trace("CBABBC"), 6)):
        for step in trace.steps:
            size = int(np.prod(step.record.shape))
            for flat in some(rng.choice(size, min(size, most), replace=False).tolist(), 1):
                place = np.unravel_index(flat, step.record.shape)
                assert printed(trace.explain(step.name, *map(int, place)))


# ---- what stands around the numbers ---------------------------------------------------------------------------------


def test_the_legend_names_the_constants():
    trace = llmtrace.load().trace("ABC")
    scores = printed(trace.explain("block.0.attn.scores[head=1, query=2, key=1]"))
    assert re.search(r"^  D +32, how many features q and k have$", scores, re.MULTILINE)
    norm = printed(trace.explain("ln_f[position=2, feature=1]"))
    assert re.search(r"^  C +128, how many numbers are added up$", norm, re.MULTILINE)
    assert re.search(r"^  ε +0\.00001, so that nothing is divided by 0$", norm, re.MULTILINE)
    assert "exp(x) is e to the power x" in printed(trace.explain("block.0.attn.pattern[head=1, query=2, key=1]"))


def test_the_formula_has_a_bias_only_where_the_step_has_one():
    trace = llmtrace.load().trace("ABC")
    assert "formula: Σ x · weight\n" in printed(trace.explain("logits[position=2, vocabulary=3]"))
    assert "formula: Σ x · weight + bias\n" in printed(trace.explain("block.0.mlp.up[position=2, feature=3]"))
    assert "formula: Σ x · weight\n" in printed(trace["logits"])
    assert "formula: Σ x · weight + bias\n" in printed(trace["block.0.mlp.up"])


def test_the_ending_says_what_is_true():
    trace = llmtrace.load().trace("ABC")
    folded = trace.explain("logits[position=2, vocabulary=3]")
    assert "--all" in printed(folded)
    assert "--all" not in printed(folded, every=True)
    assert "--all" not in printed(trace.explain("embed[position=0, feature=3]"))
    masked = printed(trace.explain("block.0.attn.scores[head=0, query=0, key=1]"))
    assert "✓" not in masked
    assert "--exact" not in masked
