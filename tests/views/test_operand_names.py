"""Every number that an explanation calculates with has a name of its own."""

import numpy as np

import llmtrace
from llmtrace.ops.attention.rotate import rotate
from llmtrace.trace import Run, Trace
from llmtrace.views.operand_names import Names


def test_numbers_of_one_tensor_at_two_places_have_two_names():
    """A rotation takes two numbers of a row: each is named by its place."""
    x = np.array([[[1.0, 2.0, 3.0, 4.0]]], np.float32)
    cosine, sine = (np.array([[0.5, 0.25]], np.float32) for _ in range(2))
    trace = Trace({})
    with Run({}, trace) as run:
        leaves = [run.leaf("row", x, ("head", "position", "feature"))]
        leaves += [run.leaf(n, v, ("position", "pair")) for n, v in (("cos", cosine), ("sin", sine))]
        run("turned", rotate, *leaves, interleaved=False)
    names = Names(trace.explain("turned[0, 0, 1]"))
    assert [name for name, _address, _token in names.legend()] == ["x[1]", "cosine", "x[3]", "sine"]


def test_a_target_is_named_by_the_token_that_follows():
    """Not by the one at whose place it stands."""
    trace = llmtrace.load("tiny").surprise("the king has").trace()
    names = Names(trace.explain("losses[0]"))
    tokens = {address: token for _name, address, token in names.legend()}
    assert tokens["targets[position=0]"] == "' king'"
    assert tokens["logits[position=0, vocabulary=0…26]"] == "' the'"
    total = trace.explain("surprise.total")
    row = total.lines[0].operands[0]
    assert [Names(total).label(row, i) for i in range(2)] == ["0 → ' king'", "1 → ' has'"]
