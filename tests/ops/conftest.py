"""What tests of one's own functions need."""

from functools import partial

import pytest

from llmtrace.testing import functions, steady


@pytest.fixture
def as_drawn(monkeypatch):
    """What is wrong is shown with the input that was drawn: smaller ones are looked for by the test of the smallest."""
    monkeypatch.setattr(functions, "steady", partial(steady, shrink=False))
