"""What exp, log, tanh, erf, sin and cos mean here: the float nearest to the true value, ties to even.

Each function takes an array or a scalar of float32 or float64 and returns the same type and shape. The way is Ziv's
(ACM TOMS 17, 1991): compute a little too precisely, with a known bound on the error; if every number within the bound
rounds to the same float, that is the answer; if not, compute more precisely. For float32 the first attempt is made in
float64, by NumPy or Python's math; all further ones, and all for float64, in decimal arithmetic of 25 digits, 50, ….
Nothing here is compiled by us, and nothing here is shared with ``csrc/``.

NaN gives NaN everywhere. The sign of zero is kept where the function is odd: tanh, erf and sin of −0 are −0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["cos", "erf", "exp", "log", "sin", "tanh"]

Fast = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
Exact = Callable[[Decimal, int], Decimal]  # (x, digits) -> value, with a relative error below 10^-(digits - 3)

FAST_ERROR = 2.0**-48  # a generous bound for NumPy and the C library, which promise about 2^-52
FIRST_DIGITS = 25
"""A float64 has 17: of a million numbers, a few need more than these."""


def exp(x: npt.ArrayLike) -> Any:
    """The exponential function, e to the power x.

    exp(−∞) = 0, exp(∞) = ∞; large results become ∞, small ones subnormal and then 0.
    """
    return _rounded(x, np.exp, _exp, -750.0, 750.0)


def log(x: npt.ArrayLike) -> Any:
    """The natural logarithm.

    log(±0) = −∞, log(∞) = ∞, NaN for x < 0.
    """
    return _rounded(x, lambda a: np.where(a < 0, np.nan, np.log(a)), lambda d, digits: d.ln(), 0.0, math.inf)


def tanh(x: npt.ArrayLike) -> Any:
    """The hyperbolic tangent, (e^x − e^−x) / (e^x + e^−x).

    tanh(±∞) = ±1; it rounds to ±1 beyond ±20.
    """
    return _rounded(x, np.tanh, _tanh, -20.0, 20.0)


def erf(x: npt.ArrayLike) -> Any:
    """The error function, 2/√π · ∫ e^(−t²) dt from 0 to x.

    erf(±∞) = ±1; it rounds to ±1 beyond ±6.
    """
    return _rounded(x, _each(math.erf), _erf, -6.0, 6.0)


def sin(x: npt.ArrayLike) -> Any:
    """The sine of x radians; NaN for ±∞."""
    return _rounded(x, _each(math.sin), lambda d, digits: sine_of(d, digits, 0), -math.inf, math.inf)


def cos(x: npt.ArrayLike) -> Any:
    """The cosine of x radians; NaN for ±∞."""
    return _rounded(x, _each(math.cos), lambda d, digits: sine_of(d, digits, 1), -math.inf, math.inf)


def _exp(x: Decimal, digits: int) -> Decimal:
    return x.exp()


def _rounded(x: npt.ArrayLike, fast: Fast, exact: Exact, low: float, high: float) -> Any:
    """Ziv's method. Up to low and from high on, and for zero and NaN, the result of fast is right as it stands."""
    given = np.asarray(x)
    if given.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"expected float32 or float64, got {given.dtype}")
    with np.errstate(all="ignore"):
        wide = np.atleast_1d(given).astype(np.float64)
        first = np.asarray(fast(wide))
        result = first.astype(given.dtype)
        open_question = (wide > low) & (wide < high) & (wide != 0)
        if given.dtype == np.float32:
            below = (first * (1 - FAST_ERROR)).astype(np.float32)
            above = (first * (1 + FAST_ERROR)).astype(np.float32)
            open_question &= below != above
    single = given.dtype == np.float32
    result[open_question] = [_decided(x, exact, single) for x in wide[open_question].tolist()]
    return result.reshape(given.shape)[()]


@lru_cache(maxsize=1 << 14)  # what checks gradients moves one number and asks for all the others again
def _decided(x: float, exact: Exact, single: bool) -> float:
    return decide(Decimal(x), exact, single)


def decide(x: Decimal, exact: Exact, single: bool) -> float:
    """The float64, or the float32, nearest to `exact(x, digits)`, which is asked for more digits until they settle it."""
    digits = FIRST_DIGITS
    while True:
        with localcontext(Context(prec=digits)):
            value = exact(x, digits)
            error = abs(value).scaleb(3 - digits)
            nearest = _nearest(value - error, single)
            if nearest == _nearest(value + error, single):
                return math.copysign(nearest, value)
        digits *= 2


