"""The command line: `llmtrace COMMAND`. Each command has a file of its own, which is read when the command is used."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from llmtrace import i18n, interrupts
from llmtrace._version import __version__
from llmtrace.cli.command import (
    NUMBERS,
    Helpful,
    Option,
    language_option,
    placeholders,
    plain_option,
    refused,
    speak_what_can_be_written,
    tell,
)
from llmtrace.display import on_command_line, plain_wanted, speak_plainly
from llmtrace.encodings import discard_output, prepare_streams
from llmtrace.errors import LlmtraceError, UnknownTextError
from llmtrace.i18n import N_, _, listed
from llmtrace.lazy import attribute
from llmtrace.text import cited, inert, shown

TYPED = 80
"""So many characters of an argument are repeated at most."""
LONGEST = 2000
"""Characters of an error message of click's."""

COMMANDS = {
    "trace": N_("Run a text and show what happens, layer by layer."),
    "explain": N_("Show the multiplications and additions behind a number."),
    "what-if": N_("Change numbers of a run and see what changes with them."),
    "compare": N_("See where two runs part, to the bit."),
    "ledger": N_("Say who decided: the score of a token as an account."),
    "page": N_("Write a run and its model as one page for any browser."),
    "serve": N_("Show the page of a model of any size in a browser on this machine."),
    "accuracy": N_("Say how far float32 is from exact arithmetic, step by step."),
    "generate": N_("Let a model go on with a text, token by token."),
    "surprise": N_("Say how surprised a model is by a text, token by token."),
    "corpus": N_("Run many prompts, on one machine or many, into one index."),
    "fetch": N_("Fetch a model from Hugging Face's hub onto this machine."),
    "export": N_("Write a model as two files that need Python and NumPy alone."),
    "train": N_("Train a small GPT-2 on text files of your own."),
    "show": N_("Look at the steps of a trace, at attention, at the next token."),
    "tokenize": N_("Show how a text becomes tokens."),
    "learn": N_("Learn how language models work, lesson by lesson."),
    "verify": N_("Do every step of a trace file again: is every bit right?"),
    "doctor": N_("Test that this machine computes every bit as it should."),
    "completion": N_("Let your shell complete commands, options and names."),
}
"""In the order in which they are listed, and what is said of them there; each is in the file of its name."""


