"""Looking at a trace: every view fits its page, does nothing but show, nests and is shown by notebooks; the command."""

import io
import itertools
import json

import pytest
from click.testing import CliRunner
from helpers.cli_run import said
from helpers.fresh import examples, quick
from helpers.inert import harmless, texts
from helpers.looks import LOOKS, PATTERN, coloured
from helpers.printing import as_text, facts
from helpers.small_models import long_trace, small_gpt, write_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from llmtrace.cli import main
from llmtrace.display import on_command_line
from llmtrace.render import media, render
from llmtrace.render.notebook import mimebundle
from llmtrace.views.catalog import look

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def trace():
    return small_gpt().trace("CBABBC")


@pytest.fixture(scope="module", name="long_trace")
def long():
    return long_trace()


# ---- what every view keeps ------------------------------------------------------------------------------------------


WIDTHS = [20, 40, 60, 80, 200]


@pytest.mark.parametrize(("turn", "name", "options"), [(n, *each) for n, each in enumerate(LOOKS)])
def test_nothing_is_wider_than_the_page(trace, long_trace, turn, name, options):
    """In a quick run, at every third width by turns."""
    sources = [look(source, name, **options) for source in (trace, long_trace)]
    for width, view in itertools.product(WIDTHS[turn % 3 :: 3] if quick() else WIDTHS, sources):
        plain_signs = as_text(view, width, only_ascii=True)
        for shown in (as_text(view, width), plain_signs):
            assert shown
            harmless(shown)
            for line in shown.splitlines():
                assert cell_len(line) <= width, line
                assert line == line.rstrip()
        assert all(c.isascii() or c.isalpha() for c in plain_signs)
        plain = "".join(segment.text for segment in coloured(view, width, no_color=False))
        assert max(map(cell_len, plain.splitlines())) <= width


@pytest.mark.parametrize("turn", range(3))
@settings(max_examples=examples(6))
@given(st.lists(texts, min_size=3, max_size=3), st.sampled_from((45, 80)))
def test_tokens_do_nothing(turn, tokens, width):
    trace = small_gpt(texts=tokens).trace([0, 1, 2, 1])
    for name, options in LOOKS[turn::3]:
        view = look(trace, name, **options)
        harmless(as_text(view, width))
        harmless("".join(segment.text for segment in coloured(view, width, no_color=False)))
        for medium in set(media()) - {"png", "dot"}:  # no text, and nothing but graphs
            text = render(view, medium)
            assert text.replace("\n", "").isprintable()
            assert medium != "html" or "<script" not in text
        json.dumps(facts(view), allow_nan=False)


@pytest.mark.parametrize(("name", "options"), LOOKS)
def test_views_nest(trace, name, options):
    view = look(trace, name, **options)
    table = Table("a", "b", width=100)
    table.add_row(view, Panel(view))
    for shown in (table, Columns([view, view]), Panel(view)):
        console = Console(file=io.StringIO(), width=100)
        console.print(shown)
        for line in console.file.getvalue().splitlines():
            assert cell_len(line) <= 100


@pytest.mark.parametrize(("name", "options"), LOOKS)
def test_notebooks(trace, name, options):
    view = look(trace, name, **options)
    bundle = view._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == as_text(view)
    assert bundle["text/html"] == render(view, "html")
    assert set(view._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(view._repr_mimebundle_(exclude={"text/plain"})) == {"text/html"}


def test_notebooks_show_traces_steps_and_explanations(trace, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    for thing in (trace, trace["logits"], trace[PATTERN], trace.explain("logits", -1, 0)):
        assert mimebundle(thing)["text/plain"] == as_text(thing)
    assert "background:" in mimebundle(trace[PATTERN])["text/html"]


# ---- the command line -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(write_folder(tmp_path_factory.mktemp("show") / "model"))


def flags(options):
    for key, value in options.items():
        yield from (["--all"] if key == "every" else [f"--{key}", str(value)])


@pytest.mark.parametrize(("name", "options"), LOOKS)
def test_the_command(trace, model, name, options):
    arguments = [*([name] if name else []), *flags(options), "--prompt", "CBABBC", "--model", model]
    text = said("show", *arguments)
    with on_command_line():
        own = as_text(look(trace, name, **options), 80)
    assert text.splitlines()[1:] == own.splitlines()[1:]
    assert said("show", *arguments, "--ascii").isascii()
    data = json.loads(said("show", *arguments, "--json"))
    expected = json.loads(json.dumps(facts(look(trace, name, **options))))
    assert {**data, "model": ""} == {**expected, "model": ""}


def test_the_last_prompt_and_files(trace, model, tmp_path):
    assert "no prompt was traced yet" in said("show", "residual", code=2)
    CliRunner().invoke(main, ["trace", "CBABBC", "--model", model])
    assert said("show", "residual").startswith("prompt: 'CBABBC' (traced last, with model)\n\nThe residual stream")
    json.loads(said("show", "residual", "--json"))
    path = tmp_path / "a.trace"
    trace.save(path, with_weights=True)
    assert said("show", str(path), "residual") == as_text(look(trace, "residual"), 80) + "\n"
    assert said("show", str(path)) == as_text(look(trace), 80) + "\n"
    assert "not both" in said("show", str(path), "--prompt", "A", code=2)


ERRORS = [
    (["block.0.attn.patern"], "the nearest names are block.0.attn.pattern"),
    (["residul"], "the nearest name is residual"),
    (["block.0.attn.pattern", "--head", "3"], "has no head 3; its heads are 0 to 2"),
    (["block.0.attn.q", "--head", "3"], "has no head 3; its heads are 0 to 2"),
    (["block.0.ln_1", "--head", "0"], "--head does not go with block.0.ln_1"),
    (["block.0.mlp.up", "--neuron", "48"], "has no neuron 48; its neurons are 0 to 47"),
    (["block.1.mlp.down", "--neuron", "1"], "has no neurons; steps that have are block.1.mlp.up, block.0.mlp.up"),
    (["logits", "--neuron", "1"], "logits has no neurons"),
    (["logits", "--position", "6"], "there is no position 6: they go from 0 to 5"),
    (["residual", "--position", "-7"], "there is no position -7: they go from 0 to 5"),
    (["block.0.ln_1", "--position", "0"], "--position does not go with block.0.ln_1"),
    (["--head", "0"], "--head does not go with"),
    (["tokens", "--neuron", "0"], "--neuron does not go with tokens"),
    (["a", "b"], "'a' is not a trace file"),
    (["logits", "--head", "-1"], "--head"),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_errors_are_one_line(model, arguments, message):
    text = said("show", *arguments, "--prompt", "CBABBC", "--model", model, code=2)
    assert text.startswith("Error: ")
    assert message in text
    assert text.count("\n") == 1


@pytest.mark.parametrize("text", ["\x1b[31m", "a/\x9b", "x\x00.trace", "\u202e", "[bold]"])
def test_errors_show_text_inert(model, text):
    for arguments in (
        [text],
        [text, "logits"],
        ["logits", "--prompt", text],
        ["logits", "--model", text, "--prompt", "A"],
    ):
        result = CliRunner().invoke(main, ["show", "--model", model, *arguments])
        assert result.exit_code == 2
        assert result.output.startswith("Error: ")
        assert result.output.count("\n") == 1
        harmless(result.output)
