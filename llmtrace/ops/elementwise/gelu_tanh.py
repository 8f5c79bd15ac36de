"""GELU in its tanh form (Hendrycks & Gimpel 2016, arXiv:1606.08415): what GPT-2 uses."""

import math

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import elementwise_op
from llmtrace.ops.gradient import Gradient


def meaning(x: Array) -> Array:
    """`(0.5·x) · (1 + tanh(√(2/π) · (x + 0.044715·((x·x)·x))))`, every constant rounded to x's type."""
    real = x.dtype.type
    inner = real(math.sqrt(2 / math.pi)) * (x + real(0.044715) * ((x * x) * x))
    return np.asarray((real(0.5) * x) * (real(1) + elementary.tanh(inner)), x.dtype)


def backward(g: Gradient) -> None:
    """dx = dout · (0.5·(1 + t) + (0.5·x) · ((1 − t·t) · slope of inner)) (out = (0.5·x) · (1 + t), t = tanh(inner))."""
    g.accumulate("x", gelu_tanh_gradient, g["x"], g.dout)


def explain(w: Derivation) -> None:
    """Each elementary step."""
    x = w["x"][w.index]
    cube = w.multiply("x³", w.multiply("x²", x, x), x)
    bent = w.add("bent", x, w.multiply("0.044715 · x³", w.constant(0.044715, "0.044715"), cube))
    inner = w.multiply("inner", w.constant(math.sqrt(2 / math.pi), "√(2/π)"), bent)
    gate = w.add("1 + tanh", w.constant(1, "1"), w.tanh("tanh", inner))
    w.multiply("out", w.multiply("half", w.constant(0.5, "½"), x), gate)


def gradient_meaning(x: Array, dout: Array) -> Array:
    """`dout · ((0.5·(1 + t)) + ((0.5·x) · ((1 − t·t) · slope)))`: the gradient of x, with t = tanh(inner) as in `meaning`
    and slope = `√(2/π) · (1 + 0.134145·(x·x))`, that of inner; 0.134145 is 3 · 0.044715.
    """
    real, squared = x.dtype.type, x * x
    root, one, half = real(math.sqrt(2 / math.pi)), real(1), real(0.5)
    t = elementary.tanh(root * (x + real(0.044715) * (squared * x)))
    slope = root * (one + real(0.134145) * squared)
    return np.asarray(dout * (half * (one + t) + (half * x) * ((one - t * t) * slope)))


def gradient_explain(w: Derivation) -> None:
    """The tanh of the forward step, its slope, the two parts of the product rule."""
    x, one, half = w["x"][w.index], w.constant(1, "1"), w.constant(0.5, "½")
    root = w.constant(math.sqrt(2 / math.pi), "√(2/π)")
    square = w.multiply("x²", x, x)
    cube = w.multiply("0.044715 · x³", w.constant(0.044715, "0.044715"), w.multiply("x³", square, x))
    t = w.tanh("tanh", w.multiply("inner", root, w.add("bent", x, cube)))
    bend = w.add(
        "1 + 3 · 0.044715 · x²", one, w.multiply("3 · 0.044715 · x²", w.constant(0.134145, "0.134145"), square)
    )
    steep = w.multiply(
        "steepness", w.subtract("1 − tanh²", one, w.multiply("tanh²", t, t)), w.multiply("slope", root, bend)
    )
    gate = w.multiply("gate", half, w.add("1 + tanh", one, t))
    change = w.multiply("change of the gate", w.multiply("half", half, x), steep)
    w.multiply("out", w["dout"][w.index], w.add("total slope", gate, change))


gelu_tanh = elementwise_op(
    "gelu_tanh",
    "(0.5·x) · (1 + tanh(√(2/π) · (x + 0.044715·x³)))",
    meaning,
    explain,
    backward=backward,
    how=N_("the numbers of {a}, bent: negative ones to nearly 0, large ones stay (GELU)"),
)
gelu_tanh_gradient = elementwise_op(
    "gelu_tanh_gradient",
    "dout · ((0.5·(1 + t)) + ((0.5·x) · ((1 − t·t) · slope))), t = tanh(√(2/π) · (x + 0.044715·x³)),"
    " slope = √(2/π) · (1 + 0.134145·x²)",
    gradient_meaning,
    gradient_explain,
    how=N_("{b}, times how steep the bent curve is at {a}"),
)
