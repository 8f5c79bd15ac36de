"""The elementary functions: the compiled ones, and their meaning in llmtrace.arithmetic.elementary, give the same bits.

All 2^32 floats are checked by tools/check_elementary.py; here a sample of them, the hardest ones it found, special
values, and whatever Hypothesis thinks of.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from typing import Any

import mpmath
import numpy as np
import pytest
from helpers.fresh import THOROUGH, quick
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from llmtrace import _kernels
from llmtrace.arithmetic import elementary

Array = np.ndarray[Any, np.dtype[Any]]
MEANING: dict[str, Callable[[Any], Any]] = {
    "exp": elementary.exp,
    "log": elementary.log,
    "tanh": elementary.tanh,
    "erf": elementary.erf,
    "sin": elementary.sin,
    "cos": elementary.cos,
}
every_function = pytest.mark.parametrize("name", MEANING)
every_type = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# Float inputs whose true results lie nearest to the midpoint of two floats, and those results rounded, as bits: found
# by `tools/check_elementary.py --exhaustive --json`, decided by the 113-bit arithmetic of libquadmath.
HARDEST = {
    "exp": """
        c16912cd:34fd331b bbf0edf1:3f7e1fe9 c2b2e798:000f6dce 377eff81:3f800080 bae0e25c:3f7f8fa7 b3000000:3f800000
        39c6be5b:3f800c6d 38e69cc1:3f80039a 383a3ef1:3f800175 3d1a274e:3f84e8ba 40315b33:417fa47d 4001b249:40f2cd14
        4563df03:7f800000 39e5bb1d:3f800e5d 36fdffc1:3f800040 4288942b:70b7a4c5 367bffe1:3f800020 45755829:7f800000
        35f7fff1:3f800010 356ffff9:3f800008 34dffffd:3f800004 343fffff:3f800002 33800000:3f800001 337fffff:3f800000
        4528be5f:7f800000 43d164a6:7f800000 bc2a461a:3f7d5a6e 3fe67199:40c1a7a6 c0781533:3ca9ccb8 38ad9e29:3f8002b6
    """,
    "log": """
        65d890d3:4254d1f9 4c5d65a5:418f034b 4d604ebe:419a352c 41178feb:400fe5e7 1f116ab8:c233b53e 66a8c860:42595e46
        3c413d3a:c08e158f 6f31a8ec:42845a89 38dcbe38:c1128ba4 4665a9a6:41198725 5ee8984e:422e4a21 3bf86ef0:c09c399e
        79e7ec37:42a1ffb7 0dc8bba4:c289bac4 2c4c24b7:c1d48710 111c87f8:c28085df 1a8446cb:c24d0a45 464d5b2b:4117bcf1
        66abbd63:4259700e 2e492984:c1be76ee 4e85f412:41a6b811 29fd22f8:c1ee8859 28e3fa26:c1fa75e0 29e6126b:c1ef4c02
        064cb44b:c29e7c1a 5d800341:42265b10 62b467ba:42437434 07c060fa:c29a733a 0f61ff63:c2855565 54af989d:41eb6d3c
    """,
    "tanh": """
        3ac37de2:3ac37dd9 3eee0566:3ede3cbe 3cd41b91:3cd40f70 40acb4d0:3f7ffd50 40c5e8ca:3f7fff71 3d7c3055:3d7bdee1
        3c96ae2e:3c96a9d5 40a6ef82:3f7ffc25 3f20b67f:3f0e786b 3ff8bc7e:3f75b4df 4013cd84:3f7affb3 3bc8b605:3bc8b561
        3f97fbc7:3f546b44 3ef6afee:3ee537fe 3adbc904:3adbc8f6 39b89ba3:39b89ba2 40c7b05f:3f7fff80 3f172be6:3f07bf71
        3e150cd4:3e14019e 3dc95db7:3dc8b83d 3fb3c82a:3f62e68b 3dee483b:3ded3676 3c4e34b0:3c4e31e7 3a5e773a:3a5e7736
        3da99442:3da93150 3f325d3b:3f1a2fc3 4053eea7:3f7f51f5 3bc11b0b:3bc11a78 3ca1e990:3ca1e42a 3a27ba3b:3a27ba39
    """,
    "erf": """
        3940ead6:3959af14 39c0057d:39d8ac49 3b25a39d:3b3ae741 00aa320c:00c00b88 3f043a75:3f08eed3 3aa60e18:3abb5f7a
        3c7c9e9f:3c8e8399 3f44ddfd:3f3923f8 3e1fcc60:3e32dc2d 3b13e8a5:3b26e59a 3e97e551:3ea67f65 3adac744:3af6dd60
        38e1b0af:38feaa01 39f347a2:3a094184 3b636d88:3b804fda 3e2f129d:3e43a3ee 3b7c1894:3b8e3aaf 39473f40:3960d385
        3c45aaf6:3c5f088e 386b62aa:3884cd4f 3a540bde:3a6f44c6 3d3e3bd9:3d568068 3abb67b6:3ad376c2 3ab2e0cf:3ac9d79f
        3971d18f:39886e78 3cc37934:3cdc86bd 3b5788ea:3b733441 3a9045ec:3aa2cb73 38a96a62:38bf2a3d 3810eb2a:382385ed
    """,
    "sin": """
        fa5aacdb:beda83bb fa817b08:be1b493e 5a935f4c:3f5f0fa8 d8dfb085:3f5585ae e504cef1:3f141a50 6e671317:3f0eca9e
        db258da4:3f67de0e 5c8248a5:bf683e58 d9c871da:bf4e12f9 d5a209a0:bf1770a1 de060cca:befbeaa0 fd9876ae:3eff0d0e
        e12eff34:3f784b2e eee42fc9:bf33f7f7 dff28fbf:bf5264cd f9096a2c:3f412551 dafcd574:3f3cbcd0 ead6a5ed:3f14fbe1
        e2a104ee:3d8be7f7 bf86b3d2:bf5e5c55 7c44fbdc:3f59e9c1 f9172e38:3f6be9f7 d7618a1a:bf6f4462 c24b12ce:bef6c274
        ecf36b6f:bf7d1da4 c6a48a3d:3df11f39 f69074ae:bf7053d9 4e6e28b4:3f7a93ea d37abba0:be704356 db367ff6:3d433ceb
    """,
    "cos": """
        bc107fe6:3f7ffd74 55e5235d:be83c11a 4a01dca4:3f30b318 fc69ae1e:bf7ff9fe c986afee:3f090d16 6978e912:bd769ca5
        46f85a22:bf4232b9 3a0f1bbd:3f7ffffd fdb91687:3edfe26d 5956c49c:3e77bfd8 d8d567a5:bf79a1c2 6dab9cd2:3f0fa7b3
        d71196b3:3f267def 4b9bbb2a:3e758090 63b37133:bf7b92c6 466735fa:3f545456 4d9bc85f:3f5683b8 e4639ab6:3f478f03
        bef63405:3f62f7e2 3dd22a0a:3f7ea73b 4500b329:bdee0049 de2bb93c:3f48c7fa 47cfed50:bf5d7d95 419cc99c:3f3b81b1
        7d7ddb5c:3f7fe3cf 4544de31:beda3b97 537928b5:bedefd00 d3c88f4b:bf2b654a 52a300d6:3f78fe02 f8a9366b:3d4f677d
    """,
}

# float64 inputs that need many more bits than most. The first of exp's and of log's are from the lists of
# Lefèvre & Muller (ARITH-15, 2001).
NEAR_A_TURN = "0x1.6ac5b262ca1ffp+849"
"""The float64 that is nearest to a multiple of π/2 (Muller, Elementary Functions, chapter 11)."""
HARD_DOUBLES = {
    "exp": [
        "0x1.9e9cbbfd6080bp-31",
        "0x1p-53",
        "-0x1p-54",
        "-0x1p-53",
        "0x1.fffffffffffffp-54",
        "0x1p-52",
        "0x1p-1074",
    ],
    "log": ["0x1.62a88613629b6p+678", "0x1.0000000000001p+0", "0x1.fffffffffffffp-1", "0x1p-1074", "0x1p-1022"],
    "tanh": ["0x1p-26", "0x1p-27", "0x1.30fc1931f09cap+4", "0x1.30fc1931f09c9p+4", "0x1p-1074", "-0x1p-1022"],
    "erf": ["0x1p-1074", "-0x1p-1022", "0x1.7afb48dc96627p+2", "0x1.7afb48dc96626p+2", "0x1p-27"],
    "sin": [
        "0x1p-1074",
        "-0x1p-1022",
        NEAR_A_TURN,
        "-0x1.921fb54442d18p+0",
        "0x1p-26",
        "0x1.fffffffffffffp+1023",
        "0.5",
    ],
    "cos": ["0x1p-1074", "0x1p-27", NEAR_A_TURN, "-0x1.921fb54442d18p+0", "0x1p-26", "0x1.fffffffffffffp+1023", "0.5"],
}

INF, NAN = math.inf, math.nan
SPECIAL = {  # inputs and results
    "exp": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e5, INF), (-1e5, 0.0), (NAN, NAN)],
    "log": [(0.0, -INF), (-0.0, -INF), (1.0, 0.0), (INF, INF), (-INF, NAN), (-1.0, NAN), (-1e-40, NAN), (NAN, NAN)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (100.0, 1.0), (-100.0, -1.0), (NAN, NAN)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (100.0, 1.0), (-100.0, -1.0), (NAN, NAN)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN)],
}


FEW = 25 if quick() else THOROUGH
"""Arrays that are computed anew by the reference."""


def compiled(name: str, x: Array) -> Array:
    out = np.full_like(x, 77)
    _kernels.elementwise(name, (x,), out)
    return out


def bits(x: Array) -> Array:
    """The bits as whole numbers; which NaN it is does not count."""
    return np.where(np.isnan(x), np.array(NAN, x.dtype), x).view(f"u{x.itemsize}")


def assert_same_bits(actual: Array, expected: Array, x: Array) -> None:
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    wrong = bits(actual) != bits(expected)
    assert not wrong.any(), (
        f"{wrong.sum()} differ, first at {x[wrong][0]!r}: {actual[wrong][0]!r}, not {expected[wrong][0]!r}"
    )


@every_function
def test_an_even_sample_of_all_floats(name: str) -> None:
    x = (np.arange(2**18, dtype=np.uint64) * 16381).astype(np.uint32).view(np.float32)
    assert_same_bits(compiled(name, x), MEANING[name](x), x)


@every_function
def test_the_hardest_floats(name: str) -> None:
    pairs = np.array([[int(word, 16) for word in pair.split(":")] for pair in HARDEST[name].split()], np.uint32)
    x, expected = np.ascontiguousarray(pairs.T).view(np.float32)
    assert len(x) >= 20
    assert_same_bits(compiled(name, x), expected, x)
    assert_same_bits(MEANING[name](x), expected, x)


@every_function
@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65])
def test_an_element_does_not_depend_on_its_place(name: str, length: int) -> None:
    x = np.linspace(0.01, 3, 65, dtype=np.float32)
    assert_same_bits(compiled(name, x[:length].copy()), compiled(name, x)[:length], x[:length])


@every_function
@every_type
def test_special_values(name: str, dtype: type) -> None:
    x, expected = np.ascontiguousarray(np.array(SPECIAL[name], dtype).T)
    assert_same_bits(compiled(name, x), expected, x)
    assert_same_bits(MEANING[name](x), expected, x)


@every_function
def test_hard_doubles(name: str) -> None:
    x = np.array([float.fromhex(text) for text in HARD_DOUBLES[name]])
    assert_same_bits(compiled(name, x), MEANING[name](x), x)


@every_function
@settings(max_examples=FEW)
@given(x=arrays(np.float32, array_shapes(max_dims=3, max_side=20), elements=st.floats(width=32)))
def test_any_floats(name: str, x: Array) -> None:
    assert_same_bits(compiled(name, x), MEANING[name](x), x)


@every_function
@settings(max_examples=FEW)
@given(x=arrays(np.float32, 64, elements=st.floats(-4, 4, width=32)))
def test_ordinary_floats(name: str, x: Array) -> None:
    assert_same_bits(compiled(name, x), MEANING[name](x), x)


@every_function
@settings(max_examples=FEW)
@given(x=arrays(np.float64, array_shapes(max_dims=2, max_side=6), elements=st.floats() | st.floats(-8, 8)))
def test_any_doubles(name: str, x: Array) -> None:
    assert_same_bits(compiled(name, x), MEANING[name](x), x)


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "erf", "sin", "cos"])
@every_type
def test_the_reference_against_mpmath(name: str, dtype: type) -> None:
    source = np.random.default_rng(7)
    x: Array = (source.normal(0, 2, 200) * 10.0 ** source.integers(-9, 2, 200)).astype(dtype)
    x = np.abs(x) if name == "log" else x
    with mpmath.workprec(300):
        true = [getattr(mpmath, name)(mpmath.mpf(float(v))) for v in x]
        for v, value, t in zip(x, getattr(elementary, name)(x), true, strict=True):
            around = [np.nextafter(value, dtype(-INF)), value, np.nextafter(value, dtype(INF))]
            errors = [abs(mpmath.mpf(float(f)) - t) for f in around]
            assert errors[1] == min(errors), (v, value)


@pytest.mark.parametrize("x", [1e6, 22.0, 355.0, 3.4e38, 1e22])
def test_sine_and_cosine_of_large_angles(x: float) -> None:
    angle = np.array([x, -x], np.float32)
    sine, cosine = elementary.sin(angle), elementary.cos(angle)
    assert sine[0] == -sine[1]
    assert cosine[0] == cosine[1]
    assert math.isclose(float(sine[0]) ** 2 + float(cosine[0]) ** 2, 1, rel_tol=2e-7)
    assert sine[0] == np.float32(math.sin(float(angle[0])))


def test_the_reference_keeps_type_and_shape() -> None:
    for dtype in (np.float32, np.float64):
        for shape in ((), (0,), (2, 0, 3), (2, 3)):
            result = elementary.exp(np.ones(shape, dtype))
            assert result.dtype == dtype
            assert result.shape == shape
    assert isinstance(elementary.tanh(np.float32(1)), np.float32)
    with pytest.raises(TypeError, match="float32 or float64, got int64"):
        elementary.exp(np.array([1]))


def test_the_reference_decides_beyond_double_precision() -> None:
    """A midpoint of two floats missed by 10^-30 either way: float64 cannot see it, the decimal comparison can."""
    with localcontext(Context(prec=60)):
        middle, a_little = Decimal(1) + Decimal(2) ** -24, Decimal("1e-30")
        assert elementary._nearest(middle + a_little, True) == 1 + 2.0**-23
        assert elementary._nearest(middle - a_little, True) == 1
        overflow = Decimal(2) ** 128 - Decimal(2) ** 103
        assert elementary._nearest(overflow - 1, True) == float(np.finfo(np.float32).max)
        assert elementary._nearest(overflow + 1, True) == INF


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("single", [True, False])
def test_digits_that_leave_it_open_decide_nothing(side: int, single: bool) -> None:
    """The first digits lie at the other side of a midpoint than the number itself, within their error."""
    step = Decimal(2) ** (-23 if single else -52)

    def exact(middle: Decimal, digits: int) -> Decimal:
        first = digits == elementary.FIRST_DIGITS
        return middle + (-side if first else side) * Decimal(10) ** (2 - elementary.FIRST_DIGITS)

    with localcontext(Context(prec=200)):
        middle = 1 + step / 2
    found = elementary.decide(middle, exact, single)
    assert found == float(1 + step if side > 0 else 1)


def test_a_planted_error_is_noticed() -> None:
    """One bit of one result of an even sample, or a zero's sign, is enough to fail."""
    x = np.linspace(-3, 3, 1001, dtype=np.float32)
    x[500] = 0
    right = MEANING["tanh"](x)
    for index, value in ((17, np.nextafter(right[17], np.float32(1))), (500, -right[500])):
        wrong = right.copy()
        wrong[index] = value
        with pytest.raises(AssertionError, match="1 differ"):
            assert_same_bits(wrong, right, x)
