"""Numbers in words: no sign is left that readers pass over, and what is said is the number that was shown."""

import re
from contextlib import contextmanager
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtrace import i18n
from llmtrace.render.plain.words import spoken
from llmtrace.views.numbers import decimal, percent, rounded

FORMS = {
    "en": r"(?P<sign>minus )?(?P<digits>[\d.]+)(?: times 10 to the (?P<below>minus )?(?P<power>\d+))?",
    "zh": r"(?P<sign>负 )?(?P<digits>[\d.]+)(?: 乘 10 的(?P<below>负)? (?P<power>\d+) 次方)?",
}


def value(text, language):
    """The number that was said."""
    found = re.fullmatch(FORMS[language], text)
    assert found, text
    power = int(found["power"] or 0) * (-1 if found["below"] else 1)
    return Decimal(found["digits"]).scaleb(power) * (-1 if found["sign"] else 1)


@contextmanager
def speaking(language):
    i18n.use(language)
    try:
        yield
    finally:
        i18n.use(None)


@pytest.mark.parametrize("language", ["en", "zh"])
@given(
    st.one_of(
        st.floats(width=32, allow_nan=False, allow_infinity=False),
        st.builds(lambda x, power: x * 10.0**power, st.floats(-10, 10), st.integers(-30, 30)),
    )
)
def test_what_is_said_is_what_was_shown(language, x):
    with speaking(language):
        shown = rounded(np.float64(x))
        assert value(spoken(shown), language) == decimal(shown)
        assert spoken(spoken(shown)) == spoken(shown)


@pytest.mark.parametrize("shown", ["8.299e−06", "8.299e-06", "8.299×10⁻⁶"])
@pytest.mark.parametrize(
    ("language", "words"), [("en", "8.299 times 10 to the minus 6"), ("zh", "8.299 乘 10 的负 6 次方")]
)
def test_both_forms(shown, language, words):
    with speaking(language):
        assert spoken(f"{shown} %") == f"{words} %"
        assert spoken(f"(−{shown})") == f"({'minus' if language == 'en' else '负'} {words})"


@pytest.mark.parametrize("text", ["block.1e5", "0x3ac37de2", "f1e05", "model1e-5x", "Re 3"])
def test_what_is_no_number_stays(text):
    assert spoken(text) == text


def test_percentages_are_said():
    assert spoken(percent(8.2991234e-08).text) == "8.299 times 10 to the minus 6 %"
