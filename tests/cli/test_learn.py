"""`llmtrace learn`: the list, a lesson in a pipe and on a terminal, what is noted, and what is refused."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.terminal import Terminal
from rich.cells import cell_len

import llmtrace
from llmtrace import i18n
from llmtrace.cli import main
from llmtrace.errors import ModelError
from llmtrace.lessons import LESSONS
from llmtrace.lessons import load as lesson_of
from llmtrace.lessons.framework import progress


@pytest.fixture(autouse=True)
def narrow(own_state, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def learn(*arguments):
    result = CliRunner().invoke(main, ["learn", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def test_the_list():
    output = learn().output
    assert all(name in output for name in LESSONS)
    assert "pages" not in output  # nothing has been done
    assert "Next: llmtrace learn perceptron" in output
    assert output.count("\n") <= 23


def test_a_pipe_gets_all_of_it():
    output = learn("perceptron").output
    assert "Three questions  (1/11)" in output
    assert "Now change it  (11/11)" in output
    assert output.index("Exercises") > output.index("(11/11)")
    assert output.count("Answer: ") == 3
    assert "\x1b" not in output
    assert output == learn("perceptron").output


def test_chinese():
    result = learn("leaf-or-flower", "--lang", "zh")
    assert "一片叶子是四个数  (1/12)" in result.output
    assert "'红'" in result.output
    assert max(map(cell_len, result.output.split("\n"))) <= 80
    assert not re.search("^[，。、；：？！）”]", result.output, re.MULTILINE)


def test_a_chinese_environment_gets_chinese(monkeypatch):
    for name in i18n.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "三个问题" in learn("perceptron").output


def test_only_ascii():
    output = learn("leaf-or-flower", "--ascii").output
    assert output.isascii()
    assert "OK same bits" in output


def test_changes():
    output = learn("perceptron", "--set", "sunny=20", "--set", "habit-company=0").output
    assert "20 is above 8: go" in output
    assert "sunny=20\n" in learn("perceptron", "--set", "sunny=20", "--inputs").output
    inputs = learn("leaf-or-flower", "--inputs").output
    assert "flower=241,200,4,59.5\n    red, green, blue and volume of the sunflower\n" in inputs
    assert "how much red the leaf has, from 0 to 255\n" in inputs
    assert "rate=0.00003\n    学习率\n" in learn("training", "--inputs", "--lang", "zh").output


def test_exercises_only():
    first, second = (learn("leaf-or-flower", "--exercises", "--seed", seed).output for seed in "12")
    assert first.startswith("Exercises")
    assert first != second


def test_explaining():
    output = learn("leaf-or-flower", "--explain", "leaf hidden.1.sum[0]").output
    assert "−26.598" in output
    assert "✓ same bits" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["perceptrn"], "did you mean perceptron?"),
        (["perceptron", "--set", "suny=3"], "did you mean sunny?"),
        (["perceptron", "--set", "sunny=x"], "give a number, such as 8"),
        (["perceptron", "--set", "sunny"], "--set takes KEY=VALUE, not 'sunny'."),
        (["perceptron", "--set", "=3"], "--set takes KEY=VALUE"),
        (["--set", "sunny=3"], "give the NAME of a lesson as well"),
        (["--exercises"], "give the NAME of a lesson as well"),
        (["perceptron", "--explain", "x"], "its traces are everything, alone"),
        (["perceptron", "--explain", "x"], "an example: alone output.sum[output=0]"),
        (["perceptron", "--explain", "alone"], "which number? There are input, output.sum, output.weight"),
        (["perceptron", "--explain", "alone"], "an example: alone input[input=0]"),
        (["perceptron", "--explain", "__class__ x"], "has no trace '__class__'"),
        (["perceptron", "--explain", "alone foo[0]"], "there are input, output.sum, output.weight"),
        (["perceptron", "--explain", "alone output.sm[0]"], "the nearest name is output.sum"),
        (["perceptron", "--explain", "alone output.sum[7]"], "the only place is 0"),
    ],
)
def test_what_is_refused(arguments, message):
    result = learn(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1


# ---- on a terminal -----------------------------------------------------------------------------------------------------

KEYS = "Enter: go on"


def keys(terminal, *typed):
    """Types one key after the other, each when it is asked for."""
    for n, key in enumerate(typed):
        terminal.read(until=KEYS)
        before, _keys, _after = terminal.text.partition(KEYS)
        terminal.text = terminal.text[len(before) + len(KEYS) :]
        yield before

        os.write(terminal.end, key.encode())
        assert n < len(typed)


def test_page_by_page(tmp_path):
    terminal = Terminal("learn", "perceptron")
    pages = list(keys(terminal, "\r", "\r", "b", " ", "q"))
    assert [re.search(r"\((\d+)/11\)", page)[1] for page in pages] == ["1", "2", "3", "2", "3"]
    assert terminal.code() == 0
    notes = json.loads((tmp_path / "state" / "llmtrace" / "lessons.json").read_text())
    assert notes == {"perceptron": {"pages": 3, "exercises": []}}
    again = Terminal("learn", "perceptron")  # goes on with the page that was read last
    assert [re.search(r"\((\d+)/11\)", page)[1] for page in keys(again, "\r", "b", "b", "q")] == ["3", "4", "3", "2"]
    assert again.code() == 0
    assert "pages 4/11, exercises 0/3" in learn().output


@pytest.mark.parametrize(("language", "last"), [("en", "q: quit"), ("zh", "q：退出")])
def test_the_keys_stand_on_one_line_of_a_narrow_terminal(language, last):
    terminal = Terminal("--lang", language, "learn", "playground", COLUMNS="60", LINES="20")
    terminal.read(until=last)
    os.write(terminal.end, b"q")
    assert terminal.code() == 0


def test_a_number_is_explained_on_the_way():

    terminal = Terminal("learn", "perceptron")
    next(keys(terminal, "e"))
    os.write(terminal.end, b"e")
    terminal.read(until="For example: alone output.sum[output=0]")
    os.write(terminal.end, b"alone output.sm[0]\n")
    terminal.read(until="the nearest name is output.sum")
    os.write(terminal.end, b"alone output.sum[0]\n")
    terminal.read(until="3 products")
    terminal.read(until=KEYS)
    os.write(terminal.end, b"q")
    assert terminal.code() == 0


def test_on_a_page_its_own_trace_is_meant_and_an_empty_line_goes_back():
    terminal = Terminal("learn", "perceptron")
    assert "(6/11)" in list(keys(terminal, *"     e"))[-1]
    for address, told in (("output.bias[output=0]", "the bias of output"), ("", "")):
        terminal.read(until="biased output.sum[output=0]")
        terminal.text = ""
        os.write(terminal.end, address.encode() + b"\n")
        (shown,) = keys(terminal, "e" if told else "q")
        assert told in shown
    assert "has no" not in terminal.read()
    assert terminal.code() == 0


def test_other_keys_do_nothing():
    terminal = Terminal("learn", "perceptron")
    pages = list(keys(terminal, "x", "7", " ", "q"))
    assert [re.findall(r"\((\d+)/11\)", page) for page in pages] == [["1"], [], [], ["2"]]
    assert terminal.code() == 0


def test_exercises_are_asked_and_noted(tmp_path):

    terminal = Terminal("learn", "perceptron", "--exercises", "--seed", "1")
    answers = ["8", "2", "4", "0", "1", "7", "7", "7"]
    for answer in answers:
        terminal.read(until="> ")
        terminal.text = terminal.text.partition("> ")[2]
        os.write(terminal.end, answer.encode() + b"\n")
    text = terminal.read()
    assert terminal.code() == 0
    assert "That was all" in text
    notes = json.loads((tmp_path / "state" / "llmtrace" / "lessons.json").read_text())
    assert notes == {"perceptron": {"pages": 0, "exercises": ["sum", "decision"]}}
    assert "pages 0/11, exercises 2/3" in learn().output


def test_what_is_no_number_is_no_try_and_a_question_mark_shows_the_answer():
    terminal = Terminal("learn", "perceptron", "--exercises")
    for answer in ("a", "b", "c", "1000", "?"):
        terminal.read(until="> ")
        terminal.text = terminal.text.partition("> ")[2]
        os.write(terminal.end, answer.encode() + b"\n")
    text = terminal.read(until="2. ")
    assert "Answer: " in text
    terminal.read(until="> ")
    os.write(terminal.end, b"\n")
    assert terminal.code() == 0


def test_interrupting():

    terminal = Terminal("learn", "perceptron")
    terminal.read(until=KEYS)
    os.write(terminal.end, b"\x03")
    assert terminal.code() == 130


def test_damaged_notes_are_no_trouble(tmp_path):
    path = tmp_path / "state" / "llmtrace" / "lessons.json"
    path.parent.mkdir(parents=True)
    entries = ("1", '{"pages": "x", "exercises": 1}', '{"pages": 1e999}')
    for text in ("", "[]", *(f'{{"perceptron": {entry}}}' for entry in entries), "\0"):
        path.write_text(text)
        assert "pages" not in learn().output


def test_the_first_page_is_shown_before_the_others_are_computed():
    """The first page stands in the pipe while the training of a later one is still to come."""
    script = """