def _nearest(value: Decimal, single: bool) -> float:
    """The float64, or the float32, nearest to a decimal number."""
    double = float(value)  # Python rounds this correctly
    if not single:
        return double
    with np.errstate(over="ignore"):
        middle = np.float32(double)
        around = (np.nextafter(middle, np.float32(-np.inf)), middle, np.nextafter(middle, np.float32(np.inf)))
    with localcontext(Context(prec=200)):  # for the differences of floats from a decimal of, at most, 160 digits
        return min((float(f) for f in around), key=lambda f: abs(_as_decimal(f) - value))


def _as_decimal(f: float) -> Decimal:
    return Decimal(f) if math.isfinite(f) else Decimal(2**128).copy_sign(Decimal(f))  # ∞ stands where 2^128 would


def _each(function: Callable[[float], float]) -> Fast:
    """Apply one of Python's own functions to every element; what it refuses is NaN."""

    def apply(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        flat = [function(v) if math.isfinite(v) or function is math.erf else math.nan for v in values.ravel().tolist()]
        return np.array(flat, dtype=np.float64).reshape(values.shape)

    return apply


def _sum(term: Decimal, following: Callable[[Decimal, int], Decimal]) -> Decimal:
    """Sum term + next + next after that …, until a term no longer changes the sum."""
    total, n = Decimal(0), 0
    while (longer := total + term) != total:
        total, n = longer, n + 1
        term = following(term, n)
    return total


def _tanh(x: Decimal, digits: int) -> Decimal:
    with localcontext() as context:
        context.prec = digits + 10
        if abs(x) >= 1:
            power = (2 * x).exp()
            return (power - 1) / (power + 1)
        # sinh x = x + x³/3! + x⁵/5! + …; cosh² = 1 + sinh²
        square = x * x
        sinh = _sum(x, lambda term, n: term * square / (2 * n * (2 * n + 1)))
        return sinh / (1 + sinh * sinh).sqrt()


def _erf(x: Decimal, digits: int) -> Decimal:
    with localcontext() as context:
        # x − x³/(1!·3) + x⁵/(2!·5) − … (Abramowitz & Stegun 7.1.5): for |x| ≤ 6 its terms grow to 10^14 and cancel.
        context.prec = digits + 30
        square, power, total, n = x * x, x, x, 0
        while abs(power) > abs(total).scaleb(-digits - 10):
            n += 1
            power = -power * square / n
            total += power / (2 * n + 1)
        return 2 * total / pi(context.prec).sqrt()


def sine_of(x: Decimal, digits: int, quarter: int) -> Decimal:
    """sin(x + quarter·π/2). The digits of a large x come off its reduction, so as many more are carried."""
    with localcontext() as context:
        # No float64 is nearer than 10^-20 of itself to a multiple of π/2 (Muller, Elementary Functions, chapter 11).
        context.prec = digits + 30 + max(0, x.adjusted())
        half_pi = pi(context.prec + 10) / 2
        turns = (x / half_pi).to_integral_value()
        r = x - turns * half_pi
        square = r * r
        turn = (int(turns) + quarter) % 4
        first = r if turn % 2 == 0 else Decimal(1)
        shift = 1 if turn % 2 == 0 else -1  # the sine's factorials 2n(2n+1), or the cosine's 2n(2n−1)
        value = _sum(first, lambda term, n: -term * square / (2 * n * (2 * n + shift)))
        return value if turn < 2 else -value


@lru_cache(maxsize=64)
def pi(digits: int) -> Decimal:
    """So many digits of π = 16·arctan(1/5) − 4·arctan(1/239) (Machin 1706)."""
    with localcontext() as context:
        context.prec = digits + 10

        def arctan_of_one_over(n: int) -> Decimal:
            power, total, k = Decimal(1) / n, Decimal(0), 0
            while abs(power) > Decimal(10) ** -(digits + 8):
                total += power / (2 * k + 1)
                power /= -n * n
                k += 1
            return total

        return 16 * arctan_of_one_over(5) - 4 * arctan_of_one_over(239)
