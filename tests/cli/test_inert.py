"""A forged trace file, a hostile model folder, a hostile prompt: every command, with colours and without, stays inert."""

import copy
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.fresh import examples, quick
from helpers.small_models import small_gpt, write_folder
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtrace.cli import main
from llmtrace.trace.container import WEIGHT, TraceFile, write

pytestmark = pytest.mark.usefixtures("own_state")

NASTY = ["\x1b[1337m", "\x1b]0;title\x07", "\x9b31m", "\x00", "a\rb", "a\nb", "\u202eabc", "\u2066x", "[bold]x[/bold]"]
NASTY += [
    "[/]",
    "[link=https://example.org]x[/link]",
    ":smile:",
    "\x7f",
    "\x08\x08",
    "\x85",
    "\u2028",
    "\ufeff",
    "\ud800",
]
nasty = st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec=None), max_size=8))

OURS = re.compile(r"\x1b\[(?:(?:\d|[1-9]\d|1\d\d|2[0-5]\d)(?:;|(?=m)))*m")
"""The colours that Rich writes; no number in them is above 255."""


def harmless_run(*arguments, colour=False, **options):
    """A command's output, found to be harmless; and its exit code."""
    environment = {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color"} if colour else {}
    result = CliRunner().invoke(main, list(arguments), env=environment, color=colour, **options)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exc_info)
    assert result.exit_code in {0, 1, 2}
    text = OURS.sub("", result.output) if colour else result.output
    assert not [c for c in text if c != "\n" and not c.isprintable()], repr(text)
    if result.exit_code == 2:
        assert re.match("(prompt: .*\n)?Error: ", text)
    text.encode()
    return text, result.exit_code


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """The content and the tensors of a true trace."""
    path = tmp_path_factory.mktemp("inert") / "honest.trace"
    small_gpt(texts=["A", "B", "C"], blocks=1).trace("CAB").save(path, with_weights=True)
    file = TraceFile(path)
    arrays = {name: np.array(file.array(name)) for name in file.names()}
    return lambda: (copy.deepcopy(file.content), arrays)  # a function, since Hypothesis prints what it is given


def places(content):
    """Where a trace file holds texts: what to call with the content and a text."""

    def at(*keys):
        def put(content, text):
            for key in keys[:-1]:
                content = content[key]
            content[keys[-1]] = text

        return put

    yield from (at("model", key) for key in ("name", "reference", "weights_hash"))
    yield from (at("model", "config", key) for key in ("width", "epsilon"))
    yield from (at("text"), at("llmtrace"))
    yield from (at("tokens", n) for n in range(len(content["tokens"])))
    yield from (at("vocabulary", key) for key in content["vocabulary"])
    for n, step in enumerate(content["steps"]):
        yield from (at("steps", n, "op"), at("steps", n, "settings", "epsilon"), at("steps", n, "settings", "note"))
        yield from (at("steps", n, "axes", i) for i in range(len(step["axes"])))
        yield from (at("steps", n, "inputs", i) for i in range(len(step["inputs"])))
    for name, entry in content["weights"].items():
        yield from (at("weights", name, "axes", i) for i in range(len(entry["axes"])))


def renamed(content, arrays, old, new):
    """The trace with another name for one of its steps, wherever it stands."""

    def change(value):
        if isinstance(value, dict):
            return {change(key): change(entry) for key, entry in value.items()}
        return [change(entry) for entry in value] if isinstance(value, list) else new if value == old else value

    return change(content), {new if name == old else name: array for name, array in arrays.items()}


numbers = st.integers(0, 9999)


