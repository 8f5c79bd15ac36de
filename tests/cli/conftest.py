"""What tests of commands share."""

import pytest
from helpers.lessons_once import lessons_once


@pytest.fixture(scope="module")
def computed_once():
    """What lessons compute is computed once for all tests of a file that asks for this."""
    with lessons_once():
        yield
