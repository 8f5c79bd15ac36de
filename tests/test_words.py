"""Languages: one catalogue holds all that llmtrace says, and it can be changed at any time."""

import os
import re
import shlex
import subprocess
import sys
import time

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from pseudo import catalogue
from small_models import small_gpt

from llmtrace import words
from llmtrace.cli import COMMANDS, main

EXAMPLES = re.compile(r"^ +((?:echo \w+ \| )?llmtrace .*)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """Every test remembers its prompt in a folder of its own, and leaves the language as it was."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    yield
    words.use(None)


# ---- choosing a language ----------------------------------------------------------------------------------------------


def test_the_language_can_change_at_any_time(locale, monkeypatch):
    monkeypatch.setattr(words, "LOCALE", locale)
    trace = small_gpt().trace("CAB")
    assert words.languages() == ["en", "la", "zh"]
    for language, sentence in (("la", "⟦"), ("zh", "【"), ("en", "how well")):
        words.use(language)
        assert trace.explain("block.0.attn.scores", 0, 2, 1).sentence.startswith(sentence)
    with pytest.raises(ValueError, match="there is no language 'xx'; there are en, la, zh"):
        words.use("xx")
    assert words.language() == "en"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh-Hans"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE", "LC_MESSAGES": "la"}, "la"),
        ({"LANGUAGE": "de:zh:la", "LANG": "la"}, "zh"),
        ({"LANGUAGE": "en:zh"}, "en"),
        ({"LLMTRACE_LANG": "la", "LANGUAGE": "zh"}, "la"),
        ({"LLMTRACE_LANG": "", "LANG": "zh"}, "zh"),
        ({"LANG": "../../etc"}, "en"),
    ],
)
def test_the_language_of_the_environment(environment, language, locale, monkeypatch):
    monkeypatch.setattr(words, "LOCALE", locale)
    for name in words.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert words.language() == language


def test_counting():
    words.use("en")
    assert words.n_("{n} token", "{n} tokens", 1) == "{n} token"
    assert words.n_("{n} token", "{n} tokens", 0) == "{n} tokens"
    assert words._("") == ""  # gettext would give the catalogue's header


@pytest.mark.parametrize("arguments", [["--lang", "la", "doctor"], ["doctor", "--lang", "la"]])
def test_the_option(arguments, locale, monkeypatch):
    monkeypatch.setattr(words, "LOCALE", locale)
    assert "⟦threads⟧" in CliRunner().invoke(main, arguments).output
    assert "⟦" not in CliRunner().invoke(main, ["doctor"]).output
    for help_page in (["--lang", "la", "--help"], ["doctor", "--lang", "la", "--help"]):
        assert "⟦Usage:⟧" in CliRunner().invoke(main, help_page).output
    unknown = CliRunner().invoke(main, ["--lang", "xx", "doctor"])
    assert unknown.exit_code == 2
    assert "there is no language 'xx'" in unknown.output


# ---- the catalogue ----------------------------------------------------------------------------------------------------


def test_the_catalogue_is_up_to_date():
    assert catalogue.main(["--check"]) == 0


def test_the_check_sees_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "LOCALE", tmp_path)
    assert catalogue.main(["--check"]) == 1
    assert catalogue.main(["zh"]) == 0
    assert catalogue.main(["--check"]) == 0
    path = tmp_path / "zh" / "LC_MESSAGES" / "llmtrace.po"
    text = 'msgid "{count} terms"\nmsgstr ""'
    path.write_text(path.read_text().replace(text, text.replace('msgstr ""', 'msgstr "{cuont}"')))
    capsys.readouterr()
    assert catalogue.main(["--check"]) == 1
    assert "must have the placeholders ['count']" in capsys.readouterr().out
    path.write_text(path.read_text().replace("{cuont}", "{count} 项"))
    assert "llmtrace.mo is not up to date" in " ".join(catalogue.problems(catalogue.outputs([])))
    assert catalogue.main([]) == 0
    assert "项" in path.read_text()
    monkeypatch.setattr(words, "LOCALE", tmp_path)
    words.use("zh")
    assert words._("{count} terms") == "{count} 项"
    assert words._("formula") == "formula"


# ---- help -------------------------------------------------------------------------------------------------------------


def examples(command):
    text = main.get_command(None, command).help if command else main.help
    return EXAMPLES.findall(text)


def every_example():
    tried = [command for command in ["", *COMMANDS] if command not in {"completion", "train"}]
    return [(command, line) for command in tried for line in examples(command)]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_examples(command):
    assert examples(command) or command == "completion"


@pytest.mark.parametrize(("command", "line"), every_example())
def test_examples_work(command, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in words.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    lines = examples(command)
    first = ['llmtrace trace "The king had a child, a girl."'] if command == "explain" else lines[: lines.index(line)]
    for each in [*first, line]:
        before, _pipe, after = each.rpartition(" | ")
        given = before.removeprefix("echo ") + "\n" if before else None
        result = CliRunner().invoke(main, shlex.split(after)[1:], input=given)
        assert result.exit_code == 0, result.output


# ---- completion -------------------------------------------------------------------------------------------------------


def completed(*typed):
    """What a shell offers for the last of these words."""
    *before, last = typed
    return [(item.type, item.value) for item in ShellComplete(main, {}, "llmtrace", "_X").get_completions(before, last)]


def test_commands_and_options_are_completed():
    assert completed("tra") == [("plain", "trace"), ("plain", "train")]
    assert completed("") == [("plain", name) for name in COMMANDS]
    assert ("plain", "--depth") in completed("explain", "--")
    assert completed("completion", "z") == [("plain", "zsh")]


def test_models_and_languages_are_completed(locale, monkeypatch):
    assert completed("trace", "--model", "sto") == [("dir", "sto"), ("plain", "storyteller")]
    monkeypatch.setattr(words, "LOCALE", locale)
    assert completed("--lang", "") == [("plain", name) for name in ("en", "la", "zh")]


def test_the_names_of_what_was_traced_last_are_completed(tmp_path):
    assert completed("explain", "") == []
    CliRunner().invoke(main, ["trace", "Once upon a time"])
    names = [("plain", f"block.1.ln_{n}") for n in (1, 2)]
    assert completed("explain", "block.1.ln") == names
    assert completed("show", "block.1.ln") == [("file", "block.1.ln"), *names]
    assert completed("show", "x.trace", "block.1.ln") == names
    assert ("plain", "residual") in completed("show", "res")
    note = tmp_path / "state" / "llmtrace" / "last.json"
    for broken in ('{"steps": 1}', '{"steps": [1]}', '{"steps": ["\\u001b[31m"]}', "[]", "\0"):
        note.write_text(broken)
        assert completed("explain", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell(shell):
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert f"_LLMTRACE_COMPLETE={shell}_complete" in result.output


def test_completing_is_quick_and_silent():
    """As bash calls it: a process of its own, within 0.3 s of what starting Python and NumPy takes, with no output but words."""
    script = "import sys; sys.argv[0] = 'llmtrace'; from llmtrace.cli import main; main()"
    asked = {"_LLMTRACE_COMPLETE": "bash_complete", "COMP_WORDS": "llmtrace explain --pr", "COMP_CWORD": "2"}

    def seconds(code, **more):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **more})
        return time.perf_counter() - start, done

    (slow, done), (start, _done) = (
        min((seconds(code, **more) for _n in range(3)), key=lambda run: run[0])
        for code, more in ((script, asked), ("import numpy", {}))
    )
    assert (done.stdout, done.stderr) == ("plain,--prompt\n", "")
    assert slow - start < 0.3
