"""Checks over many drawn arguments: `hold` for an op, `check_function` for anybody's own function."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from llmtrace.arithmetic.types import Array
from llmtrace.ops import Op
from llmtrace.ops.shapes import parse
from llmtrace.rng import derive
from llmtrace.testing.bounds import bound
from llmtrace.testing.checks import check_backward, check_bound, check_explain
from llmtrace.testing.compare import described, expect_alike, expect_same_bits, expect_within
from llmtrace.testing.composed import named
from llmtrace.testing.descriptions import check_formula
from llmtrace.testing.rounding import Close
from llmtrace.testing.sampling import Arguments, sample
from llmtrace.testing.strategies import arguments

__all__ = ["check_function", "hold", "steady"]


def steady(examples: int, *, shrink: bool = True) -> settings:
    """Hypothesis settings under which every run draws the same examples, on a fast machine and on a slow one.

    Where the environment variable LLMTRACE_TEST_SEED is set, a run draws others; the caller says to Hypothesis which.
    """
    phases = (Phase.explicit, Phase.generate, *((Phase.shrink,) if shrink else ()))
    return settings(
        max_examples=examples,
        derandomize=not os.environ.get("LLMTRACE_TEST_SEED"),
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )


def hold(op: Op, check: Callable[..., None], *, examples: int = 50, shrink: bool = True) -> None:
    """Does one of `llmtrace.testing.CHECKS` with many arguments; AssertionError shows the smallest that fails.

    The arguments are made from seeds; only where the check fails does Hypothesis look for smaller ones.
    """
    # Bounds and slopes speak of ordinary numbers only; and are checked in float64, whose meaning takes long: fewer numbers.
    ordinary = check in {check_bound, check_backward, check_formula}
    dtype = np.float64 if ordinary else None

    def over_all(drawn: Arguments, index: int) -> None:
        check(op, drawn, *((index,) if check is check_explain else ()))

    chance = np.random.default_rng(derive(int(os.environ.get("LLMTRACE_TEST_SEED") or 0), op.name, check.__name__))
    for number in range(examples):
        small, turn = number < examples // 2, number - examples // 2  # first, as what they show is easier to see
        drawn = sample(op, int(chance.integers(2**63)), dtype, not ordinary, small, turn)
        index = (0, -1, int(chance.integers(2**20)))[number % 3]
        try:
            over_all(drawn, index)
        except Exception as error:
            if shrink:
                cases = arguments(op, dtype, not ordinary, small=True)
                steady(examples)(given(cases, st.integers(0, 2**20))(over_all))()
            error.add_note(f"with {drawn!r}")
            raise


def check_function(
    function: Callable[..., Any],
    like: str | Op,
    *,
    exact: bool = True,
    special: bool = False,
    empty: bool = False,
    tolerance: float | None = None,
    dtype: npt.DTypeLike = np.float32,
    examples: int = 200,
    **fixed: Any,
) -> None:
    """Raises AssertionError where `function` does not do what the op `like` means, with the smallest input that shows
    it.

    It is called as `function(*inputs, *weights, **settings)`, in the order and with the names of the op; an optional
    weight or setting that it has no parameter for is left out. A function of PyTorch's is given tensors, and may return one.

    * `like`: an op, its name, or one of `llmtrace.testing.COMPOSED`, such as "attention".
    * `exact`: every bit must be right, which only the order and the roundings of the op's meaning give; otherwise each
      number must lie within the op's a-priori error bound, as with any order of the sums. Then the input also holds numbers
      in the hundreds, at which a softmax that does not subtract the maximum overflows.
    * `special`: the input may also hold NaN, infinities, −0, subnormal and huge numbers (only together with `exact`).
    * `empty`: arrays may also have no elements at all.
    * `tolerance`: instead of the op's bound, how far a number may be off, in units of its size or of 1 where it is smaller.
    * `fixed`: settings that the function has built in, such as `epsilon=1e-5`: it is not given them.
    """
    op = named(like)
    possible = [name for name in inspect.signature(op.meaning).parameters if name not in op.tensors]
    if unknown := sorted(set(fixed) - set(possible)):
        raise ValueError(f"{op.name} has no setting {unknown[0]!r}; it has: {', '.join(possible) or 'none'}")
    exact = exact and tolerance is None
    if special and not exact:
        raise ValueError("special=True needs exact=True: there is no error bound for huge numbers, infinities and NaN")
    call = _Caller(function)

    def compare(drawn: Arguments) -> None:
        assume(empty or all(tensor is None or tensor.size for tensor in drawn.tensors.values()))
        known, passed = _accepted(function, op, drawn.having(**fixed), fixed)
        expected = np.asarray(known.call(op.meaning))
        error = None if exact else _room(op, known, expected, tolerance, dtype)
        out = call(passed)
        what = f"{_name(function)}, against {op.name} = {op.formula}"
        expect_alike(out, expected, what, passed)
        if error is None:
            expect_same_bits(out, expected, what, passed)
        else:
            expect_within(out, *error, what, passed)

    for small in (True, False):  # small ones first: what they show is easier to see
        steady(examples // 2)(given(arguments(op, dtype, special, small))(compare))()
        if not exact:
            steady(examples // 4)(given(arguments(op, dtype, special, small).map(_enlarged))(compare))()


def _enlarged(drawn: Arguments) -> Arguments:
    """Arguments in the hundreds."""
    reals = {name: t * t.dtype.type(40) for name, t in drawn.tensors.items() if t is not None and t.dtype.kind == "f"}
    return drawn.having(**reals)


def _room(op: Op, known: Arguments, expected: Array, tolerance: float | None, dtype: npt.DTypeLike) -> Close:
    """What the result should be, and how far it may be off; arguments of which nothing can be said are passed over."""
    assume(expected.dtype.kind != "f" or (not np.isnan(expected).any() and not np.isposinf(expected).any()))
    if tolerance is not None:
        value = expected.astype(np.float64)
        return Close(value, tolerance * np.maximum(1, np.abs(np.where(np.isfinite(value), value, 0))))
    with np.errstate(all="ignore"):
        right = bound(op, known, dtype)
    assume(bool(np.isfinite(right.error).all()))
    return right


class _Caller:
    """Calls a function with arrays, or with PyTorch's tensors where it takes nothing else."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.torch = False

    def __call__(self, passed: Arguments) -> Any:
        """What it returns, as an array; AssertionError where it raises anything."""
        try:
            return self._result(passed)
        except Exception as error:
            if not self.torch and "torch" in sys.modules:
                self.torch = True
                with suppress(Exception):
                    return self._result(passed)
                self.torch = False
            text = f"{_name(self.function)} raises {type(error).__name__}: {error}{described(passed)}"
            raise AssertionError(text) from error

    def _result(self, passed: Arguments) -> Any:
        given = passed
        if self.torch:
            given = passed.having(
                **{n: sys.modules["torch"].from_numpy(t.copy()) for n, t in passed.tensors.items() if t is not None}
            )
        out = given.call(self.function)
        return out.detach().cpu().numpy() if hasattr(out, "detach") else out


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", repr(function))


