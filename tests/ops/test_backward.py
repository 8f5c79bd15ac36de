"""Small examples of the ops of the backward pass to check by hand; micro-batches; each gradient against differences."""

import math

import numpy as np
import pytest
from helpers.by_hand import INF, NAN, REALS, bits_are, do

from llmtrace import _kernels
from llmtrace.ops import OPS
from llmtrace.ops.tensor import Tensor
from llmtrace.testing import expect_same_bits

# ---- by hand -------------------------------------------------------------------------------------------------------


@REALS
def test_sums_over_positions(real):
    a, b = [[1, 2], [3, 4]], [[10, 20, 30], [1, -0.0, NAN]]
    bits_are(do("sum_outer_products", a, b, real=real), [[13, 20, NAN], [24, 40, NAN]])
    bits_are(do("sum_outer_products", a, b, np.ones((2, 3)), real=real), [[14, 21, NAN], [25, 41, NAN]])
    bits_are(do("sum_outer_products", [2, 3], [5, 7], real=real), [[10, 14], [15, 21]])  # one position
    bits_are(do("sum_outer_products", np.zeros((0, 2)), np.zeros((0, 1)), [[-0.0], [5]], real=real), [[-0.0], [5]])
    bits_are(do("sum_outer_products", np.zeros((0, 2)), np.zeros((0, 1)), real=real), [[0], [0]])
    bits_are(do("sum_positions", [[[1, INF]], [[2, -INF]]], real=real), [3, NAN])
    bits_are(do("sum_positions", [[-0.0, 1]], [-0.0, 2], real=real), [-0.0, 3])  # −0 + −0
    bits_are(do("sum_positions", [[-0.0, 1]], real=real), [0, 1])  # 0 + −0
    bits_are(do("sum_products", a, a, [100, 0], real=real), [110, 20])
    bits_are(do("sum_all", [[1, 2], [3, 4]], 10, real=real), 20)
    bits_are(do("sum_all", np.zeros((2, 0)), -0.0, real=real), -0.0)
    bits_are(do("sum_all", -0.0, real=real), 0)
    bits_are(do("squared_norm", [[3, 4], [-INF, 0]], real=real), [25, INF])
    bits_are(do("squared_norm", [3, 4], real=real), 25)


@REALS
def test_embedding_gradient(real):
    bits_are(
        do("embedding_gradient", [2, 0, 2], [[1, 2], [3, 4], [5, -0.0]], real=real, rows=3), [[3, 4], [0, 0], [6, 2]]
    )
    start = [[1, 1], [-0.0, 7]]
    bits_are(do("embedding_gradient", [[0], [0]], [[[1, 2]], [[3, 4]]], start, real=real, rows=2), [[5, 7], [-0.0, 7]])
    bits_are(do("embedding_gradient", 1, [5, 6], real=real, rows=2), [[0, 0], [5, 6]])
    for row in (-1, 3):
        with pytest.raises(IndexError, match=f"ids has {row} at place 0"):
            OPS["embedding_gradient"].forward(np.array([row]), np.zeros((1, 2), real), rows=3)


@REALS
def test_rows(real):
    bits_are(do("softmax_gradient", [0.5, 0.5], [2, 4], real=real), [-0.5, 0.5])  # inner 3
    bits_are(
        do("causal_softmax_gradient", [[1, NAN], [0.5, 0.5]], [[7, NAN], [2, 4]], real=real), [[0, 0], [-0.5, 0.5]]
    )
    bits_are(do("normalise", [[1, 3], [6, 2]], real=real, epsilon=0.0), [[-1, 1], [1, -1]])
    bits_are(do("normalise", [1, 3], real=real, epsilon=3.0), [-0.5, 0.5])
    bits_are(
        do("layer_norm_gradient", [1, 3], [5, 9], [1, 1], real=real, epsilon=0.0), [0, 0]
    )  # of two numbers, nothing is left
    # n = (−1, 1)/2, e = (2, 6): a = 4, b = (6·½ − 2·½)/2 = 1; ((2 − 4) + ½)/2, ((6 − 4) − ½)/2
    bits_are(do("layer_norm_gradient", [1, 3], [2, 3], [1, 2], real=real, epsilon=3.0), [-0.75, 0.75])
    bits_are(do("layer_norm_gradient", [1, NAN], [2, 3], [1, 2], real=real, epsilon=3.0), [NAN, NAN])
    bits_are(
        do("layer_norm_gradient", np.zeros((2, 0)), np.zeros((2, 0)), [], real=real, epsilon=0.1), np.zeros((2, 0))
    )


