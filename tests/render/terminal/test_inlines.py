"""Inlines in one line: each part has the style of its own role, else of what it stands in, and nothing else has it."""

from llmtrace.render.terminal.inlines import rich_text
from llmtrace.render.terminal.layout import STYLES, Page
from llmtrace.views.document import Phrase, name, quiet


def test_each_part_has_its_own_style():
    line = rich_text(Page(80), "ab ", name("cd"), "", Phrase((" ef", quiet("gh")), "wrong"), "ij")
    assert line.plain == "ab cd efghij"
    assert [(line.plain[span.start : span.end], span.style) for span in line.spans] == [
        ("cd", STYLES["name"]),
        (" ef", STYLES["wrong"]),
        ("gh", STYLES["quiet"]),
    ]
