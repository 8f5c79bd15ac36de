"""The handout is what the model computes now, and fits on two pages."""

import handout


def test_the_handout_is_up_to_date_and_fits_on_two_pages():
    text = handout.PAGE.read_text(encoding="utf-8")
    assert text == handout.page()
    lines = text.splitlines()
    assert len(lines) <= 2 * 66
    assert max(map(len, lines)) <= 132
    assert not any(line != line.rstrip() for line in lines)
