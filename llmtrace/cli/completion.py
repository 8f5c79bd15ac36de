"""`llmtrace completion`: the script that teaches a shell to complete llmtrace's commands, options, models and names."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from llmtrace.cli.command import argument, new_command

SHELLS = ("bash", "zsh", "fish")


@new_command("completion")
@argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print a script for SHELL that completes commands, options, models, and the names of what was traced last.

    For good, put the line into ~/.bashrc or ~/.zshrc, or for fish into ~/.config/fish/config.fish.

    \b
    Examples:
      eval "$(llmtrace completion bash)"
      eval "$(llmtrace completion zsh)"
      llmtrace completion fish | source
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.cli import main

    shell_class = get_completion_class(shell)
    assert shell_class is not None
    click.echo(shell_class(main, {}, "llmtrace", "_LLMTRACE_COMPLETE").source())


def models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Bundled models, and folders."""
    from llmtrace.loading import bundled

    names = [name for name in bundled() if name.startswith(incomplete)]
    return [CompletionItem(incomplete, type="dir"), *map(CompletionItem, names)]


def steps(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the steps of what was traced last."""
    from llmtrace.cli.state import last_steps

    return [CompletionItem(name) for name in last_steps() if name.startswith(incomplete)]


def files_and_steps(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, and what `llmtrace show` knows by name."""
    from llmtrace.views.catalog import names

    views = [CompletionItem(name) for name in names() if name.startswith(incomplete)]
    return [CompletionItem(incomplete, type="file"), *views, *steps(ctx, param, incomplete)]
