"""The ops as PyTorch computes them, on the processor, in float32. PyTorch (`llmtrace-exact[torch]`) is imported when used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.errors import LlmtraceError
from llmtrace.i18n import _
from llmtrace.trace import Record


class PyTorch:
    """Steps of a run, computed by PyTorch's own functions."""

    def __init__(self) -> None:
        try:
            import torch
        except ImportError as error:
            command = 'python -m pip install "llmtrace-exact[torch]"'
            raise LlmtraceError(_("PyTorch is not on this machine: {command}", command=command)) from error
        self._torch: Any = torch

    def __call__(self, record: Record, operands: Mapping[str, Array | None]) -> Array | None:
        """The result of a step, from numbers that need not be those of its run; None where PyTorch has nothing for its op."""
        function = FUNCTIONS.get(record.op)
        if function is None:
            return None
        with self._torch.no_grad():
            tensors = {name: None if x is None else self._tensor(x) for name, x in operands.items()}
            return np.ascontiguousarray(function(self._torch, **tensors, **record.settings).numpy())

    def _tensor(self, x: Array) -> Any:
        return self._torch.tensor(x, dtype=self._torch.float32 if x.dtype.kind == "f" else self._torch.int64)


def _linear(torch: Any, x: Any, weight: Any, bias: Any = None, transposed: bool = False) -> Any:
    return torch.nn.functional.linear(x, weight if transposed else weight.T, bias)


def _linear_to_heads(torch: Any, x: Any, weight: Any, bias: Any, heads: int) -> Any:
    return _linear(torch, x, weight, bias).unflatten(-1, (heads, -1)).transpose(-2, -3)


def _linear_from_heads(torch: Any, x: Any, weight: Any, bias: Any) -> Any:
    return _linear(torch, x.transpose(-2, -3).flatten(-2), weight, bias)


def _seen(torch: Any, x: Any) -> Any:
    """Which query sees which key."""
    return torch.ones(x.shape[-2:], dtype=torch.bool).tril(x.shape[-1] - x.shape[-2])


def _scores(torch: Any, q: Any, k: Any) -> Any:
    out = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    return out.masked_fill(~_seen(torch, out), -torch.inf)


def _causal_softmax(torch: Any, x: Any) -> Any:
    return x.masked_fill(~_seen(torch, x), -torch.inf).softmax(-1)


def _rotate(torch: Any, x: Any, cosine: Any, sine: Any, interleaved: bool) -> Any:
    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else x.chunk(2, -1)
    turned = a * cosine - b * sine, b * cosine + a * sine
    return torch.stack(turned, -1).flatten(-2) if interleaved else torch.cat(turned, -1)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda torch, a, b: a + b,
    "attention_mix": lambda torch, pattern, v: pattern @ v,
    "attention_scores": _scores,
    "causal_softmax": _causal_softmax,
    "embedding": lambda torch, ids, weight: weight[ids],
    "gelu_erf": lambda torch, x: torch.nn.functional.gelu(x),
    "gelu_tanh": lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
    "layer_norm": lambda torch, x, gain, bias, epsilon: torch.layer_norm(x, gain.shape, gain, bias, epsilon),
    "linear": _linear,
    "linear_from_heads": _linear_from_heads,
    "linear_to_heads": _linear_to_heads,
    "multiply": lambda torch, a, b: a * b,
    "relu": lambda torch, x: x.relu(),
    "repeat_heads": lambda torch, x, copies: x.repeat_interleave(copies, -3),
    "rms_norm": lambda torch, x, gain, epsilon: torch.rms_norm(x, gain.shape, gain, epsilon),
    "rotate": _rotate,
    "silu": lambda torch, x: torch.nn.functional.silu(x),
    "softmax": lambda torch, x: x.softmax(-1),
}
"""By the names of ops: `function(torch, **operands, **settings)`."""