def _accepted(
    function: Callable[..., Any], op: Op, drawn: Arguments, fixed: Collection[str]
) -> tuple[Arguments, Arguments]:
    """Arguments for the meaning and for the function: without the optional ones that the function does not take."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # a compiled function without a signature
        return drawn, Arguments(drawn.tensors, {n: value for n, value in drawn.settings.items() if n not in fixed})
    kinds = {p.kind for p in parameters}
    places = sum(p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD} for p in parameters)
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        places = len(drawn.tensors)
    defaults = {
        name: p.default for name, p in inspect.signature(op.meaning).parameters.items() if p.default is not p.empty
    }
    named = {p.name for p in parameters}
    any_name = inspect.Parameter.VAR_KEYWORD in kinds
    left = {n for n in drawn.settings if n in defaults and n not in {*named, *fixed} and not any_name}
    known = drawn.having(**{name: defaults[name] for name in left})
    for name in left:
        turned = op.shapes[name].removeprefix("turns ")
        weight = drawn.tensors.get(turned)
        if weight is not None and drawn.settings[name] != defaults[name]:
            known = known.having(**{turned: np.ascontiguousarray(weight.T)})
    dropped = [name for name in list(known.tensors)[places:] if parse(op.shapes[name]).optional]
    known = known.having(**dict.fromkeys(dropped))
    tensors = {name: tensor for name, tensor in known.tensors.items() if name not in dropped}
    return known, Arguments(tensors, {n: value for n, value in known.settings.items() if n not in {*left, *fixed}})
