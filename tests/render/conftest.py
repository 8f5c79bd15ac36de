"""What tests of files share."""

import pytest

import llmtrace
from llmtrace.render.page_file import page

SENTENCE = "The king had a child, a girl, and the old lamp will belong to"


@pytest.fixture(scope="session")
def king(tmp_path_factory):
    """The page of the storyteller, as a file."""
    model = llmtrace.load()
    path = tmp_path_factory.mktemp("page") / "king.html"
    path.write_text(page(model.trace(SENTENCE), model.tokenizer), encoding="utf-8")
    return path
