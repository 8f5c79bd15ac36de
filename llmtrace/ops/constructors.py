"""Ops whose `forward` follows from their kernel: a calculation per element, or a calculation per row."""

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from typing import Any

import numpy as np

from llmtrace import _kernels
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array, Axes, Empty
from llmtrace.ops.op import Op
from llmtrace.ops.shapes import RANGES, expect_within, parse, split

Constants = Callable[..., Sequence[float]]
"""What a kernel is given, from the op's settings by name: numbers that are the same for all elements."""


def elementwise_op(
    name: str,
    formula: str,
    meaning: Callable[..., Array],
    explain: Callable[[Derivation], None],
    *,
    settings: Mapping[str, str] | None = None,
    constants: Constants | None = None,
    **fields: Any,
) -> Op:
    """An op of one calculation per element: its inputs, all of one shape, and its settings are those of `meaning`.

    Its kernel is the line ELEMENTWISE of that name in csrc/kernels; its error bound follows from `explain`.

    settings: the kinds of those that are not of the kind "real" (`llmtrace.ops.shapes`).
    constants: the numbers that the kernel is given, where they are not just the settings.
    fields: further ones of `Op`.
    """
    inputs, defaults = parameters_of(meaning)
    shapes = dict.fromkeys(inputs, "*") | dict.fromkeys(defaults, "real") | dict(settings or {})
    numbers = numbers_of(name, shapes, defaults, constants)

    def forward(*arrays: Array, empty: Empty = np.empty, **given: Any) -> Array:
        """`meaning`, compiled."""
        values = numbers(given)
        if len(arrays) != len(inputs):
            raise TypeError(f"{name} takes {len(inputs)} inputs, not {len(arrays)}")
        out = empty(arrays[0].shape, arrays[0].dtype)
        _kernels.elementwise(name, arrays, out, *values)
        return out

    return Op(name, formula, meaning, forward, explain, inputs, shapes=shapes, pointwise=True, one_job=True, **fields)


def row_op(
    name: str,
    formula: str,
    meaning: Callable[..., Array],
    explain: Callable[[Derivation], None],
    *,
    shapes: Mapping[str, str],
    out: str = "*",
    constants: Constants | None = None,
    **fields: Any,
) -> Op:
    """An op of one calculation per row, whose kernel is listed under that name with ROWS or ITEMS in csrc/kernels.

    shapes, out: as of `Op`; the kernel checks its inputs by them.
    constants: the numbers that the kernel is given, where they are not just the settings.
    fields: further ones of `Op`.
    """
    tensors, defaults = parameters_of(meaning)
    texts = {tensor: shapes[tensor] for tensor in tensors} | {"out": out}
    kernel, numbers = row_kernel(name, texts), numbers_of(name, shapes, defaults, constants)

    def forward(*arrays: Array | None, empty: Empty = np.empty, **given: Any) -> Array:
        """`meaning`, compiled."""
        return kernel(arrays, empty, *numbers(given))

    inputs = tuple(tensor for tensor in tensors if tensor not in fields.get("weights", ()))
    return Op(name, formula, meaning, forward, explain, inputs, shapes=shapes, out=out, one_job=True, **fields)


def row_kernel(name: str, texts: Mapping[str, str]) -> _kernels.RowKernel:
    """The kernel of that name, as a function `kernel(inputs, empty, *numbers)` that checks its inputs by these shapes."""
    parsed = {}
    for tensor, text in texts.items():
        shape = parse(text)
        parsed[tensor] = (shape.leading, tuple(map(split, shape.sizes)), shape.below, shape.optional)
    return _kernels.RowKernel(name, dict(texts), parsed)


def parameters_of(meaning: Callable[..., Array]) -> tuple[Axes, dict[str, Any]]:
    """The names of the arrays that a meaning takes, and its settings with their presets (`Parameter.empty`: none)."""
    parameters = signature(meaning).parameters.values()
    arrays = tuple(p.name for p in parameters if p.kind is not Parameter.KEYWORD_ONLY)
    return arrays, {p.name: p.default for p in parameters if p.kind is Parameter.KEYWORD_ONLY}


def numbers_of(
    name: str, shapes: Mapping[str, str], defaults: Mapping[str, Any], constants: Constants | None
) -> Callable[[Mapping[str, Any]], Sequence[float]]:
    """What makes the kernel's numbers of the settings, and refuses with TypeError or ValueError those that can't be."""
    presets = {setting: value for setting, value in defaults.items() if value is not Parameter.empty}
    ranged = {setting: shapes[setting] for setting in defaults if shapes[setting] in RANGES}

    def numbers(given: Mapping[str, Any]) -> Sequence[float]:
        if not given and not defaults and not constants:
            return ()
        values = given if len(given) == len(defaults) else {**presets, **given}
        if values.keys() != defaults.keys():
            raise TypeError(f"{name} takes the settings {', '.join(defaults) or '(none)'}, not {', '.join(values)}")
        for setting, kind in ranged.items():
            expect_within(kind, **{setting: values[setting]})
        return constants(**values) if constants else [values[setting] for setting in defaults]

    return numbers
