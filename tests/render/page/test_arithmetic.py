"""The elementary functions in JavaScript give the bits of the compiled ones: on special, hard and random inputs."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.fresh import examples
from helpers.javascript import PAGE, edited, packed, run, unpacked

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.operations import OPERATIONS, compute
from llmtrace.ops import OPS
from llmtrace.testing.compare import expect_same_bits
from llmtrace.testing.sampling import specials

ELEMENTARY = Path(__file__).parents[3] / "csrc" / "elementary"
FITTED = ("exp", "log", "tanh", "erf")
"""Worked out with fitted polynomials, in float64."""
TURNED = ("sin", "cos")
"""Worked out in whole numbers, which takes longer."""
HARDEST = (0xC16912CD, 0x65D890D3, 0x3AC37DE2, 0x3940EAD6)
"""Whose true results come nearest to a midpoint (docs/elementary.md)."""


def inputs(count, seed=0):
    """Special numbers, the hardest ones and their neighbours, where functions become flat, and float32 of any bits."""
    rng = np.random.default_rng(seed)
    hard = np.array([bits + step for bits in HARDEST for step in range(-50, 51)], np.uint32).view(np.float32)
    edges = np.array([88.72284, -87.33655, -103.972084, 9.010914, 3.919206, 1, np.sqrt(0.5), np.sqrt(2)], np.float32)
    near = (edges.view(np.uint32)[:, None] + np.arange(-20, 21).astype(np.uint32)).view(np.float32).reshape(-1)
    anyhow = rng.integers(0, 2**32, count, dtype=np.uint32).view(np.float32)
    usual = (rng.standard_normal(count) * rng.choice([0.01, 1, 10], count)).astype(np.float32)
    return np.concatenate([np.array(specials(np.float32), np.float32), hard, near, -near, anyhow, usual])


def compare(x, functions=FITTED, **options):
    """AssertionError where a function gives other bits."""
    answers = run("arithmetic.mjs", [{"name": name, "inputs": packed(x)} for name in functions], **options)
    for name, answer in zip(functions, answers, strict=True):
        expect_same_bits(unpacked(answer), OPS[name].forward(x), name, f"{x.size} inputs")


def test_the_bits_are_those_of_the_compiled_functions():
    compare(inputs(examples(100_000)))


def test_sine_and_cosine_too():
    places = np.arange(2000, dtype=np.float32)
    compare(np.concatenate([inputs(5000), places, places * np.float32(math.pi / 4)]), TURNED)


def test_the_bits_are_those_of_the_definition():
    x = inputs(300, seed=1)[: 20 + 4 * 101]
    functions = FITTED + TURNED
    answers = run("arithmetic.mjs", [{"name": name, "inputs": packed(x)} for name in functions])
    for name, answer in zip(functions, answers, strict=True):
        with np.errstate(all="ignore"):
            expect_same_bits(unpacked(answer), getattr(elementary, name)(x), name, f"{x.size} inputs")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return f32(power * (1 + rest));", "return f32(f32(power) * f32(1 + rest));"),
        ("return f32(withSignOf(u / (u + 2), x));", "return f32((Math.exp(2 * x) - 1) / (Math.exp(2 * x) + 1));"),
        ("if (DIGITS[0] & 1n) return total;", "if (lost !== 0) return total;"),
        ("0.0052239776248406734", "0.00522398"),
        ("0.6666666666666734", "0.66666667"),
        ("- k * LN2_REST", ""),
    ],
)
def test_another_function_is_caught(before, after, tmp_path):
    with pytest.raises(AssertionError):
        compare(inputs(3000), page=edited(tmp_path, "arithmetic.js", before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "return f32(sumToOdd(near * scale, Number(total - BigInt(near)) * scale));",
            "return f32(near * scale * (1 - 2e-8));",
        ),
        ("n = 50;", "n = 8;"),
        ("- quarters * HALF_PI", "- (quarters * (HALF_PI >> 240n) << 240n)"),
        ("if (quarter & 2)", "if (quarter === 2)"),
    ],
)
def test_another_turn_is_caught(before, after, tmp_path):
    with pytest.raises(AssertionError):
        compare(inputs(3000), TURNED, page=edited(tmp_path, "arithmetic.js", before, after))


def test_the_coefficients_are_those_of_the_compiled_functions():
    header = "".join((ELEMENTARY / f"{name}.h").read_text(encoding="utf-8") for name in FITTED)
    fitted = {float.fromhex(text) for text in re.findall(r"-?0x1\.[0-9a-f]+p[+-]\d+", header)}
    written = {
        float(text) for text in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", (PAGE / "arithmetic.js").read_text("utf-8"))
    }
    assert len(fitted) > 40
    assert fitted <= written


OPERANDS = {
    "absolute": "x",
    "above": "xxxx",
    "totals": "x",
    "sum": "x",
    "dot": "xx",
    "sum_from": "xs",
    "totals_from": "xs",
    "dot_from": "xxs",
    "add": "xs",
    "negate": "x",
    "relu": "x",
}
"""What operations are tried with here: rows (x) and single numbers (s). The others are tried with the ops that they make."""


def test_every_operation_is_known_and_gives_the_same_bits():
    numbers, cases, expected = inputs(300, seed=3), [], []
    rng = np.random.default_rng(4)
    for operation, kinds in OPERANDS.items():
        for size in (1, 2, 7, 40):
            given = [rng.choice(numbers, size if kind == "x" else ()) for kind in kinds]
            given = [np.asarray(each, np.float32) for each in given]
            cases.append({"operation": operation, "operands": [packed(each) for each in given]})
            expected.append((operation, np.asarray(compute(operation, *given), np.float32)))
    answer = run("operations.mjs", cases)
    assert set(answer["names"]) == set(OPERATIONS)
    for (operation, wanted), made in zip(expected, answer["results"], strict=True):
        expect_same_bits(unpacked(made).reshape(wanted.shape), wanted, operation, str(wanted.shape))