@settings(max_examples=examples(40))
@given(
    edits=st.lists(st.tuples(numbers, nasty), max_size=6), which=numbers, new=st.none() | nasty, colour=st.booleans()
)
def test_a_forged_trace_file(edits, which, new, colour, honest, tmp_path_factory):
    content, arrays = honest()
    ways = list(places(content))
    for number, text in edits:
        ways[number % len(ways)](content, text)
    names = [name for name in arrays if not name.startswith(WEIGHT)]
    name = names[which % len(names)]
    if new and new.isascii():
        content, arrays = renamed(content, arrays, name, new)
        name = new
    path = tmp_path_factory.mktemp("forged") / "forged.trace"
    write(path, arrays, content)
    commands = [["show"], ["verify"], ["verify", "--sample", "3"], ["show", "--json"], ["show", "--ascii"]]
    commands += [["show", "--", shown] for shown in (name, "logits", "residual", "block.0.attn.pattern")]
    for command, *more in commands[which % 2 :: 2] if quick() else commands:
        harmless_run(command, str(path), *more, colour=colour)


@settings(max_examples=examples(30))
@given(texts=st.lists(nasty, min_size=3, max_size=3, unique=True), colour=st.booleans())
def test_hostile_tokens_in_a_trace_file(texts, colour, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens.trace"
    small_gpt(texts=texts, blocks=1).trace([0, 1, 2, 1]).save(path, with_weights=True)
    assert harmless_run("verify", str(path), colour=colour)[1] == 0
    shown = [
        ["block.0.attn.pattern"],
        ["residual"],
        ["logits"],
        ["embed"],
        ["tokens"],
        ["block.0.mlp.up", "--neuron", "1"],
    ]
    for each in shown[colour::2] if quick() else shown:
        assert harmless_run("show", str(path), *each, colour=colour)[1] == 0


COMMANDS = [
    ["trace"], ["tokenize"], ["explain", "logits[0, 0]", "--prompt"], ["show", "--prompt"], ["show", "embed", "--prompt"],
    ["verify"], ["show"], ["explain"], ["doctor"], ["completion"], ["--lang"], ["trace", "A", "--lang"],
    ["trace", "A", "--model"], ["tokenize", "A", "--model"], ["trace", "A", "-o"], ["verify", "x", "--model"],
    ["trace", "A", "--layer"], ["show", "--head"], [],
]  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A model folder with a hostile name and hostile tokens."""
    folder = tmp_path_factory.mktemp("hostile") / "m\x1b[1337m\u202e[bold]\r:smile:"
    return write_folder(folder, texts="A\x1b\x9b\r")


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("text", NASTY)
def test_hostile_arguments(text, colour, hostile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS[(NASTY.index(text) + colour) % 2 :: 2] if quick() else COMMANDS:
        model = ["--model", str(hostile)] if command and command[0] in {"trace", "explain", "show", "tokenize"} else []
        harmless_run(*command, text, *([] if "--model" in command else model), colour=colour)


@pytest.mark.parametrize("colour", [False, True])
def test_a_hostile_model_folder(hostile, colour, tmp_path):
    path = str(tmp_path / "from-hostile.trace")
    prompt, model = "A\x1b\x9b\rA", str(hostile)
    assert harmless_run("trace", prompt, "--model", model, "-o", path, colour=colour)[1] == 0
    assert harmless_run("tokenize", prompt, "--model", model, colour=colour)[1] == 0
    assert harmless_run("explain", "block.0.attn.scores[0, 4, 3]", "--depth", "3", colour=colour)[1] == 0
    for name in ([], ["block.0.attn.pattern"], ["residual"], ["logits"]):
        assert harmless_run("show", path, *name, colour=colour)[1] == 0
        assert harmless_run("show", *name, colour=colour)[1] == 0
    assert harmless_run("verify", path, colour=colour)[1] == 0
    data = json.loads(harmless_run("show", path, "logits", "--json", colour=colour)[0])
    assert any(row["text"] == "\x1b" for row in data["next_token"])
    (tmp_path / "damaged\x1b[1337m.trace").write_bytes(b"x" * 90)
    harmless_run("verify", str(tmp_path / "damaged\x1b[1337m.trace"), colour=colour)
