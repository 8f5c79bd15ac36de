"""What several commands share: the model, the prompt, and what was traced last."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmtrace.cli.command import argument, note, option
from llmtrace.cli.completion import models
from llmtrace.cli.state import last_traced, remember
from llmtrace.errors import AddressError, EditError, PromptError
from llmtrace.i18n import N_, _
from llmtrace.text import cited, inert, quoted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llmtrace.models import LanguageModel, Model
    from llmtrace.trace import Keep, Trace


FILES = {".bin", ".csv", ".gguf", ".html", ".json", ".jsonl", ".md", ".py", ".safetensors", ".trace", ".txt"}
"""Endings of files that people have beside llmtrace: its own, those of models, and those of texts."""
BEGINNINGS = ("The king had a child, a girl.", "the king has a girl and gives", "中华人民")
"""Texts of the models that come with llmtrace."""
IS_TRACE = N_("{name} is a trace: look at it with llmtrace show; {instead}")


class FileName(click.Path):
    """The name of a file that there may be or not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name as it is, or a failure where the system knows no such names."""
        try:
            return super().convert(value, param, ctx)
        except ValueError:  # a NUL, or half a character
            self.fail(_("no file can have the name {name}", name=cited(value)), param, ctx)


class Ids(click.ParamType[list[int]]):
    """The ids of tokens, such as 17 4 290."""

    name = "ids"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """The numbers, or a failure where it is anything else."""
        parts = str(value).replace(",", " ").split()
        if not parts or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
            self.fail(_("{text} is not a row of token ids, such as 17 4 290", text=cited(value)), param, ctx)
        return [int(part) for part in parts]


model_option = option(
    "--model",
    metavar="MODEL",
    help=N_(
        "A bundled model or smollm2 by name, a folder with config.json and model.safetensors, or a .gguf or .bin file. Default:"
        " what LLMTRACE_MODEL says, else storyteller, or in Chinese jielong."
    ),
    shell_complete=models,
)
trace_option = option(
    "--trace", "file", type=FileName(), metavar="FILE", help=N_("A trace file to look into, instead of a prompt.")
)
ascii_option = option(
    "--ascii",
    "only_ascii",
    is_flag=True,
    help=N_("Use no signs but those of ASCII, and no coloured backgrounds; letters stay as they are."),
)
ids_option = option(
    "--ids",
    type=Ids(),
    metavar='"N N …"',
    help=N_("The ids of the tokens, instead of a text: for a model without a tokenizer."),
)
special_option = option(
    "--special",
    is_flag=True,
    help=N_("Read special tokens such as <|endoftext|> as such, not as plain text."),
)
json_option = option("--json", "as_json", is_flag=True, help=N_("Print JSON for other programs."))


@contextmanager
def blamed(model: str | None) -> Iterator[None]:
    """A model that can't be loaded, and that nobody has named on the command line: the error says who has."""
    from llmtrace.errors import ModelError
    from llmtrace.loading import VARIABLE

    try:
        yield
    except ModelError as error:
        if model is not None or not os.environ.get(VARIABLE):
            raise
        raise ModelError(_("{error} (LLMTRACE_MODEL names it)", error=error)) from error


def load(model: str | None) -> Model:
    """The model that was asked for, or the one that comes with llmtrace."""
    from llmtrace.loading import load, usual

    with blamed(model):
        loaded = load(usual() if model is None else model)
    for text in loaded.notes:
        note(text)
    return loaded


@contextmanager
def said_of_what(note: str) -> Iterator[None]:
    """An error about a run that was not named on the command line: it says which run that is."""
    try:
        yield
    except (AddressError, EditError, PromptError) as error:
        if not note:
            raise
        asks = str(error).endswith(("?", "？"))
        text = _("{before} {after}", before=error, after=note) if asks else _("{error}; {note}", error=error, note=note)
        raise type(error)(text) from None


def keep_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--keep`, for commands that make a trace."""
    text = N_(
        "Keep all numbers, or only the residual stream: the others are computed again. Default: all up to 500 MB."
    )
    return option("--keep", type=click.Choice(["all", "residual"]), help=text)(function)


def scratch_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--scratch`, for commands that make a trace."""
    text = N_("Keep all numbers in a file of that folder, instead of in memory; afterwards it is gone.")
    kind = click.Path(exists=True, file_okay=False)
    return option("--scratch", type=kind, metavar="FOLDER", help=text)(function)


def prompt_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """PROMPT or `--ids`, for commands that run what they are given."""
    given: Callable[..., Any] = argument("prompt", required=False)(ids_option(special_option(function)))
    return given


def prompt_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--prompt` and `--ids`, for commands that look at what was traced last where neither is given."""
    text = N_("The text to run, - for standard input. Default: what was traced last.")
    return option("--prompt", metavar="TEXT", help=text)(ids_option(special_option(function)))


