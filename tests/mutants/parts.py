"""What ops say they need for a part of their result."""

from dataclasses import replace

from llmtrace.ops import OPS
from llmtrace.ops.part import by_rows, causal
from mutants import plant


@plant("the key of the query itself left out", "attention_mix", "part")
@plant("the key of the query itself left out, of softmax", "causal_softmax", "part")
def _(asked, op=None):
    rule = OPS["attention_mix" if "v" in asked.shapes else "causal_softmax"].rule
    part = rule(asked)
    return replace(part, operands={n: tuple(short(box, n)) for n, box in part.operands.items()})


def short(box, name):
    """One key less."""
    axis = -2 if name == "v" else -1
    places = list(box)
    places[axis] = range(max(0, places[axis].stop - 1))
    return places


plant("masked scores are 0", "attention_scores", "part")(causal(queries=("q",), keys=("k",), masked=0.0))
plant("a place says which number is drawn", "dropout", "part")(by_rows({"x": "*"}, "*"))


@plant("always the first of the rows", "select", "part")
def _(asked):
    part = OPS["select"].rule(asked)
    return replace(part, instead={"index": part.instead["index"] * 0})


plant("new rows counted from the first of all", "concatenate", "part")(
    lambda asked: replace(
        OPS["concatenate"].rule(asked), operands=dict.fromkeys(("past", "new"), asked.box), box=asked.box
    )
)
