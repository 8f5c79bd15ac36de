"""The command line: `llmtrace COMMAND`. Each command has a file of its own, which is read when the command is used."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click
import rich_click

from llmtrace._version import __version__
from llmtrace.errors import LlmtraceError

COMMANDS = ("trace", "explain", "doctor")
"""In the order in which they are listed; each is in the file of its name."""


class Commands(rich_click.RichGroup):
    """The commands, imported when used; and one place where every error becomes one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"llmtrace.cli.{cmd_name}").command
        return command

    def main(self, *args: Any, **options: Any) -> Any:
        """Runs a command and ends the process: 0 done, 1 a check failed, 2 wrong usage, 130 interrupted."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")  # what an encoding lacks is shown as an escape
        try:
            result = super().main(*args, **{**options, "standalone_mode": False})
            sys.stdout.flush()
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except (click.ClickException, LlmtraceError) as error:
            _fail(error)
        except (KeyboardInterrupt, click.Abort):
            print("\nInterrupted.", file=sys.stderr)
            sys.exit(130)
        except BrokenPipeError:  # whoever read the output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(141)
        sys.exit(result if isinstance(result, int) else 0)


def _fail(error: click.ClickException | LlmtraceError) -> None:
    from llmtrace.render.inert import inert

    message = error.format_message() if isinstance(error, click.ClickException) else str(error)
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f" Try '{error.ctx.command_path} --help'."
    print(f"Error: {inert(message.rstrip())}{hint}", file=sys.stderr)
    sys.exit(2)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", message="llmtrace %(version)s")
def main() -> None:
    """Run a language model, remember every number, and show the exact multiplications and additions that made it.

    \b
    Examples:
      llmtrace trace "CBABBC"
      llmtrace explain "block.0.attn.scores[head=2, query=4, key=1]" --depth 2
    """
