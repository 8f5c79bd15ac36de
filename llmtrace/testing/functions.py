"""Checks over many drawn arguments: `hold` for an op, `check_function` for anybody's own function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from llmtrace.ops import OPS, Op
from llmtrace.ops.shapes import parse
from llmtrace.testing.bounds import bound
from llmtrace.testing.checks import check_backward, check_bound, check_explain
from llmtrace.testing.compare import described, expect_alike, expect_same_bits, expect_within
from llmtrace.testing.sampling import Arguments
from llmtrace.testing.strategies import arguments

__all__ = ["check_function", "hold", "steady"]


def steady(examples: int, *, shrink: bool = True) -> settings:
    """Hypothesis settings under which every run draws the same examples, on a fast machine and on a slow one."""
    phases = (Phase.explicit, Phase.generate, *((Phase.shrink,) if shrink else ()))
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )


def hold(op: Op, check: Callable[..., None], *, examples: int = 50, shrink: bool = True) -> None:
    """Does one of `llmtrace.testing.CHECKS` with many arguments; AssertionError shows the smallest that fails."""
    # Bounds and slopes speak of ordinary numbers only; and are checked in float64, whose meaning takes long: fewer numbers.
    ordinary = check in {check_bound, check_backward}
    dtype = np.float64 if ordinary else None

    def over_all(drawn: Arguments, index: int) -> None:
        check(op, drawn, *((index,) if check is check_explain else ()))

    for small in (True, False):  # small ones first: what they show is easier to see
        cases = arguments(op, dtype, not ordinary, small)
        steady(examples // 2, shrink=shrink and small)(given(cases, st.integers(0, 2**20))(over_all))()


def check_function(
    function: Callable[..., Any],
    like: str | Op,
    *,
    exact: bool = True,
    special: bool = False,
    dtype: npt.DTypeLike = np.float32,
    examples: int = 200,
) -> None:
    """Raises AssertionError where `function` does not do what the op `like` means, with the smallest input that shows
    it.

    It is called as `function(*inputs, *weights, **settings)`, in the order and with the names of the op; an optional
    weight or setting that it has no parameter for is left out. `exact`: every bit must be right, which only the order
    and the roundings of the op's meaning give; otherwise each number must lie within the op's a-priori error bound,
    as with any order of the sums. `special`: the input may also hold NaN, infinities, −0, subnormal and huge numbers
    (only together with `exact`).
    """
    op = OPS[like] if isinstance(like, str) else like
    if special and not exact:
        raise ValueError("special=True needs exact=True: there is no error bound for huge numbers, infinities and NaN")

    def compare(drawn: Arguments) -> None:
        known, passed = _accepted(function, op, drawn)
        try:
            out = passed.call(function)
        except Exception as error:
            raise AssertionError(
                f"{_name(function)} raises {type(error).__name__}: {error}{described(passed)}"
            ) from error
        expected = np.asarray(known.call(op.meaning))
        what = f"{_name(function)}, against {op.name} = {op.formula}"
        expect_alike(out, expected, what, passed)
        if exact:
            expect_same_bits(out, expected, what, passed)
        else:
            expect_within(out, *bound(op.name, known, dtype), what, passed)

    for small in (True, False):  # small ones first: what they show is easier to see
        steady(examples // 2)(given(arguments(op, dtype, special, small))(compare))()


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", repr(function))


def _accepted(function: Callable[..., Any], op: Op, drawn: Arguments) -> tuple[Arguments, Arguments]:
    """Arguments for the meaning and for the function: without the optional ones that the function does not take."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # a compiled function without a signature
        return drawn, drawn
    kinds = {p.kind for p in parameters}
    places = sum(p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD} for p in parameters)
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        places = len(drawn.tensors)
    defaults = {
        name: p.default for name, p in inspect.signature(op.meaning).parameters.items() if p.default is not p.empty
    }
    named = {p.name for p in parameters}
    any_name = inspect.Parameter.VAR_KEYWORD in kinds
    left = {name for name in drawn.settings if name in defaults and name not in named and not any_name}
    known = drawn.having(**{name: defaults[name] for name in left})
    for name in left:
        turned = op.shapes[name].removeprefix("turns ")
        weight = drawn.tensors.get(turned)
        if weight is not None and drawn.settings[name] != defaults[name]:
            known = known.having(**{turned: np.ascontiguousarray(weight.T)})
    dropped = [name for name in list(known.tensors)[places:] if parse(op.shapes[name]).optional]
    known = known.having(**dict.fromkeys(dropped))
    tensors = {name: tensor for name, tensor in known.tensors.items() if name not in dropped}
    return known, Arguments(tensors, {name: value for name, value in known.settings.items() if name not in left})