@REALS
def test_cross_entropy(real):
    bits_are(do("cross_entropy", [[0, 0], [-INF, 5]], [0, 1], real=real), [math.log(2), 0])
    bits_are(do("cross_entropy", [1000, 0], 1, real=real), 1000)
    bits_are(do("cross_entropy", [NAN, 0], 1, real=real), NAN)
    bits_are(do("cross_entropy", [-INF, 0], 0, real=real), INF)
    grad = do("cross_entropy_gradient", [[0, 0], [3, 3]], [1, 0], [1, 10], real=real)
    bits_are(grad, [[0.5, -0.5], [-5, 5]])
    bits_are(do("cross_entropy_gradient", np.zeros((0, 3)), np.zeros(0), np.zeros(0), real=real), np.zeros((0, 3)))
    for target in (-1, 2):
        with pytest.raises(IndexError, match=f"target has {target} at place 1, which is not from 0 to 1"):
            OPS["cross_entropy"].forward(np.zeros((2, 2), real), np.array([0, target]))


@REALS
def test_heads_attention_and_places(real):
    apart = [[[1, 2], [5, 6]], [[3, 4], [7, 8]]]
    beside = do("merge_heads", apart, real=real)
    bits_are(beside, [[1, 2, 3, 4], [5, 6, 7, 8]])
    bits_are(do("split_heads", beside, real=real, heads=2), apart)
    with pytest.raises(ValueError, match="4 features can't be split into 3 heads"):
        OPS["split_heads"].forward(beside, heads=3)
    bits_are(do("full_products", [[1, 2]], [[10, 1], [NAN, 1]], real=real), [[12, NAN]])
    bits_are(do("full_back", [[2, NAN], [3, 4]], [[10], [1]], real=real), [[23], [NAN]])
    bits_are(do("attention_products", [[1, 2], [3, 4]], [[10, 1], [NAN, 1]], real=real), [[12, 0], [34, NAN]])
    bits_are(do("attention_back", [[2, NAN], [3, 4]], [[10], [1]], real=real), [[23], [4]])
    bits_are(
        do("attention_back", [[2, 3]], [[10, -0.0]], real=real), [[20, 0], [30, 0]]
    )  # one query sees a cached key too
    bits_are(do("slice_positions", [[1], [2], [3]], real=real, first=1, count=2), [[2], [3]])
    bits_are(do("broadcast", 3, np.full((2, 1), NAN), real=real), [[3], [3]])


# ---- micro-batches -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_parts_of_a_batch_add_up_to_the_same_bits(threads):
    before = _kernels.get_threads()
    _kernels.set_threads(threads)
    rng = np.random.default_rng(3)
    a, b = (rng.standard_normal((6, 150, width)).astype(np.float32) for width in (131, 70))
    ids = rng.integers(0, 5, (6, 150))
    runs = {
        "sum_outer_products": lambda part, start: OPS["sum_outer_products"].forward(a[part], b[part], start),
        "sum_positions": lambda part, start: OPS["sum_positions"].forward(a[part], start),
        "sum_products": lambda part, start: OPS["sum_products"].forward(a[part], a[part], start),
        "embedding_gradient": lambda part, start: OPS["embedding_gradient"].forward(ids[part], a[part], start, rows=5),
        "sum_all": lambda part, start: OPS["sum_all"].forward(a[part], start),
    }
    for name, run in runs.items():
        start = None
        for part in (slice(0, 1), slice(1, 4), slice(4, 6)):
            start = run(part, start)
        expect_same_bits(start, run(slice(None), None), name, "parts of a batch")
    _kernels.set_threads(before)


