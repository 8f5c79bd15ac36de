"""Help pages, laid out by rich_click, which is imported when one is asked for: most commands end without."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from typing import Any

import click
import rich_click
from rich.cells import cell_len
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from llmtrace.cli.command import Option, metavar, signs_are_wide
from llmtrace.display import plain_wanted
from llmtrace.i18n import N_, _, unspaced
from llmtrace.render.terminal.cjk import Wide, wrapped
from llmtrace.render.terminal.console import output_console
from llmtrace.views.document import label as named

PANELS = {
    "options_panel_title": N_("Options"),
    "commands_panel_title": N_("Commands"),
    "required_long_string": N_("[required]"),
    "default_string": N_("[default: {}]"),
}
WORD = re.compile(r"""(?:--?[a-z][\w-]* (?=[^\s|-]))?(?:"[^"]*"|'[^']*'|[^\s"'])+""")
"""A word of a command line with what it has in quotes, or an option with its value."""
LAYOUT: dict[str, Any] = {"text_paragraph_linebreaks": "\n\n", "padding_helptext_first_line": (0, 1, 1, 0)}


def filled(text: Any) -> Any:
    """A text of a help page, its lines broken where Chinese may break."""
    return Wide.of(text) if isinstance(text, Text) else text


def copyable(text: str, width: int) -> str:
    """A text whose examples fit, each over several lines as a shell takes them: a backslash at the end of all but the last."""
    return "\n".join(_broken(line, width) if line.startswith("  ") else line for line in text.split("\n"))


def _broken(example: str, width: int) -> str:
    lines: list[str] = []
    for word in WORD.findall(example):
        room = width - 2  # for the backslash
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(f"{'    ' if lines else '  '}{word}")
    return " \\\n".join(lines) if cell_len(example) > width else example


class Formatter(rich_click.RichHelpFormatter):
    """Writes help pages."""

    def rich_text(self, text: Any, style: Any = "") -> Any:
        """A paragraph."""
        return filled(
            super().rich_text(copyable(text, self.console.width - 2) if isinstance(text, str) else text, style)
        )


class ShownOption(Option, rich_click.RichOption):
    """An option on a help page."""

    panel = help_style = None

    def get_rich_help(self, ctx: Any, formatter: Any) -> Any:
        """The help beside the option."""
        columns = super().get_rich_help(ctx, formatter)
        columns.renderables = [filled(text) for text in columns.renderables]
        return columns


class Shown:
    """A command on a help page; mixed with its own class and with rich_click's."""

    panel, panels, aliases = None, (), ()
    _help_option = None
    _params: list[click.Parameter] | None = None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """What can be given: made once for a page, which asks for it at every option."""
        if self._params is None:
            self._params = with_help(super().get_params(ctx))  # type: ignore[misc]
        return self._params

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Writes the line that says how the command is written, and names the parts of the page that follow."""
        for name, title in PANELS.items():
            setattr(formatter.config, name, escape(_(title)))
        if signs_are_wide():
            formatter.config.style_options_panel_box = formatter.config.style_commands_panel_box = "ASCII"
        pieces = self.collect_usage_pieces(ctx)  # type: ignore[attr-defined]
        given = formatter.config
        usage = unspaced(f"{_('Usage:')} {ctx.command_path}").removesuffix(ctx.command_path)
        parts = (
            (usage, given.style_usage),
            (ctx.command_path, given.style_usage_command),
            " ",
            metavar(" ".join(pieces)),
        )
        formatter.write(Padding(Text.assemble(*parts), given.padding_usage))


def page(command: Any, ctx: click.Context) -> str:
    """The help page of a command."""
    if plain_wanted():
        return "\n".join(in_lines(plain_lines(command, ctx)))
    config = rich_click.RichHelpConfiguration.load_from_globals(**LAYOUT)
    formatter = Formatter(width=ctx.terminal_width, max_width=ctx.max_content_width, config=config)
    if isinstance(command, click.Group):
        command.format_help(ctx, formatter)
    else:
        shown = _as(command, type("ShownCommand", (Shown, type(command), rich_click.RichCommand), {}))
        about = copy.copy(ctx)
        about.command = shown
        shown.format_help(about, formatter)
    return formatter.getvalue().rstrip("\n")


def in_lines(paragraphs: Iterable[str]) -> Iterator[str]:
    """Paragraphs, each in one line, or on a terminal in lines as wide as that."""
    width = output_console().width
    for text in paragraphs:
        yield from (text[start:end].rstrip() for start, end in wrapped(text, width, width))


def plain_lines(command: Any, ctx: click.Context) -> Iterator[str]:
    """The help page of a command as sentences: how it is written, what it does, and an option in each line."""
    shown = with_help(command.get_params(ctx))
    pieces = [piece for param in shown for piece in param.get_usage_pieces(ctx)]
    yield unspaced(f"{_('Usage:')} {ctx.command_path} {metavar(' '.join(['[OPTIONS]', *pieces]))}")
    yield ""
    for part in (command.help or "").split("\n\n"):
        examples = part.startswith("\b")
        yield from part.split("\n")[1:] if examples else [" ".join(part.split())]
        yield ""
    yield f"{_('Options')}:"
    for param in shown:
        record = param.get_help_record(ctx)
        if record is not None and record[1]:
            yield named(record[0]) + " ".join(record[1].split())


def with_help(params: Iterable[click.Parameter]) -> list[click.Parameter]:
    """The same, options as they are on a help page."""
    return [_as(each, ShownOption) if isinstance(each, Option) else each for each in params]


def _as(thing: Any, kind: Any) -> Any:
    """A copy of an object as one of a class below its own."""
    made = copy.copy(thing)
    made.__class__ = kind
    told = getattr(made, "show_default", None)
    if isinstance(told, str):  # which click would put in brackets of its own
        made.default, made.show_default = told, True
    return made
