"""Another program's activations, judged: which steps follow from what came before, and what is the matter where one does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from llmtrace.experiments.referee import Finding, Judgement
from llmtrace.i18n import N_, _, listed, n_
from llmtrace.text import cited
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
from llmtrace.views.numbers import number

HOW = N_(
    "Each step was computed from the other program's own inputs, so an error is not carried on to the steps behind it. Distance:"
    " the largest one, as a multiple of what rounding in another order may do; up to 1 it is no error."
)
VERDICTS = {
    "same": N_("same bits"),
    "rounding": N_("rounding"),
    "cause": N_("does not follow"),
    "open": N_("does not follow"),
    "unknown": N_("can't be judged"),
}
UNKNOWN = N_(
    "Where a step can't be judged, too much between is missing: what rounding may do in the steps that are not in the file could"
    " add up to a percent of its numbers or more, so that wrong ones would not be noticed. More steps in the file help. How far"
    " its numbers are from those of our own run is shown as a share of the largest one; that is no judgement."
)
NONE = N_("none of the known causes gives these numbers")


def view(
    found: Judgement, *, every: bool = False, strange: Sequence[str] = (), nameless: Sequence[str] = ()
) -> Document:
    """How many steps follow, the first that does not with its cause, and all that are not the same to the bit.

    strange: what is the matter with arrays that could not be judged. nameless: the names of those that are not understood.
    """
    facts = {
        "first": found.first,
        "counts": _counts(found),
        "findings": found.findings,
        "missing": found.missing,
        "strange": list(strange),
        "nameless": list(nameless),
    }
    return Document((*_blocks(found, every), *_strange(strange), *_nameless(nameless)), facts)


def _strange(strange: Sequence[str]) -> Iterator[Block]:
    if strange:
        yield Space()
        yield paragraph(_("Not judged:"))
    for text in strange[:MOST]:
        yield paragraph(text, indent=2)
    if len(strange) > MOST:
        yield paragraph(_("{count} more", count=len(strange) - MOST), indent=2)


def _nameless(names: Sequence[str]) -> Iterator[Block]:
    if names:
        more = [_("{count} more", count=len(names) - MOST)] if len(names) > MOST else []
        text = _("Not judged, since no step of this run is known by these names: {names}")
        yield paragraph(text.format(names=listed([*map(cited, names[:MOST]), *more])))


MOST = 8
"""So many arrays that can't be judged are named."""


def _blocks(found: Judgement, every: bool) -> Iterator[Block]:
    yield Heading((heading(_("The other program's numbers")),), 1)
    counts = _counts(found)
    total = len(found.findings)
    text = n_("{count} step was judged:", "{count} steps were judged:", total).format(count=total)
    parts = [_("{n} with the same bits", n=counts["same"]), _("{n} off by rounding only", n=counts["rounding"])]
    parts.append(_("{n} that do not follow", n=counts["cause"] + counts["open"]))
    if counts["unknown"]:
        parts.append(_("{n} that can't be judged", n=counts["unknown"]))
    yield paragraph(text, " ", listed(parts))
    yield from _first(found.first)
    rows = [each for each in found.findings if every or each.verdict != "same"]
    if rows:
        yield Space()
        yield _table(rows)
        yield paragraph(quiet(_(HOW)), hang=0)
        if counts["unknown"]:
            yield paragraph(quiet(_(UNKNOWN)), hang=0)
    if found.missing:
        few = [
            *found.missing[:4],
            *([_("{count} more", count=len(found.missing) - 4)] if len(found.missing) > 4 else []),
        ]
        yield paragraph(
            quiet(_("Not in the file under a known name, and computed here instead: {names}.", names=listed(few)))
        )


def _counts(found: Judgement) -> dict[str, int]:
    return {verdict: sum(each.verdict == verdict for each in found.findings) for verdict in VERDICTS}


def _first(first: Finding | None) -> Iterator[Block]:
    """The step where it goes wrong."""
    if first is None:
        return
    yield Space()
    yield paragraph(said(_("The first step that does not follow: {name}"), name=name(first.name)))
    yield paragraph(_cause(first), indent=2)


def _cause(each: Finding) -> str:
    """`ε added outside of the root: gives all 96 numbers to the bit`."""
    if not each.cause:
        return _(NONE) if each.verdict == "open" else ""
    if each.agree == each.size:
        return n_(
            "{cause} (gives {count} number to the bit)", "{cause} (gives all {count} numbers to the bit)", each.size
        ).format(cause=each.cause, count=f"{each.size:,}")
    return _("{cause} (gives {agree} of {count} numbers to the bit, the others up to rounding)").format(
        cause=each.cause, agree=f"{each.agree:,}", count=f"{each.size:,}"
    )


def _table(rows: list[Finding]) -> Table:
    return Table(
        (
            Column(_("name"), tuple(name(each.name) for each in rows)),
            Column(_("verdict"), tuple(_(VERDICTS[each.verdict]) for each in rows)),
            Column(_("other bits"), tuple(f"{each.differ:,}" for each in rows), "right", rank=2),
            Column(_("of"), tuple(f"{each.size:,}" for each in rows), "right", rank=3),
            Column(
                _("distance"),
                tuple("" if each.verdict == "unknown" else number(np.float64(each.off), 3) for each in rows),
                "right",
                rank=1,
            ),
            *([_from_our_run(rows)] if any(each.verdict == "unknown" for each in rows) else []),
            Column(_("cause"), tuple(each.cause or "" for each in rows), rank=4),
        )
    )


def _from_our_run(rows: list[Finding]) -> Column:
    return Column(_("from our run"), tuple(number(np.float64(each.apart), 3) for each in rows), "right", rank=1)