# ---- each gradient against differences -----------------------------------------------------------------------------


class Tape:
    """One step, walked backward: what `llmtrace.ops.gradient.Gradient` asks for, and no more."""

    def __init__(self, op, tensors, settings, dout):
        self.settings, self.given = settings, {}
        self._tensors = dict(zip(op.tensors, tensors, strict=True))
        self.out, self.dout = op.forward(*tensors, **settings), Tensor("dout", dout, ())
        self.out = Tensor("out", self.out, ())

    def __getitem__(self, name):
        return Tensor(name, self._tensors[name], ())

    def wants(self, *names):
        return any(self._tensors[name] is not None for name in names)

    def do(self, part, op, *operands, **settings):
        absent = [None] * (len(op.tensors) - len(operands))
        data = [None if o is None else o.data for o in (*operands, *absent)]
        return Tensor(part, op.forward(*data, **settings), ())

    def accumulate(self, name, op, *operands, **settings):
        self.given[name] = self.do(name, op, *operands, **settings).data

    def pass_on(self, *names):
        self.given |= dict.fromkeys(names, self.dout.data)


def real(*shape):
    return np.random.default_rng(sum(shape) + len(shape)).standard_normal(shape)


STEPS = [
    ("linear", (real(2, 3, 4), real(4, 5), real(5)), {}),
    ("linear", (real(2, 3, 4), real(5, 4), None), {"transposed": True}),
    ("linear_to_heads", (real(2, 3, 4), real(4, 6), real(6)), {"heads": 2}),
    ("linear_from_heads", (real(2, 2, 4, 3), real(6, 5), real(5)), {}),
    ("attention_scores", (real(2, 3, 4), real(2, 5, 4)), {}),
    ("attention_mix", (real(2, 3, 5), real(2, 5, 4)), {}),
    ("full_scores", (real(2, 5, 4), real(2, 3, 4)), {}),
    ("full_mix", (real(2, 5, 3), real(2, 3, 4)), {}),
    ("full_products", (real(2, 5, 4), real(2, 3, 4)), {}),
    ("softmax", (real(3, 4),), {}),
    ("causal_softmax", (real(2, 3, 5),), {}),
    ("layer_norm", (real(2, 3, 5), real(5), real(5)), {"epsilon": 0.1}),
    ("embedding", (np.array([[1, 0, 1], [3, 1, 1]]), real(4, 3)), {}),
    ("concatenate", (real(2, 3, 4), real(2, 2, 4)), {}),
    ("cross_entropy", (real(2, 3, 5), np.array([[1, 0, 4], [3, 1, 1]])), {}),
    ("sum_all", (real(2, 3), real()), {}),
    ("merge_heads", (real(2, 3, 4, 2),), {}),
    ("split_heads", (real(2, 3, 4),), {"heads": 2}),
]


@pytest.mark.parametrize(("name", "tensors", "settings"), STEPS, ids=lambda x: x if isinstance(x, str) else "")
def test_a_gradient_is_the_slope(name, tensors, settings):
    op = OPS[name]
    tensors = [None if t is None else np.asarray(t) for t in tensors]
    out = op.forward(*tensors, **settings)
    seen = np.isfinite(out)  # masked scores are −∞, whatever the inputs
    dout = np.where(seen, np.random.default_rng(9).standard_normal(out.shape), 0)
    tape = Tape(op, tensors, settings, dout)
    op.backward(tape)
    wanted = {key for key, t in zip(op.tensors, tensors, strict=True) if t is not None and t.dtype.kind == "f"}
    assert set(tape.given) >= wanted
    for key in wanted:
        place = op.tensors.index(key)
        slope = np.zeros(tensors[place].shape)
        for i in np.ndindex(slope.shape):
            sides = []
            for step in (1e-5, -1e-5):
                moved = [None if t is None else t.copy() for t in tensors]
                moved[place][i] += step
                sides.append(np.sum(np.where(seen, op.forward(*moved, **settings), 0) * dout))
            slope[i] = (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose(tape.given[key], slope, rtol=1e-6, atol=1e-8, err_msg=f"{name}: {key}")