import sys
from llmtrace.training import Trainer
Trainer.step = lambda *_, **_more: sys.exit("trained")
sys.argv = ["llmtrace", "learn", "training"]
from llmtrace.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "(1/" in done.stdout
    assert "trained" in done.stderr


def test_the_model_of_a_lesson_is_saved_and_has_a_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = learn("llama", "--set", "steps=10", "--save", "a small one")
    assert result.exit_code == 0, result.output
    command = shlex.split(result.output.splitlines()[-1].partition(": ")[2])
    done = CliRunner().invoke(main, command[1:])
    assert done.exit_code == 0, done.output
    assert "llama.html" in done.output
    assert '"family":"llama"' in Path("llama.html").read_text("utf-8")
    lesson = lesson_of("llama", steps=10)
    again = llmtrace.load("a small one")
    assert again.logits(lesson.prompt).tobytes() == lesson.model.logits(lesson.prompt).tobytes()


def test_a_lesson_without_a_model_of_its_own_saves_none(tmp_path):
    result = learn("gpt", "--save", str(tmp_path / "x"))
    assert result.exit_code == 2
    assert "gpt trains no language model, as llama does" in result.output
    assert not (tmp_path / "x").exists()


def test_progress_that_can_t_be_read_now_is_not_lost(tmp_path, monkeypatch):
    """A damaged file is begun anew."""
    path = tmp_path / "lessons.json"
    progress.note(path, "training", pages=3)

    def refused(path):
        raise ModelError("no memory")

    with monkeypatch.context() as context:
        context.setattr(progress, "read_bytes", refused)
        assert progress.read(path) == {}
        progress.note(path, "words", pages=1)
    assert progress.read(path) == {"training": progress.Done(3)}
    path.write_text("{")
    progress.note(path, "words", pages=1)
    assert progress.read(path) == {"words": progress.Done(1)}
