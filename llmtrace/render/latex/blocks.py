"""Every kind of block in LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmtrace.render.latex.words import escaped, latex
from llmtrace.render.markup import Lines, Markup
from llmtrace.render.shades import shade
from llmtrace.views import document as d
from llmtrace.views import figures as f
from llmtrace.views.document import Inline, Role

SECTIONS = {1: "section", 2: "subsection", 3: "subsubsection"}


class Latex(Markup):
    """LaTeX, with the commands of `llmtrace.render.latex.PREAMBLE`."""

    def escaped(self, text: str) -> str:
        """With a command for every sign that TeX would read."""
        return escaped(text)

    def inlines(self, *inlines: Inline, role: Role = "") -> str:
        """Inlines in one line."""
        return latex(*inlines, role=role)

    def strong(self, text: str) -> str:
        """In bold."""
        return f"\\textbf{{{text}}}"

    def items(self, items: Iterable[str]) -> Lines:
        """A list without marks."""
        found = [f"\\item[] {item}" for item in items]
        if found:
            yield from (r"\begin{itemize}", *found, r"\end{itemize}")

    def rows(self, heads: Sequence[str], cells: Iterable[Sequence[str]], right: Iterable[int] = ()) -> Lines:
        """A table that may go on on the next page."""
        sides = set(right)
        yield f"\\begin{{longtable}}{{{''.join('r' if n in sides else 'l' for n in range(len(heads)))}}}"
        yield f"{' & '.join(heads)} \\\\ \\hline"
        for row in cells:
            yield f"{{}}{' & '.join(row)} \\\\"  # {}: a cell that begins with [ or * is not what \\ takes
        yield r"\end{longtable}"

    def heading(self, block: d.Heading) -> Lines:
        """A heading; the numbers in it are as bold as it is."""
        yield f"\\{SECTIONS.get(block.level, 'paragraph')}{{{latex(*block.inlines)}}}"

    def code(self, block: d.Code) -> Lines:
        """A statement of Python and what it prints, with their spaces."""
        for line in (*block.source.split("\n"), *(block.printed.split("\n") if block.printed else ())):
            yield f"\\texttt{{{escaped(line).replace(' ', '~')}}}\\par"

    def tree(self, block: d.Tree) -> Lines:
        """How deep a part is stands before it, since lists in lists end at four."""
        yield from self._tree(block, 0)

    def _tree(self, block: d.Tree, depth: int) -> Lines:
        deeper = f"\\ensuremath{{{'>' * depth}}} " if depth else ""
        yield f"{deeper}{latex(*block.head.inlines)}\n"
        yield self.text(block.body)
        if block.children:
            yield f"{escaped(block.title)}\n"
        for child in block.children:
            yield from self._tree(child, depth + 1)

    def shaded(self, value: float, scale: f.Scale) -> str:
        """A number on its shade."""
        background, dark = shade(value, scale)
        number = super().shaded(value, scale)
        ink = f"\\textcolor[rgb]{{1,1,1}}{{{number}}}" if dark else number
        return f"\\shade{{{','.join(f'{part / 255:.3f}' for part in background)}}}{{{ink}}}"

    def heatmap(self, block: f.Heatmap) -> Lines:
        """A table of small numbers, close together."""
        yield r"{\scriptsize\setlength{\tabcolsep}{1pt}"
        yield from super().heatmap(block)
        yield "}"
