"""Every kind of block in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmtrace.render.markdown.words import escaped, markdown
from llmtrace.render.markup import Lines, Markup
from llmtrace.text import inert
from llmtrace.views import document as d
from llmtrace.views.document import Inline, Role


class Markdown(Markup):
    """Markdown, as GitHub and Pandoc read it."""

    def escaped(self, text: str) -> str:
        """With a backslash before every sign that Markdown would read."""
        return escaped(text)

    def inlines(self, *inlines: Inline, role: Role = "") -> str:
        """Inlines in one line."""
        return markdown(*inlines, role=role)

    def strong(self, text: str) -> str:
        """Between asterisks."""
        return f"**{text}**"

    def items(self, items: Iterable[str]) -> Lines:
        """A line with a dash for each."""
        yield from (f"- {item}" for item in items)

    def rows(self, heads: Sequence[str], cells: Iterable[Sequence[str]], right: Iterable[int] = ()) -> Lines:
        """A table in pipes."""
        sides = set(right)
        yield f"| {' | '.join(heads)} |"
        yield f"|{'|'.join('---:' if n in sides else '---' for n in range(len(heads)))}|"
        for row in cells:
            yield f"| {' | '.join(row)} |"

    def heading(self, block: d.Heading) -> Lines:
        """A heading."""
        yield f"{'#' * min(6, block.level)} {markdown(*block.inlines)}"

    def code(self, block: d.Code) -> Lines:
        """A statement of Python and what it prints, in fences that are longer than any inside."""
        fence = "```"
        while fence in block.source + block.printed:
            fence += "`"
        source, printed = (
            [inert(line) for line in each.split("\n")] if each else [] for each in (block.source, block.printed)
        )
        yield from (f"{fence}python", *source, fence)
        if printed:
            yield from (f"{fence}text", *printed, fence)

    def tree(self, block: d.Tree) -> Lines:
        """What is explained, and what it leans on as a list below it."""
        yield markdown(*block.head.inlines)
        yield ""
        yield self.text(block.body).rstrip("\n")
        if block.children:
            yield f"\n{escaped(block.title)}\n"
        for child in block.children:
            inner = "\n".join(self.tree(child)).rstrip("\n").split("\n")
            yield "\n".join(("- " if not n else "  ") + line if line else "" for n, line in enumerate(inner))
            yield ""
