"""`llmtrace generate`: a text goes on, one token at a time, each with the table that it was chosen from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from llmtrace.cli.command import new_command, note, option, tell
from llmtrace.cli.options import begun, keep_option, load, model_option, prompt_argument, read_prompt, scratch_option
from llmtrace.cli.output import Look, in_signs_of_here, say_written, shown_options, write_document
from llmtrace.i18n import N_, _

if TYPE_CHECKING:
    from llmtrace.models import Choice, Generation, LanguageModel
    from llmtrace.tokenizers.chat import Chat
    from llmtrace.views.document import Document

Show = Callable[["Choice"], None]
MOST = 1_000_000
"""The most tokens of one text. It slides on beyond the context of its model, so that no other number would end it."""
TRACED = N_(
    "FILE.trace: write the trace of the finished text. Write the tables instead: .svg, .html, .md, .txt, .json, .tex."
)


@new_command("generate")
@prompt_argument
@model_option
@option("--steps", type=click.IntRange(1, MOST), default=20, metavar="N", help=N_("How many tokens. Default: 20."))
@option(
    "--temperature",
    type=float,
    metavar="T",
    help=N_(
        "Scores are divided by T: below 1 less is left to chance, 0 takes the likeliest. Default: 1, with --chat 0."
    ),
)
@option("--top-k", type=int, metavar="K", help=N_("Choose among the K likeliest tokens only."))
@option(
    "--top-p", type=float, metavar="P", help=N_("Choose among the likeliest tokens that together reach P, up to 1.")
)
@option(
    "--repetition-penalty",
    type=float,
    default=1.0,
    metavar="P",
    help=N_("Above 1, tokens that the text has already become less likely. Default: 1, nothing changes."),
)
@option("--seed", type=int, default=0, metavar="N", help=N_("Which random numbers are drawn. Default: 0."))
@option(
    "--stop", multiple=True, metavar="TEXT", help=N_("End where TEXT has been written; may be given several times.")
)
@option("--chat", is_flag=True, help=N_("PROMPT is a question to a model that was trained to answer."))
@option("--explain", is_flag=True, help=N_("Show each choice as arithmetic."))
@option("--table", is_flag=True, help=N_("Show the tables also where the output is no terminal."))
@option("-q", "--quiet", is_flag=True, help=N_("Print only the text, as it grows."))
@option(
    "--last",
    is_flag=True,
    help=N_("Write to FILE the run of the last token alone instead, with the key/value cache that it read."),
)
@keep_option
@scratch_option
@shown_options(traced=TRACED, own=("as_json",))
def command(prompt: str | None, model: str | None, steps: int, last: bool, look: Look, **options: Any) -> None:
    """Let a model go on with PROMPT, one token at a time, and show what each was chosen from.

    PROMPT is any text; - reads it from standard input. On a terminal every token comes with a table of the likeliest
    ones; elsewhere only the text is written, prompt first. The same seed gives the same text on every machine.

    \b
    Examples:
      llmtrace generate "Once upon a time" --steps 6
      llmtrace generate "Once upon a time" --steps 4 --temperature 2 --top-k 3 --explain
      llmtrace generate "Once upon a time" --steps 6 --quiet -o once.trace
      echo "Once upon a time" | llmtrace generate - --steps 3 --json
    """  # noqa: D301 - \b keeps click from filling the lines
    kept = {name: options[name] for name in ("keep", "scratch")}
    if look.trace is None and (last or any(kept.values())):
        name = "--last" if last else next(f"--{name}" for name, value in kept.items() if value)
        raise click.UsageError(_("{name} needs -o FILE.trace, where it is written", name=name))
    from llmtrace.models import Sampling, as_language_model

    temperature = options["temperature"]
    if temperature is None:
        temperature = 0.0 if options["chat"] else 1.0  # a story may wander, an answer is asked for once
    sampling = Sampling(temperature, options["top_k"], options["top_p"], options["seed"], options["repetition_penalty"])
    for file in filter(None, (look.file, look.trace)):
        _must_be_writable(file)
    given = read_prompt(prompt, options["ids"], options["special"])
    reader = as_language_model(load(model))
    as_json, explain = look.as_json, options["explain"]
    tables = not options["quiet"] and (explain or options["table"] or sys.stdout.isatty())
    chat = _chat(reader, given, options) if options["chat"] else None
    read = begun(reader, given) if chat is None else chat.ids
    generation = reader.generate(read, steps, sampling, options["stop"])
    stream = Stream("" if chat else _start(reader, given), plain=not as_json and not tables)
    show: Show = stream.text
    if as_json or tables:
        show = _json(explain) if as_json else _tables(explain)
    shown: list[Document] = []
    if look.file is not None:
        show = _kept(explain, shown, show)
    asked = _show_chat(chat, reader, as_json, tables) if chat else None
    done = None
    try:
        done = _run(generation, stream, show)
    finally:  # also where it was interrupted: what was written is kept
        try:
            stream.end(tables and not as_json)
        finally:  # whoever read the output may have seen enough
            if look.trace is not None and len(generation):
                (generation.last_trace if last else generation.trace)(**kept).save(look.trace)
                say_written(look.trace, as_json or not sys.stdout.isatty())  # piped, the output is for other programs
            if look.file is not None and shown:
                write_document(_together(stream.whole, shown, asked), look)
    if done and not as_json:
        note(done)


def _start(reader: LanguageModel, given: str | list[int]) -> str:
    """The text that the model goes on with."""
    from llmtrace.models import SourceModel

    start = given if isinstance(given, str) else reader.text(given)
    return f"{start} →" if isinstance(reader, SourceModel) else start  # it does not go on with the text, but answers it


def _chat(reader: LanguageModel, given: str | list[int], options: dict[str, Any]) -> Chat:
    """The question as the model was trained to read it, whose answer ends where its turn does."""
    from llmtrace.models.writing import ends_of
    from llmtrace.tokenizers.chat import chat

    if options["special"] or not isinstance(given, str):
        raise click.UsageError(_("--chat takes a question, with neither --ids nor --special"))
    asked = chat(given, reader.chat_template, reader.tokenizer)
    ends = ends_of(reader.tokenizer) if reader.ends is None else reader.ends
    reader.ends = tuple(dict.fromkeys((*ends, asked.end)))
    return asked


def _show_chat(chat: Chat, reader: LanguageModel, as_json: bool, tables: bool) -> Document:
    """The tokens with their roles, before the answer, where more than its text is shown."""
    from llmtrace.render import renderable
    from llmtrace.render.json import dumps, to_data
    from llmtrace.render.terminal.console import output_console
    from llmtrace.views.chat import view

    document = view(chat, reader.token_text)
    if as_json:
        sys.stdout.write(dumps(to_data(document.facts), indent=None) + "\n")
    elif tables:
        output_console().print(in_signs_of_here(renderable(document)))
    return document


def _run(generation: Generation, stream: Stream, show: Show) -> str:
    """Shows every token as soon as it is chosen; returns why it ended early, if it did."""
    from llmtrace.text import quoted

    slid = False
    for choice in generation:
        if choice.window.start and not slid:
            slid = True
            text = _(
                "Note: the text is longer than the {count} tokens that this model reads at most; from here on it no longer"
                " sees the oldest ones"
            )
            stream.note(text.format(count=generation.model.config.context))
        show(choice)
        stream.grow(choice.written)
        sys.stdout.flush()
    if generation.ended is not None:
        return _("the model has ended the text, with {token}", token=quoted(generation.ended))
    return ""


class Stream:
    """The text as it grows: written at once, or remembered for the end. Its line breaks are kept, all else is harmless."""

    def __init__(self, prompt: str, plain: bool) -> None:
        self.whole = ""
        self._plain = plain
        self.grow(prompt)
        if plain:
            self._write(prompt)
            sys.stdout.flush()

    def grow(self, text: str) -> None:
        """Remembers what was added."""
        self.whole += text

    def text(self, choice: Choice) -> None:
        """Writes what a token adds."""
        self._write(choice.written)

    def note(self, text: str) -> None:
        """Says something beside the text."""
        sys.stdout.flush()
        if self._plain and sys.stdout.isatty():
            click.echo(err=True)
        tell(text)

    def end(self, whole: bool) -> None:
        """Ends the line, or writes the whole text."""
        if whole:
            sys.stdout.write("\n")
            self._write(self.whole)
        if whole or self._plain:
            sys.stdout.write("\n")
        sys.stdout.flush()

    def _write(self, text: str) -> None:
        from llmtrace.text import flowing

        sys.stdout.write(flowing(text))


def _json(explain: bool) -> Show:
    """Prints one JSON object for each token, on a line of its own."""
    from llmtrace.render.json import dumps, to_data

    def show(choice: Choice) -> None:
        data = to_data(_document(choice, explain).facts)
        more = {"written": choice.written, "window_start": choice.window.start}
        sys.stdout.write(dumps({**data, **more}, indent=None) + "\n")

    return show


def _tables(explain: bool) -> Show:
    """Prints the table of each token, or its arithmetic."""
    from llmtrace.render import renderable
    from llmtrace.render.terminal.console import output_console

    console = output_console()

    def show(choice: Choice) -> None:
        console.print(in_signs_of_here(renderable(_document(choice, explain))))
        if explain:
            console.print()

    return show


def _kept(explain: bool, kept: list[Document], show: Show) -> Show:
    """Keeps the table of each token, or its arithmetic, beside showing it."""

    def keep(choice: Choice) -> None:
        kept.append(_document(choice, explain))
        show(choice)

    return keep


def _together(text: str, choices: list[Document], asked: Document | None) -> Document:
    """The finished text, what each of its tokens was chosen from, and what was asked."""
    from llmtrace.render.json import to_data
    from llmtrace.views.document import Document, Space, paragraph, value

    parts = choices if asked is None else [asked, *choices]
    blocks = [block for part in parts for block in (*part.blocks, Space())]
    facts = {**(to_data(asked.facts) if asked else {}), "text": text, "choices": [choice.facts for choice in choices]}
    return Document((*blocks, paragraph(value(text), hang=0)), facts)


def _document(choice: Choice, explain: bool) -> Document:
    from llmtrace.views.sampling import view, working

    return (working if explain else view)(choice.steps, choice.number)


def _must_be_writable(output: str) -> None:
    """Refuses a file in no folder before the text is written, not after."""
    from llmtrace.errors import TraceFileError
    from llmtrace.text import shown

    folder = os.path.dirname(output) or "."
    if not os.path.isdir(folder):
        why = _("there is no folder {folder}", folder=shown(folder))
        raise TraceFileError(_("{path} can't be written: {why}", path=shown(output), why=why))
