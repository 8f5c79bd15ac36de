"""Notes and errors: on a terminal in lines as wide as that, in a pipe in one."""

import pytest
from helpers.terminal import Terminal, piped

ERROR = "Error: there is no model 'nowhere': give a folder, or one of jielong, smollm2, storyteller, tiny, translator; "
ERROR += "llmtrace fetch nowhere fetches that of Hugging Face's hub"
NOTE = "Note: ascii lacks the letters of that language, so this is English; PYTHONIOENCODING=utf-8 writes them all"

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.mark.parametrize("columns", ["40", "80"])
@pytest.mark.parametrize(
    ("command", "said", "environment"),
    [
        (("trace", "x", "--model", "nowhere"), ERROR, {}),
        (("tokenize", "x", "--lang", "zh", "--model", "tiny"), NOTE, {"PYTHONIOENCODING": "ascii"}),
    ],
)
def test_lines_are_broken_between_words_on_a_terminal_alone(command, said, environment, columns):
    english = {"LLMTRACE_LANG": "en", **environment}
    text = Terminal(*command, COLUMNS=columns, **english).read()
    lines = [line.rstrip() for line in text.split("\r\n")]
    assert said in " ".join(lines)
    assert max(map(len, lines)) <= int(columns)
    assert said in piped(*command, COLUMNS=columns, **english)[1].decode().split("\n")


@pytest.mark.parametrize("columns", ["0", "000", "", "abc"])
def test_columns_that_are_no_number_of_columns_count_for_nothing(columns):
    assert piped("tokenize", "the king has a girl", "--model", "tiny", COLUMNS=columns) == piped(
        "tokenize", "the king has a girl", "--model", "tiny", COLUMNS="80"
    )
