"""A model as two files: in a process of its own, without llmtrace, the same bits; short; refusals in a line."""

import hashlib
import runpy
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.small_models import Texts, small_gpt, tensors

import llmtrace
from llmtrace.cli import main
from llmtrace.cli.selftest import HARD
from llmtrace.errors import ModelError
from llmtrace.models import GPT, GPTConfig, Sampling
from llmtrace.models.gpt import ACTIVATIONS
from llmtrace.ops import Weight
from llmtrace.weights.gpt import GPT2
from llmtrace.weights.two_files import SOURCE, write


def run(folder, *ids):
    """What the program prints, started alone: no site, no path but its own, no llmtrace."""
    command = [sys.executable, "-I", str(folder / "gpt.py"), *map(str, ids)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def run_here(monkeypatch, capsys):
    """What the program prints, and the message with which it ends, if any: run in this process."""

    def said(folder, *ids):
        monkeypatch.setattr(sys, "argv", [str(folder / "gpt.py"), *map(str, ids)])
        message = None
        try:
            runpy.run_path(str(folder / "gpt.py"), run_name="__main__")
        except SystemExit as end:
            message = end.code
        return capsys.readouterr().out, message

    return said


def digest(model, ids):
    return hashlib.sha256(model.logits(list(ids)).astype("<f4").tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("storyteller", "The king had a child, a girl."),
        ("tiny", "the king has a girl and gives"),
        ("jielong", "中华人民"),
    ],
)
def test_the_bundled_models_have_the_same_bits_and_go_on_alike(name, text, tmp_path):
    model = llmtrace.load(name)
    ids = model.ids(text).tolist()
    write(model, tmp_path, ids)
    result = run(tmp_path)
    assert not result.stderr
    assert f"SHA-256 of the logits: {digest(model, ids)}\n" in result.stdout
    steps = min(10, model.config.context - len(ids))
    going_on = "".join(choice.text for choice in model.generate(text, steps, Sampling(0)))
    assert (text + going_on).strip() in result.stdout


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_setting_that_changes_the_mathematics_is_followed(activation, tmp_path, run_here):
    config = GPTConfig(5, 9, 6, 2, 2, 7, 1e-3, activation, divided_by_root=activation == "silu", divided_by_layer=True)
    given = {name: data * 4 for name, data in tensors(config).items()}
    model = GPT(config, GPT2.weights(config, given, "random"), Texts("ABCDE"), "own")
    write(model, tmp_path, [0])
    ids = [4, 0, 3, 3, 1, 2, 0, 1, 4]
    assert digest(model, ids) in run_here(tmp_path, *ids)[0]


def test_scores_of_a_table_of_their_own(tmp_path, run_here):
    tied = small_gpt()
    own = Weight("lm_head.weight", tied.weights["embed.token.weight"].data[::-1].copy(), ("vocabulary", "feature"))
    model = GPT(tied.config, {**tied.weights, "logits.weight": own}, tied.tokenizer)
    write(model, tmp_path, [0])
    assert digest(model, [2, 1, 0]) in run_here(tmp_path, 2, 1, 0)[0]


@pytest.mark.parametrize("name", ["exp", "tanh", "erf"])
def test_its_curves_round_correctly_where_that_is_hard(name):
    program = runpy.run_path(str(SOURCE))
    given, wanted = np.array(HARD[name], np.uint32).view(np.float32).T
    assert program[name](given).tobytes() == wanted.tobytes()


def test_it_can_be_read_in_one_go_and_needs_numpy_alone():
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 200
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names | {"numpy"}


def test_tokens_that_there_are_not(tmp_path, run_here):
    write(llmtrace.load("tiny"), tmp_path, [2])
    refusal = (
        "give up to 12 token ids from 0 to 26, such as 2; `llmtrace tokenize TEXT --model MODEL` prints those of a text"
    )
    for ids in (["27"], ["-1"], ["1"] * 13, ["The old man"], ["--help"], [""], ["9" * 5000]):
        assert run_here(tmp_path, *ids) == ("", refusal)
    result = run(tmp_path, 27)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"{refusal}\n")


def test_nothing_in_a_text_can_steer_the_terminal(tmp_path, run_here):
    model = small_gpt(["\x1b[31m", "\n", "中", "\u202e", "\x07"], context=9)
    write(model, tmp_path, [0])
    printed = run_here(tmp_path, 0, 1, 2, 3, 4)[0]
    assert "\\x1b[31m\n中\\u202e\\x07" in printed
    assert printed.replace("\n", "").isprintable()


def test_what_is_no_gpt_of_float32_is_refused(tmp_path):
    model = small_gpt()
    double = {key: weight.with_data(weight.data.astype(np.float64)) for key, weight in model.weights.items()}
    with pytest.raises(ModelError, match="float32"):
        write(GPT(model.config, double, model.tokenizer), tmp_path, [0])
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="file"):
        write(model, tmp_path / "file", [0])


def test_the_command_prints_the_hash_that_the_program_prints(tmp_path, monkeypatch):
    monkeypatch.setenv("LLMTRACE_MODEL", "tiny")
    said = CliRunner().invoke(main, ["export", "two-files", str(tmp_path / "new" / "her")])
    assert said.exit_code == 0, said.stderr
    line = next(line for line in said.stdout.splitlines() if line.startswith("SHA-256"))
    assert said.stdout.endswith("with the ids of its tokens, which llmtrace tokenize TEXT prints\n")
    assert run(tmp_path / "new" / "her").stdout == f"{line}\n the king has a girl and gives her a ring.\n\n"
