"""Whoever multiplies and adds what is printed gets what is printed, to 1 in its last digit."""

import numpy as np
import pytest
from check_printed import calculated, explained
from helpers.printing import as_text
from hypothesis import given
from hypothesis import strategies as st

import llmtrace
from llmtrace.ops import OPS
from llmtrace.views import explanation
from llmtrace.views.agreement import agrees, operands_for
from llmtrace.views.numbers import decimal, number, rounded, to_unit

SEEDS = range(3)


def wrong(text):
    return [line for line, right in calculated(text) if not right]


@pytest.mark.parametrize("name", OPS)
def test_what_is_printed_of_an_op_is_right_for_a_calculator(name):
    texts = [text for seed in SEEDS for text in explained(name, seed)]
    assert [line for text in texts for line in wrong(text)] == []


@pytest.mark.parametrize("address", ["logits[5, 323]", "block.2.ln_2[3, 5]", "block.1.attn.pattern[2, 6, 3]"])
def test_what_is_printed_of_the_bundled_model_is_right_for_a_calculator(address):
    trace = llmtrace.load().trace("The king had a child, a girl.")
    for every in (False, True):
        text = as_text(explanation.view(trace.explain(address), every=every), 200)
        assert sum(1 for _each in calculated(text)) > 6
        assert wrong(text) == []


def test_the_calculator_sees_what_is_wrong():
    assert wrong("  feature  x  weight  product  total so far\n  3  6.2370 × (−0.2600) = −1.621921  −2.107952")
    assert wrong("  a  total so far\n  0 – 2  3 terms  0 → 1.5\n  3  1.25  2.77")
    assert wrong("root = √(variance) = √(0.01256) = 0.1125")
    assert wrong("result = a − b = 3 − (−2) = 1")
    assert not wrong("  feature  x  weight  product  total so far\n  3  6.2370 × (−0.2600) = −1.622  −1.622")


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=6), st.integers(1, 8))
def test_numbers_that_are_added_up_end_at_one_digit(values, digits):
    top = max(map(abs, values))
    texts = to_unit(values, digits)
    for value, text in zip(values, texts, strict=True):
        assert abs(float(decimal(text)) - value) <= 1.0000001 * top * 10.0 ** (1 - digits) / 2
    ends = {decimal(text).as_tuple().exponent for text in texts if decimal(text)}
    assert len(ends) <= 1 or all(value == int(value) for value in values)


def test_numbers_agree_to_the_unit_of_their_last_digit():
    assert agrees("multiply", ["6.2370", "−0.2600"], "−1.622")
    assert not agrees("multiply", ["6.2370", "−0.2600"], "−1.621921")
    assert agrees("add", ["0.20", "0.13"], "0.34")
    assert not agrees("add", ["0.20", "0.13"], "0.34", 0.5)
    assert agrees("above", ["0.2", "0", "1", "−1"], "1")
    assert not agrees("above", ["0", "0", "1", "−1"], "1")
    assert agrees("exp", ["−200"], "0")
    assert not agrees("multiply", ["1e−30", "1e−30"], "0")
    assert agrees("add", ["∞", "1"], "nan")


def test_operands_have_as_few_digits_as_the_result_needs():
    values = np.float32([[6.237034, 0.5], [-0.2600455, 0.25]])

    def columns(digits):
        return [[number(value, digits) for value in row] for row in values]

    def texts(*results):
        return [[x.text for x in row] for row in operands_for("multiply", columns, list(map(number, results)))]

    assert texts(np.float32(-1.62), np.float32(0.125)) == [["6.237", "0.5"], ["−0.2600", "0.25"]]
    assert rounded(values[0, 0] * values[1, 0], 7) == "−1.621913"
    needed = operands_for("multiply", columns, [number(values[0, 0] * values[1, 0], 7), number(0.125)])
    assert agrees("multiply", [row[0].text for row in needed], "−1.621913")
