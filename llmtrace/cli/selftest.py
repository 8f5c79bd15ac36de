"""The self-test of `llmtrace doctor`: a few computations whose every bit is known, done on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.bits import same_bits
from llmtrace.errors import LlmtraceError
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _
from llmtrace.loading import DEFAULT, bundled, load
from llmtrace.ops import OPS


def _bits(pairs: str) -> list[tuple[int, int]]:
    """Pairs of float32 as bits, written in hexadecimal."""
    return [(int(x, 16), int(y, 16)) for x, y in (pair.split() for pair in pairs.split(", "))]


# Inputs of float32 functions whose true value lies almost in the middle between two float32, and some at the edges,
# with the correctly rounded result: bits, found with mpmath at 120 bits.
HARD = {
    "exp": _bits(
        "C233E0F0 1F0B578E, C2021839 28072334, BFF41818 3E181796, "
        "4283FD53 6F14171B, C2C90000 00000010, 42B170A4 7F7F4648"
    ),
    "log": _bits(
        "3BAA92B4 C0A841E5, 0BCF29BA C28F3630, 40814865 3FB2B8DA, "
        "2013A2AD C22E1A2C, 00000001 C2CE8ED0, 3F800001 33FFFFFF"
    ),
    "tanh": _bits(
        "40A6EF82 3F7FFC25, 40256067 3F7D19A9, 40D6D3C9 3F7FFFCE, "
        "3FF41E50 3F74F3F6, 000116C2 000116C2, 411028F6 3F7FFFFF"
    ),
    "erf": _bits(
        "C0307659 BF7FF9AE, 403BE342 3F7FFDD7, BFB3EB70 BF740310, "
        "400D1DC8 3F7F88C7, 000116C2 00013A8B, 40733333 3F7FFFFF"
    ),
    "sin": _bits(
        "FA5AACDB BEDA83BB, FA817B08 BE1B493E, 5A935F4C 3F5F0FA8, "
        "D8DFB085 3F5585AE, E504CEF1 3F141A50, 6E671317 3F0ECA9E"
    ),
    "cos": _bits(
        "BC107FE6 3F7FFD74, 55E5235D BE83C11A, 4A01DCA4 3F30B318, "
        "FC69AE1E BF7FF9FE, C986AFEE 3F090D16, 6978E912 BD769CA5"
    ),
}


@frozen
class Outcome:
    """What one check found: its name, whether every bit was right, and what went wrong if not."""

    name: str
    passed: bool
    problem: str = ""


def checks() -> list[tuple[str, Callable[[], None]]]:
    """The checks by name; each raises AssertionError where a bit differs."""
    found: list[tuple[str, Callable[[], None]]] = [
        (N_("matrix products against a plain NumPy loop, odd sizes"), _matmul),
        (N_("matrix products with 1 thread and with several"), _threads),
        (N_("exp, log, tanh, erf, sin, cos at values that are hard to round"), _hard_values),
        (N_("layer norm"), lambda: _op("layer_norm", (5, 37), (37,), (37,), epsilon=1e-5)),
        (N_("softmax"), lambda: _op("softmax", (5, 37))),
        (N_("GELU"), lambda: _op("gelu_tanh", (3, 41))),
        (N_("attention"), _attention),
        (N_("numbers too small to be normal (subnormal)"), _subnormal),
    ]
    if DEFAULT in bundled():
        found.append((N_("the bundled model: explanations computed again"), _explanations))
    return found


def outcomes() -> Iterator[Outcome]:
    """Does all checks, one after the other."""
    for name, check in checks():
        try:
            check()
        except (AssertionError, ArithmeticError, ValueError, LlmtraceError) as error:
            yield Outcome(_(name), False, str(error))
        else:
            yield Outcome(_(name), True)


def _numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def _same(got: Any, expected: Any, what: str) -> None:
    if not same_bits(got, expected):
        raise AssertionError(_("{what}: some bits differ", what=what))


def _op(name: str, *shapes: tuple[int, ...], **settings: Any) -> None:
    arguments = [_numbers(*shape, seed=n) for n, shape in enumerate(shapes)]
    op = OPS[name]
    _same(op.forward(*arguments, **settings), op.meaning(*arguments, **settings), name)


def _matmul() -> None:
    for rows, depth, columns in ((1, 1, 1), (1, 65, 3), (3, 7, 5), (17, 33, 129), (5, 257, 67)):
        x, weight, bias = _numbers(rows, depth), _numbers(depth, columns, seed=1), _numbers(columns, seed=2)
        expected = np.zeros((rows, columns), np.float32)
        for k in range(depth):
            expected += x[:, k, None] * weight[k]
        _same(OPS["linear"].forward(x, weight, bias), expected + bias, f"{rows} × {depth} × {columns}")


def _threads() -> None:
    x, weight, before = _numbers(64, 96), _numbers(96, 301, seed=1), _kernels.get_threads()
    results = []
    try:
        for threads in (1, 2, 5):
            _kernels.set_threads(threads)
            results.append(OPS["linear"].forward(x, weight))
    finally:
        _kernels.set_threads(before)
    for result in results[1:]:
        _same(result, results[0], "linear")


def _hard_values() -> None:
    for name, pairs in HARD.items():
        bits = np.array(pairs, np.uint32)
        _same(OPS[name].forward(bits[:, 0].copy().view(np.float32)), bits[:, 1].copy().view(np.float32), name)


def _attention() -> None:
    q, k, v = (_numbers(3, 7, 5, seed=n) for n in range(3))
    scores = OPS["attention_scores"].forward(q, k)
    _same(scores, OPS["attention_scores"].meaning(q, k), "attention_scores")
    pattern = OPS["causal_softmax"].forward(scores)
    _same(pattern, OPS["causal_softmax"].meaning(scores), "causal_softmax")
    _same(OPS["attention_mix"].forward(pattern, v), OPS["attention_mix"].meaning(pattern, v), "attention_mix")


def _subnormal() -> None:
    bits = np.array([1, 3, 0x00400001, 0x007FFFFF, 0x00800000], np.uint32)
    half = np.array([0, 2, 0x00200000, 0x00400000, 0x00400000], np.uint32)  # halves, ties to even
    _same(OPS["scale"].forward(bits.view(np.float32), factor=0.5), half.view(np.float32), "scale")


def _explanations() -> None:
    model = load(DEFAULT)
    trace = model.trace([n % model.config.vocabulary for n in range(5)])
    for step in trace.steps:
        trace.explain(step.name, *(size - 1 for size in step.record.shape)).replay()
