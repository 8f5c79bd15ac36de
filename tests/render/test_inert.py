"""Text of others is shown and does nothing: no control character leaves, no markup works, whatever a token holds."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.fresh import quick
from helpers.inert import NASTY, harmless, texts
from helpers.printing import as_text, printed
from helpers.small_models import small_gpt, write_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from llmtrace.arithmetic.lines import Constant, Elements, Line
from llmtrace.cli import main
from llmtrace.explain import Explanation
from llmtrace.explain.exact_text import exact_text
from llmtrace.text import inert, quoted
from llmtrace.views.overview import view as overview


@given(texts)
def test_inert_text_is_one_harmless_line(text):
    for shown in (inert(text), quoted(text), quoted(text, 8)):
        harmless(shown)
        assert "\n" not in shown
    assert cell_len(quoted(text, 8)) <= 8
    if text.isprintable():
        assert inert(text) == text


def test_what_is_not_printable_is_visible():
    assert inert("\x1b[31m\x9b\x00\r\u202e\udcff") == r"\x1b[31m\x9b\x00\r\u202e\udcff"
    assert quoted(" cat") == "' cat'"
    assert quoted("a" * 40, 10) == "'" + "a" * 8 + "…"


@settings(max_examples=8 if quick() else 30)
@given(st.lists(texts, min_size=3, max_size=3), st.sampled_from([(80, "utf-8"), (40, "ascii")]))
def test_tokens_do_nothing(tokens, page):
    trace = small_gpt(texts=tokens).trace([0, 1, 2, 1])
    things = [trace, trace["logits"], trace["block.0.attn.pattern"]]
    things += [trace.explain("block.0.attn.scores", 0, 3, 1), trace.explain("probabilities", 3, 1)]
    for thing in things:
        shown = printed(thing, *page)
        harmless(shown)
        assert all(cell_len(line) <= page[0] for line in shown.splitlines())
    assert quoted(tokens[1], 24) in as_text(overview(trace), 1000).splitlines()[0]
    harmless(exact_text(trace.explain("logits", 3, 1, depth=2)))


@given(texts, texts)
def test_an_explanation_from_elsewhere_does_nothing(name, sentence):
    element = Elements(name, ("feature",), (0,), np.asarray(np.float32(1)))
    line = Line(name, "negate", (Constant(name, np.asarray(np.float32(-1))),), element.values)
    explanation = Explanation(element, name, name, sentence, (line,))
    harmless(printed(explanation))
    harmless(exact_text(explanation))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("inert") / "model", texts="A\x1b\x9b")


@pytest.mark.parametrize("make", [
    lambda text, model: ["trace", "--model", str(model), "--", text],
    lambda text, model: ["trace", "A", "--model", text],
    lambda text, model: ["explain", text, "--model", str(model), "--prompt", "A"],
    lambda text, model: ["explain", f"logits[0, {json.dumps(text)}]", "--model", str(model), "--prompt", "A"],
    lambda text, model: ["explain", "logits[0, 0]", "--model", str(model), "--prompt", text],
    lambda text, model: [text],
    lambda text, model: ["trace", "A", "--layer", text],
    lambda text, model: ["doctor", text],
])  # fmt: skip
def test_errors_show_text_inert(make, folder, tmp_path):
    for text in NASTY:
        result = CliRunner().invoke(main, make(text, folder), env={"XDG_STATE_HOME": str(tmp_path)})
        assert not [c for c in result.output if c != "\n" and not c.isprintable()], repr(text)
        assert result.exit_code in {0, 2}, repr(text)
        if result.exit_code == 2:
            assert result.output.startswith("Error: "), repr(text)
            assert result.output.count("\n") == 1, repr(text)


def test_tokens_with_controls_through_the_command_line(folder, tmp_path):
    for options in ([], ["--json"]):
        result = CliRunner().invoke(
            main, ["trace", "A\x1b\x9bA", "--model", str(folder), *options], env={"XDG_STATE_HOME": str(tmp_path)}
        )
        assert result.exit_code == 0, result.output
        harmless(result.output)
        assert ("\\u001b" if options else "'\\x1b'") in result.output
