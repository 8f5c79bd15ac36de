"""A weight that is stored with a few bits: how it became the number that the model computes with."""

from __future__ import annotations

from llmtrace.arithmetic.lines import Constant, Line, Result
from llmtrace.arithmetic.operations import compute
from llmtrace.storage.matrix import StoredMatrix
from llmtrace.storage.quantised import Origin
from llmtrace.trace import Trace

OP = "dequantise"
"""What stands where other explanations have the name of an op."""


def of_weight(trace: Trace, name: str, place: tuple[int, ...]) -> Origin | None:
    """What a weight was made of, if the model's file has it quantised."""
    kept = trace.weights[name].kept if name in trace.weights else None
    return kept.origin(place) if isinstance(kept, StoredMatrix) else None


def formula(origin: Origin) -> str:
    """How the number is made."""
    return "scale × q" if origin.minimum is None else "scale × q + minimum"


def lines(origin: Origin) -> tuple[Line, ...]:
    """The product, and the sum where there is one: each rounded to float32, as in the file's own program."""
    scale, q = Constant("scale", origin.scale), Constant("q", origin.q)
    last = "product" if origin.minimum is not None else "out"
    product = Line(last, "multiply", (scale, q), compute("multiply", scale.values, q.values))
    if origin.minimum is None:
        return (product,)
    minimum = Constant("minimum", origin.minimum)
    total = compute("add", product.values, minimum.values)
    return (product, Line("out", "add", (Result(product.name, product.values), minimum), total))
