"""`llmtrace trace`: run a prompt and show what happens, first the whole of it, then layer by layer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from llmtrace.cli.command import new_command, option
from llmtrace.cli.options import FileName, json_option, load, model_option, print_json, read_prompt, remember
from llmtrace.words import N_, _

if TYPE_CHECKING:
    from llmtrace.trace import Trace


@new_command("trace")
@click.argument("prompt")
@model_option
@option("--layer", type=click.IntRange(min=0), metavar="N", help=N_("Show only block N, in detail."))
@option("--head", type=click.IntRange(min=0), metavar="N", help=N_("Show only head N of that block: needs --layer."))
@option(
    "--position",
    type=int,
    metavar="N",
    help=N_("Show the numbers of the token at place N, from 0. Default: -1, the last."),
)
@option("--all", "every", is_flag=True, help=N_("Show every block in detail, with an example for every step."))
@option("-o", "--output", type=FileName(), metavar="FILE", help=N_("Also write the trace to FILE."))
@option("--with-weights", is_flag=True, help=N_("Write the weights into FILE too, so that it needs no model."))
@option("--no-pager", is_flag=True, help=N_("Print everything at once, also if it is longer than the screen."))
@option("--ascii", "only_ascii", is_flag=True, help=N_("Use only ASCII characters, and no coloured backgrounds."))
@json_option
def command(prompt: str, model: str | None, output: str | None, with_weights: bool, as_json: bool, **view: Any) -> None:
    """Run PROMPT through a model and show what happens: first the whole of it on one screen, then layer by layer.

    PROMPT is any text; - reads it from standard input. If it begins with a dash, put -- before it.

    \b
    Examples:
      llmtrace trace FADBEC
      llmtrace trace FADBEC --layer 1
      llmtrace trace FADBEC --layer 1 --head 2 --position 3
      llmtrace trace FADBEC -o sorted.trace
      echo FADBEC | llmtrace trace - --json
    """  # noqa: D301 - \b keeps click from filling the lines
    if with_weights and output is None:
        raise click.UsageError(_("--with-weights needs -o FILE, where they are written"))
    prompt = read_prompt(prompt)
    trace = load(model).trace(prompt)
    from llmtrace.cli.pager import print_paged
    from llmtrace.render import renderable, terminal
    from llmtrace.render.notebook import InAscii

    paged, only_ascii = not view.pop("no_pager"), view.pop("only_ascii")
    shown = renderable(trace, **view)  # wrong numbers are refused before anything is written
    remember(prompt, model, trace)
    if output is not None:
        trace.save(output, with_weights)
    if as_json:
        print_json(as_data(trace, prompt))
        return
    console = terminal()
    shown = InAscii(shown) if only_ascii else shown
    print_paged(console, shown) if paged else console.print(shown)
    sys.stdout.flush()


def as_data(trace: Trace, prompt: str) -> dict[str, Any]:
    """The run without its big arrays: tokens, steps, and the table of the next token."""
    from llmtrace.render.next_token import Predictions

    return {
        "model": trace.origin.model,
        "prompt": prompt,
        "tokens": [
            {"position": i, "id": int(token), "text": text}
            for i, (token, text) in enumerate(zip(trace.tensor("tokens"), trace.tokens, strict=True))
        ],
        "steps": [
            {
                "name": step.name,
                "op": step.op,
                "inputs": list(step.record.inputs),
                "weights": list(step.record.weights),
                "settings": dict(step.settings),
                "axes": list(step.axes),
                "shape": list(step.record.shape),
                "dtype": step.record.dtype,
            }
            for step in trace.steps
        ],
        "next_token": Predictions(trace).to_dict()["next_token"],
    }
