"""DOT: the graphs of a document as Graphviz reads them. Words are for the other media."""

from __future__ import annotations

from llmtrace.errors import LlmtraceError
from llmtrace.i18n import _
from llmtrace.render import Sheet
from llmtrace.text import inert
from llmtrace.views.document import Document, walk
from llmtrace.views.figures import Graph

MIME = "text/vnd.graphviz"
ENDING = ".dot"


def render(document: Document) -> str:
    """The graph of a document."""
    graph = next((each for each in walk(document) if isinstance(each, Graph)), None)
    if graph is None:
        raise LlmtraceError(_("there is no graph in this view, and DOT shows only graphs: llmtrace show --graph"))
    lines = ["digraph run {", "  node [shape=box, fontname=monospace];"]
    for node in graph.nodes:
        words = "\\n".join(quoted(each) for each in (node.name, f"{node.op} {node.size}".strip()) if each)
        lines.append(f'  "{quoted(node.name)}" [label="{words}"];')
    lines += [f'  "{quoted(name)}" -> "{quoted(node.name)}";' for node in graph.nodes for name in node.inputs]
    return "\n".join([*lines, "}", ""])


def standalone(document: Document, sheet: Sheet) -> bytes:
    """The same as a file."""
    return render(document).encode()


def quoted(text: str) -> str:
    """A text as it stands between quotes in DOT: where a backslash begins an escape, it is two."""
    return inert(text).replace("\\", "\\\\").replace('"', '\\"')