def opened(
    file: str | None, prompt: str | None, ids: list[int] | None, model: str | None, special: bool = False
) -> tuple[Trace, str]:
    """The trace of the file or of the prompt, and what to say about it first."""
    from llmtrace.loading import open_trace, usual

    if file is not None:
        if prompt is not None or ids is not None:
            raise click.UsageError(_("give a trace file or what to run, not both"))
        return open_trace(file, model), ""
    if prompt is not None or ids is not None:
        return traced(read_prompt(prompt, ids, special), model), ""
    last, last_model = last_traced()
    said = repr(last) if isinstance(last, str) else " ".join(map(str, last))
    note = _("prompt: {prompt} (traced last)", prompt=said)
    if model is None and last_model is not None and last_model != usual():
        note = _("prompt: {prompt} (traced last, with {model})", prompt=said, model=inert(os.path.basename(last_model)))
    with said_of_what(note):
        return load(last_model if model is None else model).trace(last), note


def traced(prompt: str | list[int], model: str | None, keep: Keep | None = None, scratch: str | None = None) -> Trace:
    """The trace of a prompt, which is from now on what was traced last."""
    from llmtrace.loading import usual
    from llmtrace.models import as_language_model

    loaded = as_language_model(load(model))
    trace = loaded.trace(begun(loaded, prompt), keep=keep, scratch=scratch)
    if keep is None and trace.keep != "all":
        note(_("to save memory only the residual stream is kept; all else is computed again when needed (--keep all)"))
    forgotten = remember(prompt, usual() if model is None else model, trace)
    if forgotten:
        note(_("this prompt could not be remembered ({why}); give --prompt to explain and show", why=forgotten))
    return trace


def begun(model: Model, prompt: str | list[int]) -> str | list[int]:
    """The prompt, as it is; of an empty one is said what it begins with."""
    begin = getattr(model, "begin", None)
    if not prompt and begin is not None:
        token = quoted(model.token_text(begin))  # type: ignore[attr-defined]
        text = _("the prompt is empty, so the text begins with {token}, with which all texts of this model begin")
        note(text.format(token=token))
    return prompt


def beginning(model: LanguageModel) -> str | list[int]:
    """What is read where nothing is given: a text for which the model has tokens, or its first token."""
    for text in BEGINNINGS:
        with suppress(PromptError):
            model.ids(text)
            return text
    return [0]


def read_prompt(prompt: str | None, ids: list[int] | None = None, special: bool = False) -> str | list[int]:
    """What was given to run: ids, or a text as it is, or of standard input for `-`, without the line break that ends it."""
    if ids is not None:
        if prompt is not None:
            raise click.UsageError(_("give a text or --ids, not both"))
        return ids
    if prompt is None:
        raise click.UsageError(_("give a text, or the ids of its tokens with --ids"))
    return marked(read_text(prompt), special)


def marked(text: str, special: bool) -> str:
    """The text, in which special tokens count if they are asked for."""
    if not special:
        return text
    from llmtrace.models import WithSpecial

    return WithSpecial(text)


def must_not_be_file(text: str) -> None:
    """Raises UsageError where a text is the name of a file, that there is or not: nobody means its letters.

    Such a name has no spaces, and one of the endings `FILES`. Who does mean it gives it through standard input.
    """
    if Path(text).suffix not in FILES or text.split() != [text]:
        return
    said = N_("{name} is a file: what is in it is run by - < FILE; {instead}")
    if not os.path.isfile(text):
        said = N_("there is no file {name}; {instead}")
    elif Path(text).suffix == ".trace":
        said = IS_TRACE
    raise no_text(said, text)


def no_text(why: str, name: str) -> click.UsageError:
    """An error about what is no text, which says how its letters can be run."""
    instead = _("to run these very letters, give them through standard input, with -")
    return click.UsageError(_(why).format(name=cited(name), instead=instead))


def read_text(text: str) -> str:
    """A text as given, or standard input for `-`, without the line break that ends it."""
    if text != "-":
        must_not_be_file(text)
        return text
    text = decoded(sys.stdin.buffer.read(), _("standard input"))
    return text.removesuffix("\n").removesuffix("\r")


def decoded(content: bytes, name: str) -> str:
    """The text of a file, which is UTF-8; UsageError says which byte is not."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        text = _("{path} is not UTF-8: byte {place}, counted from 0, is 0x{byte:02X}; convert the file first")
        where = {"place": error.start, "byte": content[error.start]}
        raise click.UsageError(text.format(path=shown(name), **where)) from None
