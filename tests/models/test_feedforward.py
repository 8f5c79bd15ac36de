"""Small nets: their steps, names and bits; and lines of text with wide characters, in which lessons speak of them."""

import numpy as np
import pytest
from rich.cells import cell_len

from llmtrace.errors import ModelError
from llmtrace.models import Feedforward, Model, as_language_model
from llmtrace.ops import Tensor
from llmtrace.ops.elementwise.multiply import multiply
from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.render.terminal.cjk import NEVER_FIRST, NEVER_LAST, has_wide, wrapped
from llmtrace.trace import Backward, Run

FIRST, SECOND = [[0.1, -0.29], [0.12, -0.05], [-0.36, 1.5]], [[-0.17, 0.39, 0.1]]


def net(**settings):
    labels = {"input": ("red", "green"), "output": ("leaf",)}
    return Feedforward.of(FIRST, SECOND, biases=[[1, 2, 3], [0.5]], labels=labels, **settings)


def by_hand(x, bend):
    """The same, one operation after the other."""
    x = np.asarray(x, np.float32)
    for matrix, bias, last in ((FIRST, [1, 2, 3], False), (SECOND, [0.5], True)):
        rows = []
        for weights, b in zip(np.float32(matrix), np.float32(bias), strict=True):
            out = np.float32(0)
            for a, w in zip(x, weights, strict=True):
                out = out + a * w
            rows.append(out + b)
        x = np.array(rows) if last else bend(np.array(rows))
    return x


@pytest.mark.parametrize(
    ("activation", "bend"), [("none", lambda x: x), ("relu", lambda x: np.maximum(x, np.float32(0)))]
)
def test_the_bits_are_those_of_the_formula(activation, bend):
    small = net(activation=activation)
    for x in ([3, 4], [-2.5, 0.1], [32, 107]):
        assert small(x).tobytes() == by_hand(x, bend).tobytes()
        assert small.trace(x)["output.sum"].output.tobytes() == small(x).tobytes()
    assert small([[3, 4], [32, 107]]).tolist() == [small([3, 4]).tolist(), small([32, 107]).tolist()]


def test_steps_have_good_names_and_labels():
    trace = net(activation="tanh", last="sigmoid").trace([3, 4])
    assert list(trace) == ["hidden.1.sum", "hidden.1.act", "output.sum", "output.act"]
    assert trace.axes("hidden.1.sum") == ("neuron",)
    assert trace.explain('input["green"]').sentence == "the number that goes in as 'green'"
    assert trace.explain("hidden.1.weight", neuron=2, input="red").sentence == (
        "a weight of neuron 2 of layer 1: what it multiplies number 'red' by"
    )
    assert "bias of output 'leaf'" in trace.explain('output.bias["leaf"]').sentence
    assert "after the activation function" in trace.explain("output.act[0]").sentence
    deep = Feedforward.of(FIRST, np.eye(3), SECOND).trace([1, 2])
    assert list(deep) == ["hidden.1.sum", "hidden.2.sum", "output.sum"]
    assert "neuron 1 of layer 2" in deep.explain("hidden.2.sum[1]").sentence


def test_it_can_be_trained():
    small = net(activation="tanh")
    trace = small.trace([0.3, 0.4])
    with Run(small.weights, trace) as run:
        out = Tensor("output.sum", trace["output.sum"].output, ("output",))
        run("loss", sum_all, run("square", multiply, out, out))
        gradients = Backward(run, trace).gradients()
    assert set(gradients) == {"hidden.1.weight", "hidden.1.bias", "output.weight", "output.bias"}
    assert trace.explain("d.hidden.1.weight[neuron=2, input=0]").replay() == gradients["hidden.1.weight"].data[2, 0]


def test_an_unknown_activation_is_refused():
    with pytest.raises(ModelError, match="no activation function 'bend'; there are none, relu, sigmoid, tanh"):
        net(activation="bend")


# ---- lines -------------------------------------------------------------------------------------------------------------

TEXT = (
    "这个机器（相乘、相加、与 threshold 比较）叫做“感知机”。它就是一个神经元，是所有神经网络里最小的零件 perceptron！！"
)


@pytest.mark.parametrize("width", range(8, 60, 3))
def test_chinese_lines_are_full_and_begin_and_end_as_they_should(width):
    lines = [TEXT[start:end].rstrip() for start, end in wrapped(TEXT, width, width)]
    assert "".join(lines).replace(" ", "") == TEXT.replace(" ", "")
    assert max(map(cell_len, lines)) <= width
    if width > 14:
        assert not [line for line in lines if line[0] in NEVER_FIRST or line[-1] in NEVER_LAST]
        assert min(map(cell_len, lines[:-1])) >= width - 16


def test_narrow_and_empty_lines():
    assert wrapped("", 5, 5) == [(0, 0)]
    assert [end - start for start, end in wrapped("中文中文", 1, 1)] == [1, 1, 1, 1]
    assert has_wide("a中")
    assert not has_wide("aé−“")


def test_it_is_a_model_but_none_of_language():
    assert isinstance(net(), Model)
    with pytest.raises(ModelError, match="'feedforward' is not a language model"):
        as_language_model(net())
