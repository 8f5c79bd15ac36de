"""The score of a token as an account, its entries ranked; and what the model would expect next after each block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.display import asked
from llmtrace.experiments.ledger import HEAD, ROUNDING, Entry, Ledger
from llmtrace.i18n import N_, _, n_
from llmtrace.trace import Trace
from llmtrace.views.document import (
    Bar,
    Block,
    Column,
    Document,
    Heading,
    Phrase,
    Ref,
    Space,
    Table,
    Token,
    heading,
    paragraph,
    quiet,
    said,
)
from llmtrace.views.numbers import number, percent
from llmtrace.views.ranking import highest

EXACT = N_(
    "✓ it balances: as exact fractions, all entries add up to the score that the model computed, to the last digit"
)
EXACT_LESS = N_(
    "✓ it balances: as exact fractions, all entries add up to the difference of the two scores, to the last digit"
)
HOW = N_(
    "Each part of the model adds to the row of this token. The last norm and the row of the output matrix make one number"
    " of it, the score; an entry is what a part is worth there, with the norm's own mean and spread."
)
LENS = N_("If the model stopped after a block, it would expect:")
MOST = 16


def view(
    account: Ledger,
    trace: Trace,
    looks: Sequence[tuple[str, Array]] = (),
    *,
    notes: Sequence[str] = (),
    every: bool = False,
    count: int = 3,
) -> Document:
    """The account, and `looks`: the probabilities of the next token after each block (`llmtrace.experiments.lens`)."""
    rows = [_facts(trace, entry) for entry in account.entries]
    facts: dict[str, Any] = {
        "of": account.address,
        "total": _exactly(account.total),
        "balances": account.balances,
        "entries": rows,
    }
    facts["lens"] = [{"name": name, "next_token": list(_likeliest(trace, shares, count))} for name, shares in looks]
    notes_first = [paragraph(quiet(_("Note: {text}", text=note))) for note in notes]
    return Document((*notes_first, *_account(account, trace, every), *_after_blocks(trace, looks, count)), facts)


def _exactly(amount: Fraction) -> dict[str, Any]:
    return {"value": float(amount), "numerator": str(amount.numerator), "denominator": str(amount.denominator)}


def _facts(trace: Trace, entry: Entry) -> dict[str, Any]:
    return {"title": title(trace, entry), "of": entry.of, "block": entry.block, "head": entry.head} | {
        "neuron": entry.neuron,
        "source": entry.source,
        **_exactly(entry.amount),
    }


def title(trace: Trace, entry: Entry) -> str:
    """What an entry is, such as `block 2, head 1, from ' girl' (8)`."""
    text = _(entry.title)
    if entry.head is not None:
        text = _("head {head}", head=entry.head)
    elif entry.neuron is not None:
        text = _("neuron {neuron}", neuron=entry.neuron)
    if entry.head is not None and entry.title == ROUNDING:
        text = _("head {head}, rounding", head=entry.head)
    if entry.source is not None:
        text = _(
            "{part}, from {token} at place {place}",
            part=text,
            token=repr(trace.tokens[entry.source]),
            place=entry.source,
        )
    return text if entry.block is None else _("block {block}: {part}", block=entry.block, part=text)


def _account(account: Ledger, trace: Trace, every: bool) -> Iterator[Block]:
    yield Heading((heading(_("Who decided?")),), 1)
    yield paragraph(_head(account, trace))
    yield Space()
    yield _table(account, trace, len(account.entries) if every else MOST)
    exact = _(EXACT) if len(account.scores) == 1 else _(EXACT_LESS)
    yield paragraph(exact if account.balances else _("✗ it does not balance"), hang=2)
    yield paragraph(quiet(_(HOW)), hang=0)
    yield from _further(account)


def _further(account: Ledger) -> Iterator[Block]:
    """What the account does not say, and how to ask for it."""
    heads = [entry for entry in account.entries if entry.title == HEAD and entry.amount]
    if heads:
        most = max(heads, key=lambda entry: abs(entry.amount))
        part = f"head:{most.block}.{most.head}"
        off = asked(f"llmtrace what-if --off {part}", f'what_if(trace, {{"{part}": 0}})')
        yield paragraph(quiet(_("A part counts through later parts, too; this shows it: {off}", off=off)), hang=0)
    if len(account.scores) == 1:
        against = asked("--against TOKEN", "account.less(other)")
        yield paragraph(quiet(_("Why not another token? {against}", against=against)), hang=0)


def _head(account: Ledger, trace: Trace) -> Phrase:
    """The score, or the difference of two, by the tokens that it is of."""
    values: dict[str, Any] = {"total": number(np.float64(account.total), 9, "value"), "score": Ref(account.address)}
    words = [Token(trace.token_text(token), most=24) for _position, token in account.scores]
    values |= {"token": words[0], "last": Token(trace.tokens[trace.past + account.scores[0][0]], most=24)}
    if len(words) == 1:
        return said(_("The score of {token} after {last}, {score}, is {total}, of which"), **values)
    if len(words) == 2 and account.scores[0][0] == account.scores[1][0]:
        text = _("The score of {token} minus the score of {other}, after {last}, is {total}, of which")
        return said(text, other=words[1], **values)
    return said(_("{score} = {total}, of which"), **values)


def _after_blocks(trace: Trace, looks: Sequence[tuple[str, Array]], count: int) -> Iterator[Block]:
    if looks:
        yield Space()
        yield paragraph(_(LENS))
        yield _lens(trace, looks, count)


def _table(account: Ledger, trace: Trace, most: int) -> Table:
    """The entries, the largest first; the others together; rounding last."""
    parts = sorted((e for e in account.entries if e.title != ROUNDING), key=lambda e: -abs(e.amount))
    rounding = sum((e.amount for e in account.entries if e.title == ROUNDING), Fraction(0))
    rows = [(title(trace, entry), entry.amount) for entry in parts[:most]]
    if parts[most:]:
        left = sum((entry.amount for entry in parts[most:]), Fraction(0))
        rows.append(
            (n_("{count} other part", "{count} other parts", len(parts[most:])).format(count=len(parts[most:])), left)
        )
    rows.append((_(ROUNDING), rounding))
    largest = max((abs(float(amount)) for _title, amount in rows), default=1.0) or 1.0
    return Table(
        (
            Column(_("part"), tuple(text for text, _amount in rows)),
            Column(_("adds"), tuple(number(np.float64(amount)) for _text, amount in rows), "right"),
            Column("", tuple(Bar(abs(float(amount)) / largest, negative=amount < 0) for _text, amount in rows), rank=1),
        )
    )


def _likeliest(trace: Trace, shares: Array, count: int) -> Iterator[dict[str, Any]]:
    for i in highest(shares, count, nan=np.inf):
        yield {"id": i, "text": trace.token_text(i), "probability": shares[i]}


def _lens(trace: Trace, looks: Sequence[tuple[str, Array]], count: int) -> Table:
    likely = [list(_likeliest(trace, shares, count)) for _name, shares in looks]
    columns = [Column(_("after"), tuple(name for name, _shares in looks), role="name")]
    for n in range(count):
        cells = tuple(
            Phrase((Token(row[n]["text"], most=12), " ", percent(row[n]["probability"], 3))) for row in likely
        )
        columns.append(Column("", cells, rank=n))
    return Table(tuple(columns))
