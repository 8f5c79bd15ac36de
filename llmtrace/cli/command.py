"""Commands and options whose help is said in the user's language at the moment it is shown; and notes beside the output."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from llmtrace import i18n
from llmtrace.display import speak_plainly
from llmtrace.encodings import in_encoding, writable
from llmtrace.i18n import N_, _, listed, unspaced
from llmtrace.lazy import attribute
from llmtrace.text import cited, inert

ENGLISH_TEXT = re.compile(r'^ *(?:echo|llmtrace) .*("(?:The|Once) |README\.md)')
"""In an example: a text that the usual model of another language has no tokens for."""


def paragraphs(text: str) -> list[str]:
    r"""The messages that a help text is made of: each paragraph in one line; of examples (after a \b), only the title."""
    return [part.split("\n")[1] if part.startswith("\b") else " ".join(part.split()) for part in text.split("\n\n")]


PLACEHOLDERS = {
    N_("ADDRESS"),
    N_("ARGS"),
    N_("BLOCK"),
    N_("COMMAND"),
    N_("DIR"),
    N_("FILE"),
    N_("FLOAT"),
    N_("FOLDER"),
    N_("HEAD"),
    N_("INTEGER"),
    N_("KEY"),
    N_("LANG"),
    N_("MODEL"),
    N_("NAME"),
    N_("NEURON"),
    N_("NUMBER"),
    N_("OPTIONS"),
    N_("PART"),
    N_("PLACE"),
    N_("PROMPT"),
    N_("PROMPTS"),
    N_("SCORE"),
    N_("SHELL"),
    N_("TEXT"),
    N_("TOKEN"),
    N_("VALUE"),
}
"""The words that stand for what is given; letters such as N are the same in all languages."""
PLACEHOLDER = re.compile("'[^']*'|(?<![A-Z_])[A-Z]{2,}(?![A-Z_])")
"""Such a word, or what is in quotes: that was typed."""


def placeholders(text: str) -> str:
    """`FILE…` or `[OPTIONS]` in the user's language, wherever a text speaks of it."""
    return unspaced(PLACEHOLDER.sub(lambda word: _(word[0]) if word[0] in PLACEHOLDERS else word[0], text))


def metavar(written: str) -> str:
    """What stands for a value, in the signs of this terminal; "RANGE" is click's own, which shows the limits too."""
    return in_signs(placeholders(written.replace(" RANGE", "")))


def within(kind: click.IntRange | click.FloatRange, value: str) -> str:
    """What is wrong with a number that is out of range."""
    least = _("more than {limit}") if kind.min_open else _("at least {limit}")
    most = _("less than {limit}") if kind.max_open else _("at most {limit}")
    ends = [(least, kind.min), (most, kind.max)]
    limits = [text.format(limit=f"{limit:,}") for text, limit in ends if limit is not None]
    both = _("{low} and {high}", low=limits[0], high=limits[-1]) if len(limits) > 1 else limits[0]
    return _("it must be {limits}, not {value}", limits=both, value=value)


NUMBERS = (click.types.IntParamType, click.types.FloatParamType)


def refused(kind: click.types.IntParamType | click.types.FloatParamType, said: str) -> str:
    """What click has said of a number that it refuses, in words for who does not know integers and floats."""
    if isinstance(kind, click.IntRange | click.FloatRange) and kind._describe_range() in said:
        return within(kind, said.split(" ")[0])
    whole = isinstance(kind, click.types.IntParamType)
    return said.replace(f"a valid {kind.name}", "a whole number" if whole else "a number")


def translated(text: str | None) -> str | None:
    """A help text in the user's language, with its examples as they are."""
    if text is None:
        return None
    parts = []
    for part, message in zip(text.split("\n\n"), paragraphs(text), strict=True):
        examples = [fitting(line) for line in part.split("\n")[2:]]
        said = placeholders(_(message))
        parts.append("\n".join(["\b", said, *examples]) if part.startswith("\b") else said)
    return "\n\n".join(parts)


def fitting(example: str) -> str:
    """An example with an English text, for where another model is the usual one."""
    if i18n.language() != "zh" or "--model" in example or not ENGLISH_TEXT.search(example):
        return example
    return f"{example} --model storyteller"


def signs_are_wide() -> bool:
    """Whether LLMTRACE_WIDE says that signs whose width Unicode leaves open, such as × and ─, are two cells wide here."""
    return click.BOOL.convert(os.environ.get("LLMTRACE_WIDE") or "0", None, None)


def in_signs(text: str) -> str:
    """A text of a help page in the signs of this terminal."""
    return in_encoding(text, "utf-8", plain_signs=True) if signs_are_wide() else text


def fail_check() -> None:
    """What the command is about to show says that something is wrong: it ends with 1, whether that is read to its end or not."""
    click.get_current_context().find_root().command.check_failed = True  # type: ignore[attr-defined]


class Translated:
    """Something with a `help` that is written in English and read in the user's language."""

    _written: str | None = None

    @property
    def help(self) -> str | None:
        """The help, translated."""
        found = translated(self._written)
        return found and in_signs(found)

    @help.setter
    def help(self, text: str | None) -> None:
        self._written = text if text is None else inspect.cleandoc(text)