class Commands(Helpful, click.Group):
    """The commands, imported when used; and one place where every error becomes one line and an exit code."""

    check_failed = False
    """Whether what a command shows is that something is wrong (`command.fail_check`)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, without importing them."""
        return list(COMMANDS)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """All commands on one screen."""
        from llmtrace.cli.front_page import write

        write(formatter, self.help or "", COMMANDS)

    def get_help(self, ctx: click.Context) -> str:
        """The same as text."""
        from llmtrace.cli.front_page import plain

        return plain(self.help or "", COMMANDS) if plain_wanted() else super().get_help(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, from its file."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"llmtrace.cli.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command that the first argument names; an unknown one is answered with the nearest."""
        if args[0] in COMMANDS or args[0].startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        meant = attribute("llmtrace.near.near")(args[0], COMMANDS)
        text = _("there is no command {name}; the commands are {names}")
        if meant:
            text = _("there is no command {name}; did you mean {near}?")
        raise click.UsageError(text.format(name=cited(args[0]), near=listed(meant), names=listed(COMMANDS)), ctx)

    def main(self, *args: Any, **options: Any) -> Any:
        """Runs a command and ends the process: 0 done, 1 a check failed, 2 wrong usage, 130 interrupted."""
        speak_plainly(None)
        i18n.use(None)  # the language of the environment, until --lang says otherwise
        given = (args[0] if args else options.get("args")) or sys.argv[1:]
        speak_what_can_be_written(quietly=any(str(each).startswith("--lang") for each in given))
        with i18n.for_others(), on_command_line():
            try:
                self._run([str(each) for each in given], *args, **options)
            finally:
                interrupts.end_the_process()

    def _run(self, given: list[str], *args: Any, **options: Any) -> None:
        prepare_streams()
        if not os.environ.get("COLUMNS", "").strip("0"):  # a terminal that does not know says 0
            os.environ.pop("COLUMNS", None)
        output, self.check_failed = sys.stdout, False
        try:
            self._end(given, *args, **options)
        except (BrokenPipeError, SystemExit) as stop:
            # Where nobody reads any more, click puts another stream in place of the output, and Rich exits.
            if (
                isinstance(stop, SystemExit)
                and sys.stdout is output
                and not isinstance(stop.__context__, BrokenPipeError)
            ):
                raise
            discard_output()
            sys.exit(int(self.check_failed))  # whoever read it has seen enough

    def _end(self, given: list[str], *args: Any, **options: Any) -> NoReturn:
        try:
            interrupts.raise_in_python()
            result = super().main(*args, **{**options, "standalone_mode": False})
            sys.stdout.flush()
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except click.exceptions.NoArgsIsHelpError as shown:
            print(shown.message, flush=True)
            sys.exit(shown.exit_code)
        except (click.ClickException, LlmtraceError) as error:
            _fail(error, given)
        except (KeyboardInterrupt, click.Abort):
            print("\n" + _("Interrupted."), file=sys.stderr)
            sys.exit(130)
        except MemoryError as error:
            discard_output()
            text = _("there is not enough memory ({why})") if str(error) else _("there is not enough memory")
            _fail(click.ClickException(text.format(why=error)), given)
        except BrokenPipeError:
            raise
        except OSError as error:
            discard_output()
            from llmtrace.storage.files import reason

            _fail(click.ClickException(_("the output can't be written: {why}", why=reason(error))), given)
        sys.exit(result if isinstance(result, int) else int(self.check_failed))


def _brief(message: str, given: list[str]) -> str:
    """A message of click, which repeats what was typed, however long."""
    for typed in given:
        for text in (typed, typed.partition("=")[2]):
            if len(text) > TYPED:
                message = message.replace(repr(text)[1:-1], shown(text, TYPED)).replace(text, shown(text, TYPED))
    return shown(message, LONGEST)


def _fail(error: click.ClickException | LlmtraceError, given: list[str]) -> NoReturn:
    from llmtrace.loading import CHINESE, usual

    kind = getattr(getattr(error, "param", None), "type", None)
    if isinstance(error, click.BadParameter) and isinstance(kind, NUMBERS):
        error = click.BadParameter(refused(kind, error.message), error.ctx, error.param, error.param_hint)
    message = error.format_message() if isinstance(error, click.ClickException) else str(error)
    if isinstance(error, click.MissingParameter):
        message = " ".join(message.split())  # click lists choices in lines of their own
    if isinstance(error, click.BadParameter) and error.param and isinstance(error.param.type, click.Choice):
        message = message.replace(", ", _(", "))
    if isinstance(error, UnknownTextError) and usual() == CHINESE:
        message = _("{error}; {note}", error=message, note=_("--model storyteller reads any text"))
    message = inert(message.rstrip())
    if isinstance(error, click.ClickException):
        message = _brief(message, given)
    message = placeholders(message)
    if not isinstance(error, click.UsageError) or error.ctx is None:
        line = _("Error: {message}", message=message)
    else:
        message = message.removesuffix(".")
        ended = message.endswith(("?", "!", "…", "。", "？"))
        line = (
            _("Error: {message} Try '{command} --help'.") if ended else _("Error: {message}. Try '{command} --help'.")
        )
        line = line.format(message=message, command=error.ctx.command_path)
    tell(line)
    sys.exit(2)


@click.group(
    "llmtrace",
    cls=Commands,
    invoke_without_command=True,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(
    __version__, "--version", message="llmtrace %(version)s", cls=Option, help=N_("Show the version and end.")
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Run a language model and show the exact arithmetic behind every number.

    \b
    Examples:
      llmtrace trace "The king had a child, a girl."
      llmtrace explain "block.0.attn.scores[head=2, query=4, key=1]" --depth 2
    """  # noqa: D301 - \b keeps click from filling the lines
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), color=ctx.color)


main.params += [plain_option(), language_option()]
