"""How exact a run is: the error of its steps, alone and along the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from llmtrace.experiments.accuracy import Error
from llmtrace.i18n import N_, _
from llmtrace.trace import Trace
from llmtrace.views.document import (
    Block,
    Column,
    Document,
    Heading,
    Space,
    Table,
    heading,
    name,
    paragraph,
    quiet,
    said,
)
from llmtrace.views.not_finite import warned
from llmtrace.views.numbers import number
from llmtrace.views.sections import blocks, parts

HOW = N_(
    "Local: a step in float32 beside the same step in float64 from the same inputs. Propagated: beside a run that was"
    " float64 from the beginning. Both are the largest distance of two numbers, as a share of the largest number of the step."
)

BOUND = N_(
    "Bound: how large the distance to the left of it can be at most, whatever the rounding does (Higham 2002, §3); for the"
    " propagated one, from how far the inputs of the step are off."
)
PEER = N_("PyTorch: the same distances of the numbers that PyTorch computes; – where it has no such operation.")


def view(errors: Sequence[Error], trace: Trace, *, every: bool = False) -> Document:
    """The steps with their errors; of more than two blocks, the first and the last."""
    facts = {"steps": list(errors), "largest": _worst(errors)}
    return Document(tuple(_blocks(errors, trace, every)), facts)


def _blocks(errors: Sequence[Error], trace: Trace, every: bool) -> Iterator[Block]:
    yield Heading((heading(_("How exact is it?")),), 1)
    worst = _worst(errors)
    text = _("The largest error is {share} of the largest number of its step: {name}.")
    yield paragraph(said(text, share=_share(worst.propagated), name=name(worst.name)))
    yield from warned(trace)
    yield Space()
    shown = errors if every else _few(errors, trace)
    yield Table(
        (
            Column(_("name"), tuple(name(error.name) for error in shown)),
            Column(_("operation"), tuple(error.op for error in shown), rank=2),
            Column(_("largest"), tuple(number(np.float64(error.largest)) for error in shown), "right", rank=1),
            Column(_("local"), tuple(_share(error.local) for error in shown), "right"),
            *_column(_("bound"), [error.bound for error in shown]),
            *_column("PyTorch", [error.peer_local for error in shown]),
            Column(_("propagated"), tuple(_share(error.propagated) for error in shown), "right"),
            *_column(_("bound"), [error.propagated_bound for error in shown]),
            *_column("PyTorch", [error.peer_propagated for error in shown]),
        )
    )
    if len(shown) < len(errors):
        yield paragraph(quiet(_("… {count} more steps: --all lists them", count=len(errors) - len(shown))), indent=2)
    yield paragraph(quiet(_(HOW)), hang=0)
    for text, known in ((BOUND, [error.bound for error in shown]), (PEER, [error.peer_local for error in shown])):
        if _known(known):
            yield paragraph(quiet(_(text)), hang=0)


def _worst(errors: Sequence[Error]) -> Error:
    return max(errors, key=lambda error: np.nan_to_num(error.propagated, nan=-1.0))


def _known(shares: Sequence[float | None]) -> bool:
    return any(share is not None for share in shares)


def _column(title: str, shares: Sequence[float | None]) -> list[Column]:
    """A column of what is known of some steps, and none where it is known of none."""
    if not _known(shares):
        return []
    return [Column(title, tuple("–" if share is None else _share(share) for share in shares), "right")]


def _share(share: float) -> str:
    """Rounded to two digits: an error is an order of magnitude."""
    if np.isnan(share):
        return "–"
    return "0" if share == 0 else f"{share:.1e}".replace("-", "−")


def _few(errors: Sequence[Error], trace: Trace) -> list[Error]:
    """Without the blocks between the first and the last."""
    found = parts(trace)
    known = blocks(found)
    middle = {step.name for part in found if part.block in known[1:-1] for step in part.steps}
    return [error for error in errors if error.name not in middle]
