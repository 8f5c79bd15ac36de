"""`llmtrace ledger`: the score of a token as an account of all that made it, exact to the last digit."""

from __future__ import annotations

from typing import Any

from llmtrace.cli.command import argument, new_command, option
from llmtrace.cli.options import model_option, prompt_argument, read_prompt, traced
from llmtrace.cli.output import Look, print_document, shown_options
from llmtrace.errors import AddressError
from llmtrace.i18n import N_, _
from llmtrace.trace import StepKind, Trace


@new_command("ledger")
@prompt_argument
@argument("score", required=False, metavar="[SCORE]")
@model_option
@option("--against", metavar="TOKEN", help=N_("Why not this token? The account of the difference of both scores."))
@option("--neurons", is_flag=True, help=N_("An entry for every neuron, instead of one for an MLP."))
@option("--sources", is_flag=True, help=N_("An entry for every token that a head looks at."))
@option("--all", "every", is_flag=True, help=N_("List every entry."))
@shown_options()
def command(
    prompt: str | None, score: str | None, model: str | None, against: str | None, look: Look, **options: Any
) -> None:
    """Say who decided: how the score of a token splits among all parts of the model, each head and each MLP, exactly.

    SCORE is an address such as logits[-1, " her"], or only a token; without it, the likeliest next token's.

    \b
    Examples:
      llmtrace ledger "The king had a child, a girl, and the old lamp will belong to"
      llmtrace ledger "The king had a child, a girl, and the old lamp will belong to" " her" --against " him"
      llmtrace ledger "The king" "logits[-1, 5]" --sources
    """  # noqa: D301 - \b keeps click from filling the lines
    from llmtrace.experiments.ledger import ledger
    from llmtrace.experiments.lens import lens
    from llmtrace.explain.address import also
    from llmtrace.views.ledger import view

    if options["ids"] is not None and score is None:  # what stands where PROMPT would is then the score
        prompt, score = None, prompt
    trace = traced(read_prompt(prompt, options["ids"], options["special"]), model)
    position, token = place_of(trace, score)
    parts = {"neurons": options["neurons"], "sources": options["sources"]}
    account = ledger(trace, position, token, **parts)
    if against is not None:
        account = account.less(ledger(trace, position, place_of(trace, against)[1], **parts))
    notes = [note for said in (score, against) if said is not None and (note := also(trace, *target(trace, said), {}))]
    print_document(view(account, trace, lens(trace, position), notes=notes, every=options["every"]), look)


def target(trace: Trace, score: str) -> tuple[str, tuple[Any, ...]]:
    """What a score is called by: an address, or the name of the logits with the last place and a token."""
    name = next(iter(trace.of_kind(StepKind.LOGITS)))
    return (score, ()) if score.startswith(f"{name}[") else (name, (-1, score))


def place_of(trace: Trace, score: str | None) -> tuple[int, int]:
    """The position and the token of a score: an address, a token's text, or the likeliest one after the prompt."""
    from llmtrace.explain.address import explain_target, or_near

    name = next(iter(trace.of_kind(StepKind.LOGITS)))
    last = trace.shape(name)[0] - 1
    if score is None:
        return last, int(trace.tensor(name)[last].argmax())
    address, places = target(trace, score)
    try:
        place = explain_target(trace, address, places, {})[1]
    except AddressError:
        if not places:
            raise
        text = _("{score} is no token of this model, nor an address such as {example}")
        refusal = text.format(score=repr(score), example=f'{name}[-1, " her"]')
        raise AddressError(or_near(trace, name, score, refusal)) from None
    return place[0], place[1]
