"""Everything that commands say is in the catalogue: run in a language of brackets, nothing English is left outside."""

import ast
import os
import re
import shlex
from pathlib import Path

import catalogue
import click
import pytest
from click.testing import CliRunner
from helpers.pseudo import english
from helpers.small_models import small_gpt, write_folder

from llmtrace import i18n
from llmtrace.cli import COMMANDS, main
from llmtrace.models import Sampling


@pytest.fixture(autouse=True)
def wide(own_state, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """A model, a trace of it, a damaged one, and what else commands can be run on."""
    folder = tmp_path_factory.mktemp("words")
    write_folder(folder / "model")
    write_folder(folder / "large", blocks=6)
    trace = small_gpt().trace("CABBC")
    trace.save(folder / "good.trace", with_weights=True)
    trace.save(folder / "weightless.trace")
    generation = small_gpt().generate("CABBC", 2, Sampling(0.9, 2, 0.8))
    list(generation)
    generation.trace().save(folder / "generated.trace", with_weights=True)
    damaged = bytearray((folder / "good.trace").read_bytes())
    damaged[-100] ^= 1
    (folder / "damaged.trace").write_bytes(damaged)
    (folder / "empty.trace").write_bytes(b"")
    (folder / "broken").mkdir()
    (folder / "broken" / "config.json").write_text('{"model_type": "gpt2", "n_head": 5, "n_embd": 12, "vocab_size": 0}')
    (folder / "broken" / "model.safetensors").write_bytes((folder / "model" / "model.safetensors").read_bytes())
    (folder / "pickled").mkdir()
    (folder / "pickled" / "config.json").write_text("{}")
    (folder / "pickled" / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")
    return folder


SCORES = "block.0.attn.scores[head=1, query=4, key=1]"
RUNS = [
    "trace CABBC --model model",
    "trace CABBC --model model --all",
    "trace CABBC --model large",
    "trace CABBC --model large --layer 3",
    "trace CABBC --model model --layer 1 --head 1",
    "trace CABBC --model model --position 2",
    "trace CABBC --model model --head 1",
    "trace CABBC --model model --layer 0 --head 99",
    "trace CABBC --model model --position 99",
    "trace C --model model -o more.trace --with-weights",
    "tokenize CABBC --model model",
    *(f"generate CABBC --model model --steps {options}" for options in [
        "3 --table", "2 --temperature 2 --top-k 2 --top-p 0.9 --explain", "2 --temperature 0 --explain", "9 --table",
        "2 --table -o new.trace", "0", "2 --temperature -1", "2 --top-k 0", "2 --top-p 2", "2 --stop ''", "2 --last",
        "2 -o nowhere/x.trace",
    ]),
    "show generated.trace choice.1",
    "show generated.trace choice.1.token",
    "show generated.trace choice.1.number",
    "show generated.trace choice.9",
    "show generated.trace choice.1 --head 1",
    "show generated.trace",
    *(f"explain '{address}' --prompt CABBC --model model --depth 3" for address in [
        SCORES, "block.0.attn.scores[0, 1, 4]", "ln_f[2, 3]", "block.1.mlp.act[1, 2]", "probabilities[4, 1]",
        "next_token[4]", "tokens[0]", "logits.weight[0, 0]", "embed[1, 2]", "block.1.attn.pattern[head=0, query=2, key=4]",
    ]),
    f"explain '{SCORES}' --prompt CABBC --model model --all",
    f"explain '{SCORES}'",
    "show",
    "show good.trace",
    "show good.trace --all",
    "show --prompt CABBC --model large",
    *(f"show good.trace {name}" for name in [
        "embed", "block.0.ln_1", "block.0.attn.q", "block.0.attn.q --head 1", "block.0.attn.scores",
        "block.0.attn.pattern", "block.0.attn.pattern --head 1", "block.0.mlp.up --neuron 3", "residual",
        "residual --position 2", "logits", "logits --position 1", "probabilities", "next_token", "tokens",
        "block.0.mlp.up.weight", "nothing", "block.0.mlp.up --neuron 999", "embed --neuron 3", "embed --head 3",
        "block.0.attn.q --head 7", "residual --head 1", "residual --position 99", "logits --position 99",
    ]),
    "show good.trace --head 1",
    "show nofile embed",
    "show good.trace --prompt A",
    "verify good.trace",
    "verify good.trace --sample 5",
    "verify damaged.trace",
    "verify empty.trace",
    "verify nowhere.trace",
    "verify weightless.trace",
    "verify weightless.trace --model model",
    "verify model/model.safetensors",
    "doctor",
    "trace '' --model model",
    "trace XYZ --model model",
    "trace CABBCCABBCCABBC --model model",
    "trace A --model model --layer 9",
    "trace A --with-weights",
    "trace A --model model -o nowhere/x.trace",
    *(f"trace A --model {model}" for model in ["nowhere", "sortr", "''", "broken", "pickled", ".", "model/config.json"]),
    *(f"explain '{address}' --prompt CAB --model model" for address in [
        "nothing[0]", "logits", "logits[0", "logits[x]", "logits[0, 0, 0]", "logits[feature=1]", "logits[0, vocabulary=9]",
        "logits[0, 'Z']", "logits[0, position=0]", "logits[position=0, 1]", r"logits[0, \"\\q\"]",
    ]),
    "explain 'block.0.attn.scores[0, 1, 0]' --prompt CAB --model model --depth 99",
    *(f"{command} --help" for command in ["", *COMMANDS]),
]  # fmt: skip


def test_english_is_seen():
    assert english("⟦said ⟦twice⟧⟧ Forgotten: 'quoted' block.0.mlp.up[position=1] --all FILE") == ["Forgotten"]


@pytest.mark.parametrize("line", RUNS)
def test_all_that_is_said_is_in_the_catalogue(line, things, bracketed, monkeypatch):
    monkeypatch.chdir(things)
    if ("explain '" in line and "--prompt" not in line) or line == "show":
        CliRunner().invoke(main, ["trace", "CABBC", "--model", "model"])
    result = CliRunner().invoke(main, shlex.split(line))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert "⟦" in result.output
    text = result.output
    if line.endswith("--help"):  # the examples are no text; they are run below
        text = "\n".join(
            part for part in text.split("\n") if "llmtrace " not in part or part.count("⟦") > part.count("⟧")
        )
    left = english(text)
    assert not left, f"{left}\n{result.output}"


ERRORS = {"AddressError", "DoesNotFitError", "ModelError", "PromptError", "ReplayError", "TraceFileError"}
ERRORS |= {"ClickException", "UsageError", "BadParameter"}


def untranslated(text):
    """Errors that are raised with a text that did not go through the catalogue."""
    for node in catalogue.nodes_of(text) if any(name in text for name in ERRORS) else ():
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in ERRORS
            and node.args
        ):
            parts = getattr(node.args[0], "values", [node.args[0]])
            said = " ".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
            if re.search("[A-Za-z]{3,}", said):
                yield ast.unparse(node)


def test_errors_go_through_the_catalogue():
    files = Path(i18n.__file__).parent.rglob("*.py")
    assert not [found for path in files for found in untranslated(path.read_text())]
    assert list(untranslated("raise ModelError('no model')"))
    assert list(untranslated("raise click.UsageError(f'{x} is wrong')"))
    assert not list(untranslated("raise ModelError(f'{where}: {what}')"))


CLICKS = [
    "trace", "trace A --layer x", "trace A --layer -1", "trace A B", "trace A --all=1", "trace A --model", "nonsense",
    "--nonsense", "trace A --laye 1", "verify", "completion", "completion tcsh", "train", "train x --schedule y",
]  # fmt: skip


@pytest.mark.parametrize("line", CLICKS)
def test_what_click_says_stays_english_between_our_words(line, bracketed):
    result = CliRunner().invoke(main, shlex.split(line))
    assert result.exit_code == 2
    assert result.output.startswith("⟦Error: ")


@pytest.mark.parametrize("line", CLICKS)
@pytest.mark.parametrize("asked", [{"LANG": "zh_CN.UTF-8"}, {"LANGUAGE": "zh", "LANG": "C"}])
def test_what_click_says_is_chinese_too(line, asked, monkeypatch):
    for name in i18n.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    said = CliRunner().invoke(main, shlex.split(line)).output
    assert said.startswith("错误：")
    assert not english(said), said
    assert not re.search("[，。；：？！] ", said), said
    assert {name: os.environ[name] for name in i18n.VARIABLES if name in os.environ} == asked


def test_what_click_says_is_what_the_catalogue_translates():
    """Click's own sources still have every text of messages.po."""
    files = (Path(click.__file__).parent / f"{name}.py" for name in ("core", "exceptions", "parser", "types"))
    known = {
        argument.value
        for path in files
        for node in catalogue.nodes_of(path.read_text())
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"_", "ngettext"}
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }
    with (i18n.LOCALE / "zh" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        messages = [message for message in catalogue.read_po(file, locale="zh") if message.id]
    for message in messages:
        texts = message.id if isinstance(message.id, tuple) else (message.id,)
        assert known.issuperset(texts)
        said = message.string[0] if isinstance(message.string, tuple) else message.string
        assert catalogue.kept(said) <= catalogue.kept(texts[-1])
        assert said
    assert len(messages) > 10
