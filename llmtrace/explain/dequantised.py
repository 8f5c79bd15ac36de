"""A weight that is stored with a few bits: how it became the number that the model computes with."""

from __future__ import annotations

from llmtrace.arithmetic.lines import Constant, Line, Operand, Result
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


def is_quantised(trace: Trace, name: str) -> bool:
    """Whether a weight has one."""
    kept = trace.weights[name].kept if name in trace.weights else None
    return isinstance(kept, StoredMatrix) and kept.is_quantised


def formula(origin: Origin) -> str:
    """How the number is made."""
    product = "scale × q" if origin.of_scale is None else "(d × s) × q"
    if origin.minimum is None:
        return product
    return f"{product} + minimum" if origin.of_minimum is None else f"{product} − dmin × m"


def lines(origin: Origin) -> tuple[Line, ...]:
    """The products, and the sum where there is one: each rounded to float32, as in the file's own program."""
    made: list[Line] = []

    def line(name: str, operation: str, *operands: Operand) -> Result:
        made.append(Line(name, operation, operands, compute(operation, *(operand.values for operand in operands))))
        return Result(name, made[-1].values)

    scale: Operand = Constant("scale", origin.scale)
    if origin.of_scale is not None:
        scale = line("scale", "multiply", *map(Constant, ("d", "s"), origin.of_scale))
    product = line("product" if origin.minimum is not None else "out", "multiply", scale, Constant("q", origin.q))
    if origin.of_minimum is not None:
        less = line("minimum", "multiply", *map(Constant, ("dmin", "m"), origin.of_minimum))
        line("out", "subtract", product, less)
    elif origin.minimum is not None:
        line("out", "add", product, Constant("minimum", origin.minimum))
    return tuple(made)
