"""What every view says of a run whose numbers are not all finite."""

from __future__ import annotations

from collections.abc import Iterator

from llmtrace.explain.not_finite import warning
from llmtrace.i18n import _
from llmtrace.trace import Trace
from llmtrace.views.document import Block, Text, paragraph


def warned(trace: Trace) -> Iterator[Block]:
    """A paragraph about the first number that is not finite, where there is one."""
    yield from warned_of(warning(trace))


def warned_of(text: str) -> Iterator[Block]:
    """A paragraph with what is said about a number that is not finite, where something is."""
    if text:
        yield paragraph(Text(_("Note: {text}", text=text), "wrong"), hang=0)
