"""Languages: one catalogue holds all that llmtrace says, and it can be changed at any time."""

import copy
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import islice

import catalogue
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from helpers import fake_hub
from helpers.lesson_words import glossary
from helpers.small_models import small_gpt

from llmtrace import i18n
from llmtrace.cli import COMMANDS, main
from llmtrace.loading import DATA
from llmtrace.ops import OPS
from llmtrace.render.terminal.cjk import has_wide

EXAMPLES = re.compile(r"^ +((?:echo .+ \| )?llmtrace .*)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def wide(own_state, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


# ---- choosing a language ----------------------------------------------------------------------------------------------


def test_the_language_can_change_at_any_time(locale, monkeypatch):
    monkeypatch.setattr(i18n, "LOCALE", locale)
    trace = small_gpt().trace("CAB")
    assert i18n.languages() == ["en", "la", "zh"]
    for language, sentence in (("la", "⟦"), ("zh", "【"), ("en", "how well")):
        i18n.use(language)
        assert trace.explain("block.0.attn.scores", 0, 2, 1).sentence.startswith(sentence)
    with pytest.raises(ValueError, match="there is no language 'xx'; there are en, la, zh"):
        i18n.use("xx")
    assert i18n.language() == "en"


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
    monkeypatch.setattr(i18n, "LOCALE", locale)
    for name in i18n.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert i18n.language() == language


def test_counting():
    i18n.use("en")
    assert i18n.n_("{n} token", "{n} tokens", 1) == "{n} token"
    assert i18n.n_("{n} token", "{n} tokens", 0) == "{n} tokens"
    assert i18n._("") == ""  # gettext would give the catalogue's header


@pytest.mark.parametrize("arguments", [["--lang", "la", "doctor"], ["doctor", "--lang", "la"]])
def test_the_option(arguments, locale, monkeypatch):
    monkeypatch.setattr(i18n, "LOCALE", locale)
    assert "⟦threads⟧" in CliRunner().invoke(main, arguments).output
    assert "⟦" not in CliRunner().invoke(main, ["doctor"]).output
    for help_page in (["--lang", "la", "--help"], ["--lang", "la"]):
        assert "⟦Learn how" in CliRunner().invoke(main, help_page).output
    assert "⟦Usage:⟧" in CliRunner().invoke(main, ["doctor", "--lang", "la", "--help"]).output
    unknown = CliRunner().invoke(main, ["--lang", "xx", "doctor"])
    assert unknown.exit_code == 2
    assert "there is no language 'xx'" in unknown.output


# ---- the catalogue ----------------------------------------------------------------------------------------------------


def test_words_of_every_op_are_collected(collected):
    """Formulas and the names of what goes in, of whichever constructor an op is made."""
    for op in OPS.values():
        for text in (op.formula, *op.inputs, *op.weights):
            assert not catalogue.spoken(text) or text in collected, (op.name, text)


@pytest.fixture
def once(monkeypatch, collected):
    """The texts of the package are not collected anew."""
    monkeypatch.setattr(catalogue, "template", lambda: copy.deepcopy(collected))


def test_the_catalogue_is_up_to_date(once):
    assert catalogue.main(["--check"]) == 0


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The Chinese .po, where it can be spoilt."""
    folder = tmp_path / "locale"
    shutil.copytree(catalogue.LOCALE, folder)
    monkeypatch.setattr(catalogue, "LOCALE", folder)
    return folder / "zh" / "LC_MESSAGES" / "llmtrace.po"


@pytest.mark.parametrize(
    ("text", "old", "new", "problem"),
    [
        ("formula", "公式", "", "'formula' is not translated"),
        ("{count} terms", "{count}", "{cuont}", "must have ['{count}'], as '{count} terms'"),
        ("{count} terms", "{count}", "", "must have ['{count}']"),
        ("{count} terms", "{count}", "{count", "expected '}' before end of string"),
        ("loss {loss:.4f}", ":.4f", "", "must have ['{loss:.4f}']"),
        ("{name} has no axis {axis!r}; its axes are {axes}", "!r", "", "'{axis!r}'"),
        ("One neuron of an MLP: NAME is block.0.mlp.up.", "0", "1", "'block.0.mlp.up'"),
        ("give a text or --ids, not both", "--ids", "--text", "must have ['--ids']"),
        ("nothing is named {name}; `llmtrace show` lists all names", "show", "Show", "'`llmtrace show`'"),
    ],
)
def test_the_check_sees_what_is_wrong(text, old, new, problem, copied):
    header, _blank, _texts = copied.read_text().partition("\n\n")
    copied.write_text(f"{header}\n\n{entry(copied, text)}")
    assert catalogue.problems({}) == []
    spoil(copied, text, old, new)
    assert problem in " ".join(catalogue.problems({}))


@pytest.fixture(scope="module")
def few(collected):
    """Some of the texts: a catalogue of them is written and read in no time."""
    texts = catalogue.Catalog(project="llmtrace", charset="utf-8", fuzzy=False)
    for message in [*islice(collected, 1, 40), collected["formula"]]:
        texts.add(message.id, locations=message.locations)
    return texts


@pytest.fixture
def small(few, copied, monkeypatch):
    """The Chinese .po with these alone, up to date."""
    monkeypatch.setattr(catalogue, "template", lambda: copy.deepcopy(few))
    assert catalogue.main([]) == 0
    return copied


def entry(po, text):
    """A text with its translation, as they stand in the file."""
    return re.search(rf'msgid "{re.escape(text)}"\nmsgstr "(.+)"\n', po.read_text())[0]


def spoil(po, text, old, new):
    """Changes the translation of a text."""
    line = entry(po, text)
    first, said = line.split("\nmsgstr ")
    assert old in said
    po.write_text(po.read_text().replace(line, f"{first}\nmsgstr {said.replace(old, new, 1)}"))


def test_what_is_wrong_is_compiled_all_the_same(small, capsys):
    capsys.readouterr()
    spoil(small, "formula", "公式", "{公式}")
    assert catalogue.main([]) == 1
    assert capsys.readouterr().out.count("\n") == 1
    assert catalogue.main(["--check"]) == 1
    assert "must have [], as 'formula'" in capsys.readouterr().out
    assert "{公式}" in small.read_text()


def test_a_guess_is_seen(small, capsys):
    small.write_text(small.read_text().replace('\nmsgid "formula"', '\n#, fuzzy\nmsgid "formula"'))
    assert catalogue.main([]) == 1
    assert "'formula' is only guessed" in capsys.readouterr().out


def test_what_is_compiled_follows_the_text(small, monkeypatch):
    small.write_text(small.read_text().replace("公式", "式子"))
    assert "llmtrace.mo is not up to date" in " ".join(catalogue.problems(catalogue.outputs([])))
    assert catalogue.main([]) == 0
    monkeypatch.setattr(i18n, "LOCALE", small.parents[2])
    i18n.use("zh")
    assert i18n._("formula") == "式子"


NEW = "A sentence that nobody has said before."


def test_a_new_text_is_collected(tmp_path, monkeypatch):
    (tmp_path / "new.py").write_text(f'said = _("{NEW}")\n')
    monkeypatch.setattr(catalogue, "PACKAGE", tmp_path)
    monkeypatch.setattr(catalogue, "ROOT", tmp_path)
    assert [message.id for message in catalogue.template() if message.id] == [NEW]


def test_a_new_text_must_be_translated(small, few, monkeypatch):
    more = copy.deepcopy(few)
    more.add(NEW, locations=[("llmtrace/new.py", None)])
    monkeypatch.setattr(catalogue, "template", lambda: copy.deepcopy(more))
    assert "llmtrace.po is not up to date" in " ".join(catalogue.problems(catalogue.outputs([])))
    assert catalogue.main([]) == 1
    assert f"{NEW!r} is not translated" in " ".join(catalogue.problems({}))


def test_a_language_can_be_begun(tmp_path, few, monkeypatch):
    monkeypatch.setattr(catalogue, "template", lambda: copy.deepcopy(few))
    monkeypatch.setattr(catalogue, "LOCALE", tmp_path)
    assert catalogue.main(["--check"]) == 1
    assert catalogue.main(["eo"]) == 1
    assert all(problem.endswith("is not translated") for problem in catalogue.problems(catalogue.outputs([])))
    monkeypatch.setattr(i18n, "LOCALE", tmp_path)
    i18n.use("eo")
    assert i18n._("formula") == "formula"


def chinese():
    """The texts of the catalogue with their translations; of a pair, that of many."""
    with catalogue.catalogues()["zh"].open("rb") as file:
        for message in catalogue.read_po(file, locale="zh"):
            many = isinstance(message.id, tuple)
            if message.id:
                yield (message.id[-1], message.string[-1]) if many else (message.id, message.string)


def test_chinese_has_one_form_for_all_numbers():
    i18n.use("zh")
    assert {i18n.n_("{n} token", "{n} tokens", count) for count in range(3)} == {"{n} 个词元"}


def test_the_catalogue_uses_the_words_of_the_glossary():
    """As the lessons do; what is said alike in both languages is in the glossary too."""
    wrong, words = [], glossary()
    for text, said in chinese():
        plain = re.sub(r"`[^`]*`|\"[^\"]*\"|\{[^}]*\}|\[[^]]*\]|llmtrace \w+", "", text)
        for term, word in words.items():
            if word not in said and re.search(rf"(?<![\w.-]){term}s?(?![\w.-])", plain):
                wrong.append((text, said, word))
        if not has_wide(said) and re.search("[a-z]{3}|[A-Z]{2}", plain):
            wrong += [(text, said, "")] if words.get(text) != said else []
    assert not wrong


# ---- help -------------------------------------------------------------------------------------------------------------


def examples(command):
    text = main.get_command(None, command).help if command else main.help
    return EXAMPLES.findall(text)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_examples(command):
    assert examples(command) or command == "completion"


@pytest.mark.parametrize("command", [each for each in ["", *COMMANDS] if each not in {"completion", "train"}])
@pytest.mark.parametrize(("language", "prompt"), [("en", "The king"), ("zh", "中华")])
def test_examples_work(command, language, prompt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts.jsonl").write_text(json.dumps(prompt))
    (tmp_path / "README.md").write_text("The king had a child.")
    hub = fake_hub.put(monkeypatch, tmp_path / "cache")
    hub.models = dict.fromkeys(["gpt2", "HuggingFaceTB/SmolLM2-135M"], DATA / "storyteller")
    monkeypatch.setattr("llmtrace.render.page_server.PageServer.serve_forever", lambda server, poll_interval: None)
    for name in i18n.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLMTRACE_LANG", language)
    i18n.use(None)
    first = ['llmtrace trace "The king had a child, a girl."'] if command == "explain" else []
    first = [f"{each} --model storyteller" for each in first] if language == "zh" else first
    for line in [*first, *(each for each in examples(command) if "--scheduler" not in each)]:
        before, _pipe, after = line.rpartition(" | ")
        given = " ".join(shlex.split(before)[1:]) + "\n" if before else None
        result = CliRunner().invoke(main, shlex.split(after)[1:], input=given)
        assert result.exit_code == 0, (line, result.output)


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
    monkeypatch.setattr(i18n, "LOCALE", locale)
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


def test_completing_is_silent_and_loads_little():
    """As bash calls it: a process of its own that loads no model, nothing that draws and no lesson, with no output but words."""
    script = """
import sys
sys.argv[0] = "llmtrace"
from llmtrace.cli import main
try:
    main()
finally:
    print(sorted({"llmtrace.models", "llmtrace.render", "llmtrace.lessons"} & sys.modules.keys()))
"""
    asked = {"_LLMTRACE_COMPLETE": "bash_complete", "COMP_WORDS": "llmtrace explain --pr", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, **asked})
    assert (done.stdout, done.stderr) == ("plain,--prompt\n[]\n", "")
