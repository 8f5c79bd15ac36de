"""Whatever was typed or read stands in a message as text: escaped, in one line, and not endless."""

from unicodedata import category

import pytest

import llmtrace
from llmtrace.errors import LlmtraceError
from llmtrace.explain.address import parse
from llmtrace.i18n import _
from llmtrace.text import cited, flowing, shown

ODD = ["a" * 300_000, "\x1b[31m", "\x9b1m", "a\nb\r\n", "\x00\x01", "\u202e", "\ud800", "中" * 5000, "'\"\\" * 50]


@pytest.mark.parametrize("text", ODD)
def test_in_one_line_and_not_endless(text):
    for function, room in ((shown, 200), (cited, 80)):
        said = function(text)
        assert said.isprintable()
        assert len(said) <= room + 2
    assert shown("as it is") == "as it is"
    assert cited("x") == "'x'"
    assert [cited(value) for value in (None, 5, 0.5, ["x"])] == ["None", "5", "0.5", "['x']"]


@pytest.mark.parametrize("text", ODD)
def test_every_error_is_harmless(text):
    for error in (LlmtraceError(text), LlmtraceError(_("it was {text!r}", text=text))):
        assert str(error).isprintable()
        assert len(str(error)) <= 1000


@pytest.fixture(scope="module")
def trace():
    return llmtrace.load().trace("The king")


@pytest.mark.parametrize("text", ODD)
def test_what_a_model_writes_stays_a_text(text):
    """Of tabs, spaces and joiners nothing is changed; of what steers a terminal nothing is left."""
    kept = "a\tb\n\u3000\u00a0\u2009你好 \U0001f469\u200d\U0001f4bb"
    assert flowing(kept) == kept
    written = flowing(text)
    assert not any(
        category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"} for c in written if c not in "\n\t\u200c\u200d"
    )
    if text.isprintable():
        assert written == text


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize(
    "ask",
    [
        lambda trace, text: trace.explain(text),
        lambda trace, text: trace.explain("logits", -1, text),
        lambda trace, text: trace.explain("logits", -1, vocabulary=text),
        lambda trace, text: trace.explain("logits", **{text: 1}),
        lambda trace, text: parse(f"logits[={text}]"),
        lambda trace, text: trace[text],
        lambda trace, text: trace.tensor(text),
        lambda trace, text: llmtrace.load(text),
        lambda trace, text: llmtrace.open(text),
    ],
)
def test_python_callers_are_told_harmlessly(trace, text, ask):
    with pytest.raises(LlmtraceError) as caught:
        ask(trace, text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= 1000
