"""`llmtrace what-if`: change a number of a run and see which others change, to the bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from llmtrace.cli.command import new_command, option
from llmtrace.cli.options import FileName, model_option, opened, prompt_argument, said_of_what
from llmtrace.cli.output import Look, print_document, say_checksum, shown_options
from llmtrace.i18n import N_, _

TRACED = N_("FILE.trace: write the edited trace. Write what is shown instead: .svg, .html, .md, .txt, .json, .tex.")


@new_command("what-if")
@prompt_argument
@model_option
@option(
    "--set",
    "changes",
    multiple=True,
    metavar="ADDRESS=VALUE",
    help=N_("Replace these numbers by VALUE: one number, or all that ADDRESS leaves open. Can be given again."),
)
@option(
    "--off",
    multiple=True,
    metavar="PART",
    help=N_("Switch off head:BLOCK.HEAD or neuron:BLOCK.NEURON. Can be given again."),
)
@option("--swap", multiple=True, metavar="PLACE=TEXT", help=N_("Replace the token at this place. Can be given again."))
@option(
    "--recipe",
    type=FileName(),
    metavar="FILE",
    help=N_("Write the edits to FILE, as JSON that trace --recipe does again."),
)
@option("--all", "every", is_flag=True, help=N_("List every step that has changed."))
@shown_options(traced=TRACED)
def command(prompt: str | None, model: str | None, look: Look, **options: Any) -> None:
    """Run PROMPT, change numbers of the run, and show what changes with them and what does not.

    Only what depends on the changed numbers is computed again, and the result has the bits of a full run.

    Without PROMPT, the run is that of what was traced last.

    \b
    Examples:
      llmtrace what-if "The king had a child, a girl." --off head:2.1
      llmtrace what-if "The king had a child, a girl." --set "block.1.attn.pattern[head=2, query=8]=0"
      llmtrace what-if "The king had a child, a girl, and the old lamp will belong to" --swap "8= boy" --recipe boy.json
    """  # noqa: D301 - \b keeps click from filling the lines
    edits = asked(options["changes"], options["off"], options["swap"])
    from llmtrace.experiments import recipes, what_if
    from llmtrace.views.what_if import view

    trace, said = opened(None, prompt, options["ids"], model, options["special"])
    with said_of_what(said):
        found = what_if(trace, edits)
    if options["recipe"] is not None:
        recipes.write(Path(options["recipe"]), found)
    if look.trace is not None:
        found.after.save(look.trace)
    print_document(view(found, every=options["every"]), look, said)
    if options["recipe"] is not None:
        say_checksum(found.after, err=look.as_json)


def asked(changes: tuple[str, ...], off: tuple[str, ...], swaps: tuple[str, ...]) -> dict[str, Any]:
    """The edits that the options ask for, in the order of the options."""
    edits: dict[str, Any] = {}
    for text in changes:
        address, equals, value = text.rpartition("=")
        try:
            edits[address.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals or not address.strip():
            raise click.UsageError(
                _("--set is written ADDRESS=NUMBER, not {text}", text=json.dumps(text, ensure_ascii=False))
            )
    edits |= dict.fromkeys(off, 0.0)
    for text in swaps:
        place, equals, token = text.partition("=")
        if not equals:
            raise click.UsageError(
                _("--swap is written PLACE=TEXT, not {text}", text=json.dumps(text, ensure_ascii=False))
            )
        edits[f"token:{place.strip()}"] = token
    if not edits:
        raise click.UsageError(_("nothing is changed: give --set, --off or --swap"))
    return edits
