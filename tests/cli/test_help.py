"""Help pages: what is on them can be read and copied at any width."""

import re
import shlex
from functools import cache

import click
import pytest
from helpers.cli_run import run
from helpers.fresh import some
from rich.cells import cell_len

from llmtrace import i18n
from llmtrace.cli import COMMANDS, main
from llmtrace.cli.command import within
from llmtrace.cli.help import copyable

pytestmark = pytest.mark.usefixtures("own_state")


@cache
def help_page(language, command, width, *more):
    """The help of a command on a screen so wide."""
    return run("--lang", language, *more, command, "--help", env={"COLUMNS": width, "TERMINAL_WIDTH": width}).stdout


def examples(page):
    """The command lines of a page, or of the text it is made of, as a shell reads them."""
    lines = page.replace("\\\n", " ").split("\n")
    return [shlex.split(line) for line in lines if re.match(" +(llmtrace|echo) ", line)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("command", COMMANDS)
def test_examples_can_be_copied(command, language):
    i18n.use(language)
    whole = examples(main.get_command(click.Context(main), command).help)
    assert whole or command == "completion"
    for width in some(("80", "100"), 1):
        page = help_page(language, command, width)
        assert max(cell_len(line.rstrip()) for line in page.split("\n")) <= int(width)
        shown = examples(re.sub(r" +$", "", page, flags=re.M))
        assert [each for each in shown if each in whole] == whole  # a line of a sentence may begin with a command, too


@pytest.mark.parametrize("width", range(10, 60, 7))
def test_a_broken_example_is_the_same_command(width):
    line = """  echo "a  b c" | llmtrace what-if - --set "x[0, 1]=2" --off head:2.1 '3 "4" 5' --plain"""
    broken = copyable(line, width)
    assert shlex.split(broken.replace("\\\n", "")) == shlex.split(line)
    assert all(cell_len(part) <= width or len(part.split()) <= 6 for part in broken.split("\n"))
    assert copyable(line, 200) == line
    assert copyable("Text that is no example is filled by others.", 5).count("\n") == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_default_has_brackets_of_its_own(language):
    for command in COMMANDS:
        for plain in ([], ["--plain"]):
            page = " ".join(help_page(language, command, "80", *plain).replace("│", " ").split())
            assert not re.search(r"\[(default: |默认：)[(（]", page)


LIMITS = [
    (click.IntRange(min=1), "0", "at least 1, not 0", "至少是 1，不能是 0"),
    (click.IntRange(max=20), "21", "at most 20, not 21", "至多是 20，不能是 21"),
    (click.IntRange(1, 20), "-3", "at least 1 and at most 20, not -3", "至少是 1，至多是 20，不能是 -3"),
    (
        click.FloatRange(0, 1, min_open=True),
        "0.0",
        "more than 0 and at most 1, not 0.0",
        "大于 0，至多是 1，不能是 0.0",
    ),
    (
        click.FloatRange(0, 1, max_open=True),
        "1.0",
        "at least 0 and less than 1, not 1.0",
        "至少是 0，小于 1，不能是 1.0",
    ),
]


@pytest.mark.parametrize(("kind", "value", "english", "chinese"), LIMITS)
def test_a_number_out_of_range_is_told_its_limits(kind, value, english, chinese):
    i18n.use("en")
    assert within(kind, value) == f"it must be {english}"
    i18n.use("zh")
    assert within(kind, value) == f"必须{chinese}"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_option_with_limits_tells_them(language):
    """In the words of `within`, not as a formula."""
    tried = 0
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        for param in command.params:
            if not isinstance(param.type, click.IntRange | click.FloatRange) or param.type.min is None:
                continue
            given = [each.opts[0] for each in command.params if each.required and isinstance(each, click.Option)]
            needed = [word for option in given for word in (option, "x")]
            result = run("--lang", language, name, *needed, param.opts[-1], str(param.type.min - 1), code=2)
            assert ("it must be " if language == "en" else "必须") in result.stderr
            assert "x>" not in result.stderr
            tried += 1
    assert tried > 10


@pytest.mark.parametrize(("option", "said"), [("--steps", "a whole number"), ("--temperature", "a number")])
def test_what_is_no_number_is_told_so(option, said):
    assert f"'abc' is not {said}. Try" in run("generate", "x", option, "abc", code=2).stderr
    assert "'abc' 不是可用的数" in run("--lang", "zh", "generate", "x", option, "abc", code=2).stderr


def test_all_commands_are_on_a_narrow_screen_in_chinese(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERMINAL_WIDTH", "60")
    assert run("--lang", "zh").stdout.count("\n") < 24


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["trace", "-hello"], "there is no option '-hello'; if the text begins with a dash: llmtrace trace -- -hello."),
        (
            ["tokenize", "-> it's"],
            "there is no option '-> it's'; if the text begins with a dash: llmtrace tokenize -- '-> it'\"'\"'s'.",
        ),
        (["compare", "-5", "-7"], "there is no option '-5'; if the text begins with a dash: llmtrace compare -- -5."),
        (["trace", "--modl", "tiny", "x"], "there is no option '--modl'; did you mean --model?"),
        (["explain", "-x"], "there is no option '-x'."),
        (["learn", "--xyz"], "there is no option '--xyz'."),
    ],
)
def test_a_text_that_begins_with_a_dash_is_told_how_it_is_given(typed, said):
    assert f"Error: {said} Try" in run(*typed, code=2).stderr