class Argument(click.Argument):
    """What is given without the name of an option."""

    def make_metavar(self, ctx: click.Context) -> str:
        """What stands for it."""
        return metavar(super().make_metavar(ctx))


class Option(Translated, click.Option):
    """An option with such a help."""

    def make_metavar(self, ctx: click.Context) -> str:
        """What stands for its value."""
        return metavar(super().make_metavar(ctx))


def show_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Prints the help page, in colours where it has some, and ends."""
    if value and not ctx.resilient_parsing:
        print(ctx.get_help())
        ctx.exit()


TEXTS = {"given", "prompt", "text"}
"""Arguments that are a text."""


def whole(option: str, given: Sequence[str]) -> str:
    """What was typed where click speaks of an option, which may be one letter of it."""
    short = (each for each in given if not option.startswith("--") and re.match("-[^-]", each) and option[1:] in each)
    return next(short, option)


class Helpful(Translated):
    """What `Command` and the group of all commands do on top of click's: everything in the user's language."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads what was given; an option that there is not is answered with the nearest."""
        given = list(args)  # which click takes apart
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]
        except click.NoSuchOption as error:
            typed = whole(error.option_name, given)
            params = self.get_params(ctx)  # type: ignore[attr-defined]
            known = {name for param in params for name in param.opts}
            texts = [param for param in params if isinstance(param, click.Argument) and param.name in TEXTS]
            meant = attribute("llmtrace.near.near")(
                error.option_name, sorted(name for name in known if name.startswith("--"))
            )
            text = _("there is no option {name}")
            if meant:
                text = _("there is no option {name}; did you mean {near}?")
            elif not error.option_name.startswith("--") and texts:
                text = _("there is no option {name}; if the text begins with a dash: {command}")
            command = f"{ctx.command_path} -- {shlex.quote(typed)}"
            raise click.UsageError(text.format(name=cited(typed), near=listed(meant), command=command), ctx) from None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help` in our words."""
        option: click.Option | None = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = _("Show this help and end.")
            option.callback = show_help
        return option

    def get_help(self, ctx: click.Context) -> str:
        """The help page."""
        page: str = attribute("llmtrace.cli.help.page")(self, ctx)  # which shows what is made here
        return page


class Command(Helpful, click.Command):
    """A command, which also takes `--plain` and `--lang`."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params += [plain_option(), language_option()]


def new_command(name: str, kind: type[Command] = Command) -> Callable[[Callable[..., Any]], Command]:
    """Makes a function the command of that name; its docstring is its help."""
    return click.command(name, cls=kind)


def argument(name: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An argument of a command."""
    return click.argument(name, cls=Argument, **settings)


def option(*names: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option of a command; `help` is written `N_("…")`."""
    return click.option(*names, cls=Option, **settings)


def no_pager_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--no-pager`, for commands whose output may be longer than the screen."""
    text = N_("Print everything at once, also if it is longer than the screen.")
    return option("--no-pager", is_flag=True, help=text)(function)


def tell(text: str) -> None:
    """Says one line on standard error: on a terminal in lines as wide as that; where a program reads, it stays one."""
    text = inert(text)
    if sys.stderr.isatty():
        from rich.console import Console

        from llmtrace.render.terminal.cjk import wrapped

        width = Console(stderr=True).width
        text = "\n".join(text[start:end].rstrip() for start, end in wrapped(text, width, width))
    click.echo(text, err=True)


def note(text: str) -> None:
    """Says something beside the output that a reader should know."""
    tell(_("Note: {text}", text=text))


def speak_what_can_be_written(quietly: bool = False) -> None:
    """Speaks English where the output lacks the letters of the language, and says so on standard error."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if writable(_("Options"), encoding):
        return
    i18n.use(i18n.ENGLISH)
    if not quietly:
        text = _(
            "{encoding} lacks the letters of that language, so this is English; PYTHONIOENCODING=utf-8 writes them all"
        )
        note(text.format(encoding=encoding))


def language_option() -> Option:
    """`--lang`, which is read before everything else."""

    def speak(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        if value is not None:
            try:
                i18n.use(value)
                speak_what_can_be_written()
                i18n.tell_others()
            except ValueError as error:
                raise click.UsageError(str(error), ctx) from None

    return Option(
        ["--lang"],
        metavar="LANG",
        help=N_("The language to speak, such as en. Default: the one of the environment."),
        is_eager=True,
        expose_value=False,
        callback=speak,
        shell_complete=lambda ctx, param, incomplete: [n for n in i18n.languages() if n.startswith(incomplete)],
    )


def plain_option() -> Option:
    """`--plain`, which every command has."""

    def ask(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value:
            speak_plainly(True)

    return Option(
        ["--plain"],
        is_flag=True,
        help=N_("Say everything in plain sentences, for screen readers and simple terminals."),
        is_eager=True,
        expose_value=False,
        callback=ask,
    )
