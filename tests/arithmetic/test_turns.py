"""The angles of positions: their cosines and sines, rounded once, against decimals of many digits."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmtrace.arithmetic.elementary import FAST_ERROR, sine_of
from llmtrace.arithmetic.turns import COARSE, _about, _rows, turns

BASES = [10000.0, 1e6, 500000.0, 100.0, 1.5, 1e30]


def exact(position, pair, pairs, base, quarter):
    """Sixty digits of the cosine (quarter 1) or sine (0)."""
    with localcontext() as context:
        context.prec = 160
        angle = Decimal(position) * (-Decimal(pair) / pairs * Decimal(base).ln()).exp()
    return sine_of(angle, 60, quarter)


@given(st.integers(0, 2**31 - 1), st.integers(0, 63), st.sampled_from([64, 5]), st.sampled_from(BASES))
@example(131071, 0, 64, 10000.0)
@example(355, 0, 64, 10000.0)  # 113·π but for 3·10^−5
@example(710, 0, 64, 10000.0)
@example(1, 4, 5, 1e30)
def test_every_entry_is_the_float_nearest_to_its_true_value(position, pair, pairs, base):
    pair %= pairs
    for dtype in (np.float32, np.float64):
        found = turns(position, pairs, base, dtype)
        for value, quarter in ((found.cosine[pair], 1), (found.sine[pair], 0)):
            true = exact(position, pair, pairs, base, quarter)
            assert value.dtype == dtype
            near = [Decimal(float(np.nextafter(value, dtype(side)))) for side in (-2, 2)]
            own = abs(Decimal(float(value)) - true)
            assert all(own <= abs(other - true) for other in near)


@given(st.integers(0, 2**31 - 1), st.sampled_from(BASES))
def test_the_first_attempt_is_as_near_as_it_is_taken_for(position, base):
    for which, row in enumerate(_about(np.array([[position]]), 7, base)[:, 0]):
        for pair, value in enumerate(row):
            true = exact(position, pair, 7, base, 1 - which)
            assert (
                abs(Decimal(float(value)) - true) <= Decimal(FAST_ERROR) * abs(true) or abs(value) < position * COARSE
            )


def test_the_first_position_is_not_turned_and_shapes_are_kept():
    found = turns(np.zeros((2, 3), np.int64), 4, 1e4)
    np.testing.assert_array_equal(found.cosine, np.ones((2, 3, 4), np.float32))
    np.testing.assert_array_equal(found.sine, np.zeros((2, 3, 4), np.float32))
    assert turns(np.zeros(0, np.int64), 4, 1e4).sine.shape == (0, 4)
    rows = turns([[7, 3], [3, 7]], 4, 1e4).sine
    np.testing.assert_array_equal(rows[0], rows[1, ::-1])
    np.testing.assert_array_equal(rows[0, 1], turns(3, 4, 1e4).sine)


@pytest.mark.parametrize("base", BASES)
def test_angles_of_all_positions_are_near_those_of_float64(base):
    found, angles = turns(np.arange(200), 8, base), np.arange(200)[:, None] * base ** (-np.arange(8) / 8)
    np.testing.assert_allclose(found.cosine, np.cos(angles), rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.sine, np.sin(angles), rtol=0, atol=1e-7)


@given(st.lists(st.integers(0, 200) | st.integers(2**31 - 40, 2**31 - 1), max_size=6))
def test_a_position_is_turned_alike_whatever_is_asked_for_beside_it(positions):
    together = turns(positions, 3, 1e4)
    for place, position in enumerate(positions):
        _rows.cache_clear()
        alone = turns(position, 3, 1e4)
        assert (together.cosine[place].tobytes(), together.sine[place].tobytes()) == (
            alone.cosine.tobytes(),
            alone.sine.tobytes(),
        )
