"""What has come of a corpus: how many prompts ran, which did not and why, whose numbers are not finite, and the hash of all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmtrace.corpus.run import Report
from llmtrace.corpus.work import DONE
from llmtrace.i18n import _, n_
from llmtrace.views.document import Block, Column, Document, Space, Table, Text, Token, paragraph, quiet, said, value

MOST = 10


def view(report: Report, *, every: bool = False) -> Document:
    """The counts, the prompts that did not run (`every` one, or the first ones), and the hash."""
    counts = {**report.counts, "prompts": len(report.rows), "skipped": report.skipped}
    facts = {
        "hash": report.hash,
        **counts,
        "seconds": round(report.seconds, 3),
        "prompts_per_second": round(report.rate, 3),
        "index": str(report.index),
        "not_finite": [_of(row) for row in _not_finite(report)],
        "not_done": [_of(row) for row in report.rows if row["status"] != DONE],
    }
    return Document(tuple(_blocks(report, every)), facts)


def _of(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("number", "id", "status", "reason")}


def _blocks(report: Report, every: bool) -> Iterator[Block]:
    whole, done = len(report.rows), report.counts.get(DONE, 0)
    text = n_("{done} of {whole} prompt ran", "{done} of {whole} prompts ran", whole)
    yield paragraph(text.format(done=f"{done:,}", whole=f"{whole:,}"))
    if report.skipped:
        text = _("{count} of the {whole} were finished before", count=f"{report.skipped:,}", whole=f"{whole:,}")
        yield paragraph(quiet(text), indent=2)
    if whole > report.skipped and report.rate:
        text = _("{seconds} s, {rate} prompts per second", seconds=f"{report.seconds:.1f}", rate=f"{report.rate:.1f}")
        yield paragraph(quiet(text), indent=2)
    if done < whole:
        yield Space()
        rows = [row for row in report.rows if row["status"] != DONE]
        yield from _listed(rows, _("why it did not run"), every)
    if rows := _not_finite(report):
        yield Space()
        yield from _listed(rows, _("what is not finite in its run"), every)
    yield Space()
    yield paragraph(said(_("index: {file}"), file=Text(str(report.index), "name")))
    yield paragraph(said(_("hash of the whole corpus: {hash}"), hash=value(report.hash)))


def _not_finite(report: Report) -> list[dict[str, Any]]:
    return [row for row in report.rows if row["status"] == DONE and row["reason"]]


def _listed(rows: list[dict[str, Any]], title: str, every: bool) -> Iterator[Block]:
    shown = rows if every else rows[:MOST]
    yield Table(
        (
            Column(_("prompt"), tuple(Token(row["id"], most=24) for row in shown), role="name"),
            Column(title, tuple(row["reason"] for row in shown)),
        )
    )
    if len(rows) > len(shown):
        text = n_("and {count} more", "and {count} more", len(rows) - len(shown))
        yield paragraph(quiet(text.format(count=f"{len(rows) - len(shown):,}")), indent=2)
