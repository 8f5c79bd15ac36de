"""`llmtrace tokenize`: how a text becomes the numbers that a model reads."""

from __future__ import annotations

from llmtrace.cli.command import argument, new_command, option
from llmtrace.cli.options import blamed, model_option, read_text
from llmtrace.cli.output import Look, print_document, shown_options
from llmtrace.i18n import N_


@new_command("tokenize")
@argument("text")
@model_option
@option("--special", is_flag=True, help=N_("Read special tokens such as <|endoftext|> as such, not as plain text."))
@option("--all", "every", is_flag=True, help=N_("Show every piece and every merge."))
@shown_options(own=("no_pager", "as_json"))
def command(text: str, model: str | None, special: bool, every: bool, look: Look) -> None:
    """Show how TEXT becomes tokens: the pieces it is cut into, each merge with its rank, and the ids.

    MODEL may also be a folder that holds only a tokenizer. TEXT is any text; - reads it from standard input.

    \b
    Examples:
      llmtrace tokenize "The king had a child, a girl."
      llmtrace tokenize "The king had a child, a girl." --json
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.loading import load_tokenizer, usual
    from llmtrace.views.tokenization import view

    with blamed(model):
        tokenizer = load_tokenizer(usual() if model is None else model)
    tokenization = tokenizer.explain(read_text(text), special=special)
    print_document(view(tokenization, every=every), look)
