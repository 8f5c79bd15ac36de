"""A run as a graph: every step and every input, each below what it was computed from, in every medium."""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest
from helpers.cli_run import said
from helpers.inert import texts
from helpers.small_models import small_gpt
from hypothesis import given

import llmtrace
from llmtrace.errors import LlmtraceError
from llmtrace.render import dot, standalone
from llmtrace.render.html.graph import placed
from llmtrace.views.document import Document, paragraph
from llmtrace.views.figures import Graph, Node
from llmtrace.views.graph import view

LINE = re.compile(r'  ("(?:[^"\\]|\\.)*")(?: -> ("(?:[^"\\]|\\.)*")| \[label=("(?:[^"\\]|\\.)*")\]);')


@pytest.fixture(scope="module")
def trace():
    return small_gpt().trace("CABB")


def read_dot(text):
    """The nodes and edges of DOT in which every node and every edge has a line of its own."""
    first, second, *lines, last, end = text.split("\n")
    assert (first, second[:8], last, end) == ("digraph run {", "  node [", "}", "")
    parsed = [LINE.fullmatch(line) for line in lines]
    assert all(parsed)
    names = [json.loads(each[1]) for each in parsed if each[3]]
    return names, [(json.loads(each[1]), json.loads(each[2])) for each in parsed if each[2]]


def test_all_steps_and_all_their_inputs(trace):
    document = view(trace)
    names, edges = read_dot(dot.render(document))
    assert set(names) >= {step.name for step in trace.steps}
    assert edges == [(i, step.name) for step in trace.steps for i in dict.fromkeys(step.record.inputs)]
    assert [tuple(each) for each in document.facts["edges"]] == edges


def test_every_step_stands_below_its_inputs_and_no_two_overlap(trace):
    graph = next(block for block in view(trace).blocks if isinstance(block, Graph))
    boxes, width, height = placed(graph)
    for node in graph.nodes:
        box = boxes[node.name]
        assert all(boxes[each].top < box.top for each in node.inputs)
        assert box.middle - box.width / 2 >= 0
        assert box.middle + box.width / 2 <= width
        assert box.top < height
    for a in boxes.values():
        beside = [b for b in boxes.values() if b is not a and b.top == a.top]
        assert all(abs(a.middle - b.middle) > (a.width + b.width) / 2 for b in beside)


def test_the_drawing_has_every_node_and_every_edge(trace):
    document = view(trace)
    for ending in (".svg", ".html"):
        drawn = standalone(document, ending).decode()
        drawn = drawn[drawn.index("<svg") : drawn.index("</svg>") + 6]
        tags = [each.tag.rpartition("}")[2] for each in ET.fromstring(drawn).iter()]
        assert tags.count("path") == len(document.facts["edges"]) + 1  # and the end of an arrow
        assert tags.count("text") == len(document.facts["nodes"])


@given(texts)
def test_names_of_others_are_only_names(text):
    document = Document((Graph((Node(text, "op", text, (), 0), Node(f"{text}b", text, "", (text,), 1))),))
    content = dot.render(document)
    assert all(line.isprintable() for line in content.splitlines())
    names, edges = read_dot(content)
    assert len(edges) == 1
    assert set(edges[0]) <= set(names)
    ET.fromstring(standalone(document, ".svg"))


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_graphviz_reads_it():
    content = dot.render(view(llmtrace.load().trace("The king")))
    done = subprocess.run(["dot", "-Tplain"], input=content, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.count("\nedge ") == content.count(" -> ")


def test_what_has_no_graph_is_refused_as_dot():
    with pytest.raises(LlmtraceError, match="no graph in this view"):
        dot.render(Document((paragraph("a"),)))


@pytest.mark.usefixtures("own_state")
def test_on_the_command_line(tmp_path):
    shown = ("show", "--prompt", "The king", "--graph")
    assert "block.0.attn.scores = attention_scores(block.0.attn.q, block.0.attn.k)" in " ".join(said(*shown).split())
    said(*shown, "-o", str(tmp_path / "a.dot"))
    assert (tmp_path / "a.dot").read_text().startswith("digraph")
    assert "give no NAME" in said(*shown, "logits", code=2)
    assert "give no NAME" in said(*shown, "--head", "1", code=2)
