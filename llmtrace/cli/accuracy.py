"""`llmtrace accuracy`: how far the numbers of a run are from what exact arithmetic would give."""

from __future__ import annotations

from llmtrace.cli.command import argument, new_command, note, option
from llmtrace.cli.options import begun, load, model_option, read_prompt, special_option
from llmtrace.cli.output import Look, print_document, shown_options
from llmtrace.i18n import N_, _
from llmtrace.models.language_model import as_language_model


@new_command("accuracy")
@argument("prompt")
@special_option
@model_option
@option("--all", "every", is_flag=True, help=N_("List the steps of every block."))
@option("--torch", is_flag=True, help=N_("PyTorch's numbers beside ours."))
@shown_options()
def command(prompt: str, special: bool, model: str | None, every: bool, torch: bool, look: Look) -> None:
    """Say how exact the numbers of a run are: every step beside the same step in float64, alone and along the whole run.

    \b
    Examples:
      llmtrace accuracy "The king had a child, a girl."
      llmtrace accuracy "The king had a child, a girl." --all
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.experiments.accuracy import accuracy
    from llmtrace.experiments.pytorch import PyTorch
    from llmtrace.views.accuracy import view

    peer = PyTorch() if torch else None
    reader = as_language_model(load(model))
    trace = reader.trace(begun(reader, read_prompt(prompt, special=special)))
    try:
        from llmtrace.testing import local_bound as bound
    except ImportError:  # it needs Hypothesis
        note(_('the bounds need more: python -m pip install "llmtrace-exact[test]"'))
        errors = accuracy(trace, None, peer)
    else:
        errors = accuracy(trace, bound, peer)
    print_document(view(errors, trace, every=every), look)
