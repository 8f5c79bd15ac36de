"""Help pages, laid out by rich_click, which is imported when one is asked for: most commands end without."""

from __future__ import annotations

import copy
from typing import Any

import click
import rich_click
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from llmtrace.cli.command import Option, metavar, signs_are_wide
from llmtrace.i18n import N_, _, unspaced
from llmtrace.render.terminal.cjk import Wide

PANELS = {
    "options_panel_title": N_("Options"),
    "commands_panel_title": N_("Commands"),
    "required_long_string": N_("[required]"),
    "default_string": N_("[default: {}]"),
}
LAYOUT: dict[str, Any] = {"text_paragraph_linebreaks": "\n\n", "padding_helptext_first_line": (0, 1, 1, 0)}


def filled(text: Any) -> Any:
    """A text of a help page, its lines broken where Chinese may break."""
    return Wide.of(text) if isinstance(text, Text) else text


class Formatter(rich_click.RichHelpFormatter):
    """Writes help pages."""

    def rich_text(self, text: Any, style: Any = "") -> Any:
        """A paragraph."""
        return filled(super().rich_text(text, style))


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
    config = rich_click.RichHelpConfiguration.load_from_globals(**LAYOUT)
    formatter = Formatter(width=ctx.terminal_width, max_width=ctx.max_content_width, config=config)
    if isinstance(command, click.Group):
        command.format_help(ctx, formatter)
    else:
        shown = _as(command, type("ShownCommand", (Shown, type(command), rich_click.RichCommand), {}))
        shown.params = [_as(each, ShownOption) if isinstance(each, Option) else each for each in command.params]
        about = copy.copy(ctx)
        about.command = shown
        shown.format_help(about, formatter)
    return formatter.getvalue().rstrip("\n")


def _as(thing: Any, kind: type) -> Any:
    """A copy of an object as one of a class below its own."""
    made = copy.copy(thing)
    made.__class__ = kind
    return made
