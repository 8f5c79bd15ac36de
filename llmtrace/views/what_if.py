"""What an edit has done to a run: which steps have other bits, where it is seen first and most, and what comes next now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmtrace.experiments import WhatIf
from llmtrace.frozen import frozen
from llmtrace.i18n import N_, _, n_
from llmtrace.trace import StepKind, Trace
from llmtrace.views.document import (
    Block,
    Column,
    Document,
    Heading,
    Inline,
    Ref,
    Space,
    Table,
    Token,
    heading,
    name,
    paragraph,
    quiet,
    said,
)
from llmtrace.views.next_token import in_runs, predictions
from llmtrace.views.not_finite import warned
from llmtrace.views.numbers import number
from llmtrace.views.places import first_and_last
from llmtrace.views.ranking import highest
from llmtrace.views.sections import row, spot

SAME = N_(
    "All other numbers have the same bits as before: they do not depend on what was changed, or the change was too small."
)
MOST = 24
"""So many steps are listed, unless all are asked for."""


@frozen
class Change:
    """A step whose numbers have other bits: how many of how many, and the largest change."""

    step: str
    changed: int
    of: int
    address: str
    before: Any
    after: Any


def view(found: WhatIf, *, every: bool = False, count: int = 5) -> Document:
    """The edits, the steps that they reach, and the `count` likeliest next tokens before and after."""
    changes = list(_changes(found))
    reached = sum(change.changed for change in changes)
    total = sum(found.after.tensor(step).size for step in found.after if not step.endswith(".unedited"))
    facts = {"edits": found.recipe, "changed": reached, "same": total - reached, "steps": changes}
    facts["next_token"] = list(_likeliest(found, count))
    return Document(tuple(_blocks(found, changes, total, every, count)), facts)


def _changes(found: WhatIf) -> Iterator[Change]:
    """The steps that have other bits, in order."""
    for step in found.after:
        places = found.changes.places.get(step)
        if places is None or step.endswith(".unedited"):
            continue
        of = step.removesuffix(".edited") if step not in found.before else step
        if of not in found.before and of not in found.before.weights:
            continue
        old, new = found.before.tensor(of), found.after.tensor(step)
        with np.errstate(all="ignore"):
            far = np.abs(new.astype(np.float64) - old.astype(np.float64))
        far = np.where(places, np.where(np.isnan(far), np.inf, far), -1.0)
        if found.before.legend.kind(of) == StepKind.NEXT_TOKEN:  # ids are not near or far: the last one
            far = np.where(places, np.arange(far.size).reshape(far.shape), -1)
        place = tuple(int(i) for i in np.unravel_index(int(far.argmax()), far.shape))
        address = found.after.address(step, place)
        yield Change(step, int(np.count_nonzero(places)), new.size, address, old[place], new[place])


def _blocks(found: WhatIf, changes: list[Change], total: int, every: bool, count: int) -> Iterator[Block]:
    yield Heading((heading(_("What if …")),), 1)
    for entry in found.recipe:
        yield _edit(found, entry)
    reached = sum(change.changed for change in changes)
    yield Space()
    if not changes:
        yield paragraph(_("No number has other bits than before."))
        return
    text = n_(
        "{changed} of {total} number has other bits now.", "{changed} of {total} numbers have other bits now.", reached
    )
    yield paragraph(said(text, changed=f"{reached:,}", total=f"{total:,}"))
    yield paragraph(quiet(_(SAME)), hang=0)
    yield from warned(found.after)
    yield from _after(found, count)
    yield Space()
    yield _table(found, changes, len(changes) if every else MOST)


def _edit(found: WhatIf, entry: dict[str, Any]) -> Block:
    """`block.0.attn.pattern[…] becomes 0`."""
    if "token" in entry:
        place = int(entry["at"].partition(":")[2])
        old, new = found.before.tokens[found.before.past + place], found.after.tokens[found.before.past + place]
        text = _("token {place}: {new} instead of {old}")
        return paragraph(said(text, place=place, new=Token(new, most=24), old=Token(old, most=24)), indent=2)
    if "value" in entry:
        becomes = said(_("{address} becomes {value}"), address=Ref(entry["at"]), value=number(float(entry["value"])))
        return paragraph(becomes, indent=2)
    count = n_("{count} number", "{count} numbers", len(entry["values"])).format(count=f"{len(entry['values']):,}")
    return paragraph(said(_("{address} becomes others ({count})"), address=Ref(entry["at"]), count=count), indent=2)


def _cell(found: WhatIf, change: Change, value: Any) -> Inline:
    """A number; of a step that chooses tokens, the token."""
    if found.before.legend.kind(change.step) == StepKind.NEXT_TOKEN:
        return Token(found.before.token_text(int(value)), most=12)
    return number(value, address=change.address if value is change.after else "")


def _table(found: WhatIf, changes: list[Change], most: int) -> Table:
    """The steps; of more than `most`, the first and the last ones."""
    changes, between = first_and_last(changes, most)
    return Table(
        (
            Column(_("name"), tuple(name(change.step) for change in changes)),
            Column(_("other bits"), tuple(f"{change.changed:,}" for change in changes), "right"),
            Column(_("of"), tuple(f"{change.of:,}" for change in changes), "right", rank=2),
            Column(_("largest change at"), tuple(Ref(_index(change)) for change in changes), rank=3),
            Column(
                _("largest change: before"), tuple(_cell(found, each, each.before) for each in changes), "right", rank=1
            ),
            Column(_("now"), tuple(_cell(found, each, each.after) for each in changes), "right", rank=1),
        ),
        between,
    )


def _index(change: Change) -> str:
    return change.address.removeprefix(change.step)


def _likeliest(found: WhatIf, count: int) -> Iterator[dict[str, Any]]:
    """The next tokens that are among the likeliest before or after, with both probabilities."""
    if not predictions(found.before) or found.before.batch:
        return
    shares = [_shares(trace) for trace in (found.before, found.after)]
    ids = dict.fromkeys(i for share in reversed(shares) for i in highest(share, count, nan=np.inf))
    for i in ids:
        yield {"id": i, "text": found.before.token_text(i), "before": shares[0][i], "after": shares[1][i]}


def _shares(trace: Trace) -> Any:
    return row(trace, predictions(trace)[1], spot(trace))


def _after(found: WhatIf, count: int) -> Iterator[Block]:
    rows = list(_likeliest(found, count))
    runs = {_("before"): [each["before"] for each in rows], _("now"): [each["after"] for each in rows]}
    return in_runs([each["text"] for each in rows], runs)
