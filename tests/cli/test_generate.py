"""`llmtrace generate`: streams, tables, arithmetic, JSON, files, interruptions."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from helpers.cli_run import run
from helpers.small_models import write_folder
from helpers.terminal import process

import llmtrace
from llmtrace.cli import main
from llmtrace.explain.verify import verify
from llmtrace.models import Sampling
from llmtrace.models.generation import Generation


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(write_folder(tmp_path_factory.mktemp("generate") / "model"))


def generated(model, *arguments, **options):
    return [choice.id for choice in llmtrace.load(model).generate(*arguments, **options)]


def test_the_text_alone_where_the_output_is_no_terminal(model):
    ids = generated(model, "CAB", 5, Sampling(0.5, 2, 0.9, 3))
    settings = ["--temperature", "0.5", "--top-k", "2", "--top-p", "0.9", "--seed", "3"]
    assert (
        run("generate", "CAB", "--model", model, "--steps", "5", *settings).stdout
        == "CAB" + "".join("ABC"[i] for i in ids) + "\n"
    )
    assert run("generate", "-", "--model", model, "--steps", "2", input="CAB\n").stdout.startswith("CAB")


@pytest.mark.parametrize("steps", [0, -1, 1_000_001, 1 << 63, 10**30])
def test_a_number_of_tokens_that_no_text_comes_to_is_refused(model, steps):
    said = run("generate", "CAB", "--model", model, "--steps", str(steps), code=2).stderr
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert "at most 1,000,000" in said


def test_a_vocabulary_that_is_filled_up(tmp_path):
    """The model has two tokens more than its tokenizer: they may be chosen, are shown, and write nothing."""
    folder = write_folder(tmp_path / "model", "ABC##")
    file = folder / "tokenizer.json"
    data = json.loads(file.read_text())
    data["model"]["vocab"] = {"A": 0, "B": 1, "C": 2}
    file.write_text(json.dumps(data))
    arguments = ("AB", "--model", str(folder), "--steps", "12", "--temperature", "3")
    choices = [
        json.loads(line)
        for line in run("generate", *arguments, "--json", "-o", str(tmp_path / "a.trace")).stdout.splitlines()
    ]
    written = ["ABC"[i] if i < 3 else "" for i in generated(str(folder), "AB", 12, Sampling(3.0))]
    assert len(written) == 12 > len("".join(written)) > 0
    assert [choice["written"] for choice in choices] == written
    assert run("generate", *arguments).stdout == f"AB{''.join(written)}\n"
    assert "#3" in run("generate", *arguments, "--table").stdout
    assert "#4" in llmtrace.open(tmp_path / "a.trace").tokens


def test_tables(model):
    text = run("generate", "CAB", "--model", model, "--steps", "2", "--table").stdout
    assert text.count("→") == 2
    assert text.count("drawn: 0.") == 2
    assert "probability" in text
    assert text.splitlines()[-1].startswith("CAB")
    quiet = run("generate", "CAB", "--model", model, "--steps", "2", "--table", "--quiet").stdout
    assert quiet == text.splitlines()[-1] + "\n"


def test_each_choice_as_arithmetic(model):
    text = run(
        "generate",
        "CAB",
        "--model",
        model,
        "--steps",
        "2",
        "--temperature",
        "2",
        "--top-k",
        "2",
        "--top-p",
        "0.99",
        "--explain",
    )
    for part in (
        "x = score ÷ 2, the temperature",
        "only the 2 largest",
        "reach 0.99",
        "e = exp(x − ",
        "probability = e ÷ ",
    ):
        assert text.stdout.count(part) == 2
    assert text.stdout.count("✓ same bits") == 2
    assert "Number drawn: 0." in text.stdout
    assert "total so far" in text.stdout
    greedy = run("generate", "CAB", "--model", model, "--steps", "1", "--temperature", "0", "--explain").stdout
    assert "The largest score is" in greedy
    assert "drawn" not in greedy


def test_the_arithmetic_of_many_candidates_is_folded(tmp_path):
    write_folder(tmp_path / "large", [chr(0x100 + i) for i in range(60)])
    text = run("generate", "\u0100", "--model", str(tmp_path / "large"), "--steps", "3", "--explain").stdout
    assert " others" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_json(model):
    lines = run("generate", "CAB", "--model", model, "--steps", "4", "--json").stdout.splitlines()
    data = [json.loads(line) for line in lines]
    assert [row["id"] for row in data] == generated(model, "CAB", 4)
    assert [row["number"] for row in data] == [0, 1, 2, 3]
    assert all(sum(c["probability"] for c in row["candidates"]) == pytest.approx(1) for row in data)
    explained = json.loads(run("generate", "CAB", "--model", model, "--steps", "1", "--json", "--explain").stdout)
    assert {"limit", "whole_total", "maximum", "sum_of_exponentials", "settings"} <= set(explained)
    assert {"scaled", "exponential", "running_total"} <= set(explained["candidates"][0])


def test_files(model, tmp_path):
    file = str(tmp_path / "a.trace")
    result = run("generate", "CAB", "--model", model, "--steps", "3", "-o", file)
    assert result.stderr.startswith("written: ")
    assert result.stdout.count("\n") == 1
    trace = llmtrace.open(file)
    assert verify(trace)
    assert "choice.2.token" in trace
    assert len(trace.tokens) == 6
    shown = CliRunner().invoke(main, ["show", file, "choice.1"])
    assert "Number drawn: " in shown.output
    assert CliRunner().invoke(main, ["show", file, "choice.9"]).exit_code == 2
    assert CliRunner().invoke(main, ["show", file]).exit_code == 0
    run("generate", "CAB", "--model", model, "--steps", "3", "-o", file, "--keep", "residual")
    few = llmtrace.open(file)
    assert few.keep == "residual"
    assert few.kept() != trace.kept()
    assert all(few.tensor(name).tobytes() == trace.tensor(name).tobytes() for name in trace)
    run("generate", "CAB", "--model", model, "--steps", "3", "-o", file, "--last")
    trace = llmtrace.open(file)
    assert verify(trace)
    assert trace["block.0.attn.keys"].op == "concatenate"
    assert "choice.2.token" in trace
    assert CliRunner().invoke(main, ["verify", file]).exit_code == 0


@pytest.mark.parametrize("last", [[], ["--last"]], ids=["the text", "the last token"])
def test_all_numbers_in_a_file_of_a_folder(model, tmp_path, last):
    folder, files = tmp_path / "scratch", [tmp_path / "usual.trace", tmp_path / "mapped.trace"]
    folder.mkdir()
    for file, where in zip(files, [[], ["--scratch", str(folder)]], strict=True):
        run("generate", "CAB", "--model", model, "--steps", "3", "-o", str(file), *last, *where)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert not [*folder.iterdir()]


def test_a_text_that_slides_says_so_once(model):
    result = run("generate", "CABCAB", "--model", model, "--steps", "30")
    assert len(result.stdout) == 37
    assert result.stderr.count("longer than the 11 tokens") == 1
    assert "longer" not in run("generate", "CAB", "--model", model, "--steps", "8").stderr
    assert "longer" in run("generate", "C" * 20, "--model", model, "--steps", "1").stderr


def test_stop(model):
    free = run("generate", "CAB", "--model", model, "--steps", "8").stdout.strip()[3:]
    stopped = run("generate", "CAB", "--model", model, "--steps", "8", "--stop", "zz", "--stop", free[2:4]).stdout
    assert stopped.strip()[3:] == free[: free.index(free[2:4]) + 2]


ERRORS = [
    (["A", "--steps", "0"], "--steps"),
    (["A", "--temperature", "-1"], "the temperature must be 0"),
    (["A", "--temperature", "nan"], "the temperature must be 0"),
    (["A", "--temperature", "warm"], "'warm' is not a number"),
    (["A", "--top-k", "0"], "top-k must be a whole number from 1 on"),
    (["A", "--top-p", "1.5"], "top-p must be above 0"),
    (["A", "--stop", ""], "the text to stop at is empty"),
    (["", "--steps", "3"], "the prompt is empty"),
    (["AXB"], "no token for 'X'"),
    (["A", "--last"], "--last needs -o FILE"),
    (["A", "--keep", "residual"], "--keep needs -o FILE"),
    (["A", "--scratch", "."], "--scratch needs -o FILE"),
    (["A", "-o", "/nowhere/a.trace"], "/nowhere"),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_errors_are_one_line(model, arguments, message):
    result = run("generate", *arguments, "--model", model, code=2)
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_what_a_model_writes_is_inert(tmp_path):
    write_folder(tmp_path / "evil", ["\x1b", "\u202e", "\n"])
    for options in ([], ["--table"], ["--explain"], ["--json"]):
        result = run("generate", "\n", "--model", str(tmp_path / "evil"), "--steps", "12", *options)
        assert not {"\x1b", "\u202e"} & set(result.output)
    assert "\\x1b" in run("generate", "\n", "--model", str(tmp_path / "evil"), "--steps", "30").stdout


# ---- whole processes --------------------------------------------------------------------------------------------------


def slowed(monkeypatch, wait):
    """A command that is begun now calls `wait` with the generation before each token."""
    old = Generation.__next__
    monkeypatch.setattr(Generation, "__next__", lambda self: (wait(self), old(self))[1])


def test_every_token_is_written_at_once(model, monkeypatch):
    """The program waits for each token to be read before it may go on."""
    slowed(monkeypatch, lambda generation: sys.stdin.readline())
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with process("generate", "CAB", "--model", model, "--steps", "4", **pipes) as child:
        assert child.stdout.read(3) == b"CAB"
        for _n in range(4):
            child.stdin.write(b"\n")
            child.stdin.flush()
            assert child.stdout.read(1) in {b"A", b"B", b"C"}
        child.communicate(b"\n", timeout=60)
        assert child.returncode == 0


def test_an_interruption_keeps_what_was_written(model, tmp_path, monkeypatch):
    slowed(monkeypatch, lambda generation: time.sleep(30 if len(generation) == 2 else 0))
    file = tmp_path / "a.trace"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with process("generate", "CAB", "--model", model, "--steps", "9", "-o", str(file), **pipes) as child:
        text = child.stdout.read(5)
        child.send_signal(signal.SIGINT)
        rest, error = child.communicate(timeout=60)
        assert child.returncode == 130
        assert text.startswith(b"CAB")
        assert rest == b"\n"
        assert "Interrupted." in error.decode()
        assert "Traceback" not in error.decode()
    monkeypatch.undo()
    assert verify(llmtrace.open(file))
    assert "choice.1.token" in llmtrace.open(file)


def test_a_reader_that_has_seen_enough(model):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with process("generate", "CAB", "--model", model, "--steps", "200", **pipes) as child:
        assert child.stdout.read(5).startswith(b"CAB")
        child.stdout.close()
        assert b"Traceback" not in child.stderr.read()


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_any_encoding(model, encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment}
    with process("generate", "CAB", "--model", model, "--steps", "2", "--explain", **pipes) as child:
        out, error = child.communicate(timeout=60)
        assert (child.returncode, error) == (0, b"")
        assert out.isascii() == (encoding == "ascii")
