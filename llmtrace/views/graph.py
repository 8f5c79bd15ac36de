"""A run as a graph: a node for every step and for everything that it began with, an edge for every input."""

from __future__ import annotations

from llmtrace.i18n import _
from llmtrace.trace import Trace
from llmtrace.views.document import Document, Heading, name, paragraph, quiet
from llmtrace.views.figures import Graph, Node
from llmtrace.views.step_list import short_size


def view(trace: Trace) -> Document:
    """All steps of a run, each below all those that it was computed from."""
    nodes: dict[str, Node] = {}
    for step in trace.steps:
        for each in step.record.inputs:
            nodes.setdefault(each, Node(each, "", "", (), 0))
        row = 1 + max((nodes[each].row for each in step.record.inputs), default=-1)
        nodes[step.name] = Node(step.name, step.op, short_size(step), tuple(dict.fromkeys(step.record.inputs)), row)
    graph = Graph(tuple(nodes.values()))
    edges = sum(len(node.inputs) for node in graph.nodes)
    facts = {
        "model": trace.model,
        "nodes": [{"name": n.name, "op": n.op, "size": n.size, "row": n.row} for n in graph.nodes],
        "edges": [[source, node.name] for node in graph.nodes for source in node.inputs],
    }
    said = _("{nodes} steps, {edges} inputs", nodes=len(trace.steps), edges=edges)
    more = _("-o FILE.svg draws it, -o FILE.dot writes it for Graphviz.")
    blocks = (Heading((name(trace.model or _("a model")),), 1), paragraph(said), graph, paragraph(quiet(more), hang=0))
    return Document(blocks, facts)
