"""Help pages and errors in Chinese: no English word but names, options and what is typed as it stands. How notes are broken."""

import re

import pytest
from helpers.cli_run import said
from helpers.terminal import Terminal, piped

from llmtrace import i18n
from llmtrace.cli import COMMANDS
from llmtrace.cli.command import placeholders

NAMES = {
    *(
        "ASCII",
        "Adam",
        "Ctrl",
        "Dropout",
        "Face",
        "GPT",
        "HTML",
        "Hugging",
        "JSON",
        "MB",
        "MLP",
        "NumPy",
        "PyTorch",
        "Python",
    ),
    *(
        "adam",
        "adamw",
        "cosine",
        "dask",
        "en",
        "endoftext",
        "fish",
        "float",
        "head",
        "hub",
        "jielong",
        "logits",
        "neuron",
    ),
    *("new", "residual", "safetensors", "sgd", "smollm", "storyteller", "tcp", "transformers", "two", "what"),
    *("prompt", "token"),  # beside the Chinese word, once
}
"""Of formats, programs, models, steps and choices."""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_in_chinese_has_no_english_words(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("LLMTRACE_LANG", "zh")
    told = said(command, "--help")
    assert f"用法：llmtrace {command} [选项]" in told
    told = re.sub(r"例子：.*?(?=\n[^\n]*选项 ─)", "", told, flags=re.S)  # what is typed
    told = re.sub(r"--?[a-z][a-z-]*|\"[^\"]*\"|\[[\w|]+\]|\{[\w|]+\}|\w*[./_~]\w[\w./]*|llmtrace \w+", " ", told)
    words = {word for word in re.findall("[A-Za-z]{2,}", told) if word not in NAMES and word not in COMMANDS}
    assert not words


@pytest.mark.parametrize("text", ["-o FILE", "A 'FILE' of [OPTIONS]", "'没有。 a'", "KEY=VALUE"])
def test_what_was_typed_stays(text):
    with i18n.for_others():
        i18n.use("zh")
        assert re.findall("'.*?'", placeholders(text)) == re.findall("'.*?'", text)
        i18n.use("en")
        assert placeholders(text) == text


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("completion", "缺少参数 '{bash|zsh|fish}'。可选的有：bash、zsh、fish。请试试 'llmtrace completion --help'。"),
        ("generate x --tokens 3", "没有选项 '--tokens'。请试试"),
        ("train x --step 3", "没有选项 '--step'。你是不是想说 --steps？请试试"),
        ("explain", "缺少参数 '地址'。请试试"),
        ("learn perceptron --set sunny", "--set 要写成输入=值，不能是 'sunny'。请试试"),
    ],
)
def test_errors_in_chinese(arguments, answer, monkeypatch):
    monkeypatch.setenv("LLMTRACE_LANG", "zh")
    assert answer in said(*arguments.split(), code=2)


# ---- notes and errors on a terminal --------------------------------------------------------------------------------

ERROR = "Error: there is no model 'nowhere': give a folder, or one of jielong, smollm2, storyteller, tiny, translator; "
ERROR += "if it is one of Hugging Face's hub, llmtrace fetch nowhere downloads it"
NOTE = "Note: ascii lacks the letters of that language, so this is English; PYTHONIOENCODING=utf-8 writes them all"


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
