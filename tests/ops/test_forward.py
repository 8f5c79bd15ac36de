"""Small examples of every op to check by hand; NaN, ∞ and −0; checking a function of one's own."""

import math
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.by_hand import INF, NAN, REALS, bits_are, do
from helpers.fresh import examples

from llmtrace import rng
from llmtrace.ops import OPS
from llmtrace.testing import check_function, units_apart

# ---- elements ------------------------------------------------------------------------------------------------------


@REALS
def test_add_multiply_scale(real):
    bits_are(do("add", [1, -0.0, -0.0, INF, INF], [2, -0.0, 0, 1, -INF], real=real), [3, -0.0, 0, INF, NAN])
    bits_are(do("multiply", [3, -0.0, 0, INF], [4, 5, INF, -2], real=real), [12, -0.0, NAN, -INF])
    bits_are(do("scale", [10, -0.0, NAN], real=real, factor=0.5), [5, -0.0, NAN])
    bits_are(do("scale", [3], real=real, factor=0.1), [real(3) * real(0.1)])


def test_a_factor_is_rounded_before_it_multiplies():
    assert do("scale", [16777217.0 - 1], factor=1 + 2.0**-25)[0] == 16777216  # 1 + 2^-25 is 1 in float32


@REALS
def test_relu(real):
    least = np.finfo(real).smallest_subnormal
    bits_are(do("relu", [-1, 2, NAN, -0.0, 0, INF, -INF, least], real=real), [0, 2, NAN, 0, 0, INF, 0, least])


@REALS
def test_elementary_functions(real):
    bits_are(do("exp", [0, -0.0, INF, -INF, NAN, 1e4, -1e4], real=real), [1, 1, INF, 0, NAN, INF, 0])
    bits_are(do("exp", [1], real=real), [math.e])
    bits_are(do("log", [1, 0, -0.0, -1, INF, -INF, NAN], real=real), [0, -INF, -INF, NAN, INF, NAN, NAN])
    bits_are(do("tanh", [0, -0.0, INF, -INF, 100, NAN], real=real), [0, -0.0, 1, -1, 1, NAN])
    bits_are(do("erf", [0, -0.0, INF, -INF, 100, NAN], real=real), [0, -0.0, 1, -1, 1, NAN])
    bits_are(do("sin", [0, -0.0, INF, -INF, NAN, 1], real=real), [0, -0.0, NAN, NAN, NAN, math.sin(1)])
    bits_are(do("cos", [0, -0.0, INF, -INF, NAN, 1], real=real), [1, 1, NAN, NAN, NAN, math.cos(1)])


@REALS
@pytest.mark.parametrize("seed", range(20))
def test_dropout_keeps_what_is_exactly_at_the_rate(real, seed):
    """A place is dropped where its random number is below the rate; one that equals it stays."""
    drawn = rng.uniform(seed, np.arange(12)).astype(real)
    for rate in drawn[drawn > 0]:
        kept = do("dropout", np.ones(12), real=real, rate=float(rate), seed=seed, first=0) != 0
        assert (kept == (drawn >= rate)).all()


@REALS
def test_sigmoid_silu_gelu(real):
    bits_are(do("sigmoid", [0, INF, -INF, NAN], real=real), [0.5, 1, 0, NAN])
    bits_are(do("silu", [0, -0.0, INF, NAN], real=real), [0, -0.0, INF, NAN])
    for gelu in ("gelu_tanh", "gelu_erf"):
        bits_are(do(gelu, [0, -0.0, 100, -100, INF, NAN], real=real), [0, -0.0, 100, -0.0, INF, NAN])
        # −∞ · 0: the written formula has no limit here, and neither kernel nor meaning makes one up
        assert np.isnan(do(gelu, [-INF], real=real)[0])
    assert np.isnan(do("silu", [-INF], real=real)[0])


# ---- rows ----------------------------------------------------------------------------------------------------------


@REALS
def test_softmax(real):
    bits_are(do("softmax", [3, 3, 3, 3], real=real), [0.25] * 4)
    bits_are(do("softmax", [[5], [-INF]], real=real), [[1], [NAN]])
    bits_are(do("softmax", [0, -INF, 0], real=real), [0.5, 0, 0.5])
    bits_are(do("softmax", [1e30, 0], real=real), [1, 0])
    for bad in ([0, NAN, 1], [NAN, 0], [INF, 0], [-INF, -INF]):
        bits_are(do("softmax", bad, real=real), [NAN] * len(bad))
    bits_are(do("softmax", np.zeros((2, 0)), real=real), np.zeros((2, 0)))


@REALS
def test_causal_softmax(real):
    bits_are(do("causal_softmax", [[7, NAN], [2, 2]], real=real), [[1, 0], [0.5, 0.5]])
    bits_are(do("causal_softmax", [[-3]], real=real), [[1]])
    bits_are(do("causal_softmax", [[4, 4, 4, 4]], real=real), [[0.25] * 4])  # one new query after three cached keys
    bits_are(do("causal_softmax", [[-INF, 0], [0, -INF]], real=real), [[NAN, 0], [1, 0]])


@REALS
def test_layer_norm(real):
    norm = {"real": real, "epsilon": 0.0}
    bits_are(do("layer_norm", [1, 3], [1, 1], [0, 0], **norm), [-1, 1])  # mean 2, variance 1
    bits_are(do("layer_norm", [[1, 3], [6, 2]], [2, 5], [10, 20], **norm), [[8, 25], [12, 15]])
    bits_are(do("layer_norm", [1, 3], [1, 1], [0, 0], real=real, epsilon=3.0), [-0.5, 0.5])  # √(1 + 3) = 2
    bits_are(do("layer_norm", [[9], [-4]], [5], [0.25], real=real, epsilon=1e-5), [[0.25], [0.25]])  # 0 · 5 + 0.25
    bits_are(do("layer_norm", [7], [1], [0], **norm), [NAN])  # 0 / √0
    bits_are(do("layer_norm", [1, NAN], [1, 1], [0, 0], **norm), [NAN, NAN])
    bits_are(do("layer_norm", [1, INF], [1, 1], [0, 0], **norm), [NAN, NAN])
    bits_are(do("layer_norm", np.zeros((3, 0)), [], [], **norm), np.zeros((3, 0)))


@REALS
def test_argmax(real):
    bits_are(do("argmax", [[1, 5, 5], [-INF, -INF, -INF], [0, NAN, NAN], [-0.0, 0, -1]], real=real), [1, 0, 1, 0])
    bits_are(do("argmax", np.zeros((0, 3)), real=real), np.zeros(0))
    with pytest.raises(ValueError, match=r"x has shape \(2, 0\), which does not fit .* N≥1"):
        OPS["argmax"].forward(np.zeros((2, 0), real))


@REALS
def test_embedding_and_append(real):
    table = [[1, 2], [3, 4], [-0.0, NAN]]
    bits_are(do("embedding", [2, 0, 2], table, real=real), [[-0.0, NAN], [1, 2], [-0.0, NAN]])
    bits_are(do("embedding", 1, table, real=real), [3, 4])
    for row in (-1, 3):
        with pytest.raises(IndexError, match=f"ids has {row} at place 0"):
            OPS["embedding"].forward(np.array([row]), np.array(table, real))
    bits_are(do("concatenate", [[1, 2]], [[3, 4], [5, -0.0]], real=real), [[1, 2], [3, 4], [5, -0.0]])
    bits_are(do("concatenate", np.zeros((0, 2)), [[3, 4]], real=real), [[3, 4]])


# ---- sums of products ----------------------------------------------------------------------------------------------


@REALS
def test_linear(real):
    weight, bias = [[3, 4], [5, 6]], [10, 20]
    bits_are(do("linear", [1, 2], weight, bias, real=real), [23, 36])
    bits_are(do("linear", [[[1, 2]], [[0, 1]]], weight, real=real), [[[13, 16]], [[5, 6]]])
    bits_are(do("linear", [1, 2], weight, bias, real=real, transposed=True), [21, 37])
    bits_are(do("linear", np.zeros((2, 0)), np.zeros((0, 3)), [1, -0.0, 2], real=real), [[1, 0, 2]] * 2)  # 0 + −0 = 0
    bits_are(do("linear", np.zeros((2, 0)), np.zeros((0, 3)), real=real), np.zeros((2, 3)))
    bits_are(do("linear", [[1, 2]], np.zeros((2, 0)), [], real=real), np.zeros((1, 0)))
    bits_are(do("linear", np.zeros((0, 2)), weight, bias, real=real), np.zeros((0, 2)))
    bits_are(do("linear", [0, 1], [[INF, NAN], [1, 1]], real=real), [NAN, NAN])


def test_the_order_of_a_sum():
    ones = [[1.0]] * 3
    assert do("linear", [1e8, 1, -1e8], ones)[0] == 0  # 1e8 + 1 is 1e8 in float32
    assert do("linear", [1e8, -1e8, 1], ones)[0] == 1
    assert do("linear", [1e8, -1e8], ones[:2], [1])[0] == 1  # the bias comes last
    third = np.float32(1 / 3)  # 3 · ⅓ is rounded to 1 before 1 is taken off; fused, 2^-25 and more would be left
    assert do("linear", [-1, third], [[1], [3]])[0] == 0


@REALS
def test_heads(real):
    deal = np.eye(4)
    x = [[1, 2, 3, 4], [5, 6, 7, 8]]
    dealt = do("linear_to_heads", x, deal, real=real, heads=2)
    bits_are(dealt, [[[1, 2], [5, 6]], [[3, 4], [7, 8]]])
    bits_are(do("linear_from_heads", dealt, deal, [0, 0, 0, 100], real=real), [[1, 2, 3, 104], [5, 6, 7, 108]])
    with pytest.raises(ValueError, match="4 outputs can't be split into 3 heads"):
        OPS["linear_to_heads"].forward(np.array(x, real), deal.astype(real), heads=3)


@REALS
def test_attention(real):
    q, k = [[1, 0, 0, 0], [1, 1, 1, 1]], [[2, 4, 6, 8], [1, NAN, 1, 1]]
    bits_are(do("attention_scores", q, k, real=real), [[1, -INF], [10, NAN]])  # ÷ √4
    bits_are(do("attention_scores", q[:1], [k[0], k[0]], real=real), [[1, 1]])  # one new query sees the cached key too
    v = [[10, 20], [NAN, INF]]
    bits_are(do("full_scores", [[1, 0, 0, 1]], [[2, 0, 0, 0], [4, 0, 0, 2], [0, 1, 1, 0]], real=real), [[1, 3, 0]])
    bits_are(do("full_mix", [[0.5, 0.5, 1]], [[2], [4], [-3]], real=real), [[0]])
    assert OPS["full_scores"].forward(np.zeros((3, 2), real), np.zeros((0, 2), real)).shape == (3, 0)
    bits_are(do("attention_mix", [[1, 0], [0.5, 0.5]], v, real=real), [[10, 20], [NAN, INF]])
    bits_are(do("attention_mix", [[0.5, 0.5]], [[10, 20], [30, -20]], real=real), [[20, 0]])
    bits_are(do("attention_scores", np.zeros((1, 0)), np.zeros((2, 0)), real=real), [[NAN, NAN]])  # 0 / √0
    with pytest.raises(ValueError, match="every query needs its own key"):
        OPS["attention_scores"].forward(np.zeros((3, 2), real), np.zeros((2, 2), real))


# ---- what is refused, in words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "tensors", "message"),
    [
        ("softmax", [np.float32(1)], "x must have at least 1 axis, not shape ()"),
        ("causal_softmax", [np.zeros(3, "f")], "x must have at least 2 axes, not shape (3,)"),
        ("attention_scores", [np.zeros((2, 3), "f"), np.zeros(3, "f")], "k must have at least 2 axes"),
        ("linear_from_heads", [np.zeros((3, 1), "f"), np.zeros((3, 2), "f")], "x must have at least 3 axes"),
        ("linear", [np.zeros((4, 2, 3), "f")[::2], np.zeros((3, 2), "f")], "x must lie in memory without gaps"),
        ("concatenate", [np.zeros((1, 2), "f"), np.zeros((1, 3), "f")], "all but the positions must be equal"),
    ],
)
def test_refusals_say_what_is_wrong(op, tensors, message):
    with pytest.raises(ValueError, match="must") as refused:
        OPS[op].forward(*(np.asarray(t) for t in tensors))
    assert message in str(refused.value)


def test_append_does_not_change_types_silently():
    with pytest.raises(TypeError, match="float32 and float64"):
        OPS["concatenate"].forward(np.zeros((1, 2), "f"), np.zeros((1, 2)))


# ---- one's own function --------------------------------------------------------------------------------------------


def my_softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=-1, keepdims=True)


def my_linear(x, weight, bias):
    return x @ weight if bias is None else x @ weight + bias


def test_a_right_function_keeps_within_the_bound():
    check_function(my_softmax, like="softmax", exact=False, examples=examples(60))
    check_function(my_linear, like="linear", exact=False, examples=examples(60))
    check_function(lambda x, weight: x @ weight, like="linear", exact=False, examples=examples(60))
    check_function(np.add, like="add", special=True, examples=examples(60))
    check_function(np.tanh, like="tanh", exact=False, dtype=np.float64, examples=examples(60))


def natural_softmax(x):
    """As an engineer writes it: empty rows are not thought of, and the last bit may differ."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def natural_attention(q, k, v):
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(np.float32(q.shape[-1]))
    later = np.arange(k.shape[-2]) > np.arange(q.shape[-2])[:, None] + k.shape[-2] - q.shape[-2]
    return natural_softmax(np.where(later, np.float32(-np.inf), scores)) @ v


def natural_norm(x, gain, bias, *, epsilon):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(epsilon)) * gain + bias


@pytest.mark.parametrize(
    ("function", "like"),
    [
        (natural_softmax, "softmax"),
        (natural_attention, "attention"),
        (natural_norm, "layer_norm"),
        (lambda x: np.where(x > 0, x, np.float32(0)), "relu"),
        (lambda x: x.argmax(-1), "argmax"),
    ],
)
def test_what_an_engineer_writes_is_right(function, like):
    check_function(function, like=like, exact=False, examples=examples(80))


def test_empty_arrays_are_a_question_of_their_own():
    with pytest.raises(AssertionError, match="raises ValueError: zero-size array"):
        check_function(natural_softmax, like="softmax", exact=False, empty=True)
    check_function(my_softmax, like="softmax", exact=False, empty=True, examples=examples(40))


@pytest.mark.parametrize(
    ("function", "like"),
    [
        (lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True), "softmax"),
        (
            lambda x: np.log(1 / (1 + np.exp(-x))) * 0 + x / (1 + np.exp(x * -1)) * 0 + np.exp(x) / (1 + np.exp(x)),
            "sigmoid",
        ),
        (
            lambda x, ids: -np.log((np.exp(x) / np.exp(x).sum(-1, keepdims=True))[np.arange(len(x)), ids]),
            "cross_entropy",
        ),
    ],
)
@pytest.mark.usefixtures("as_drawn")
def test_what_overflows_is_found(function, like):
    with pytest.raises(AssertionError):
        check_function(function, like=like, exact=False)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda q, k, v: natural_attention(q * np.sqrt(np.float32(q.shape[-1])), k, v),
        lambda q, k, v: natural_softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(np.float32(q.shape[-1]))) @ v,
        lambda q, k, v: natural_attention(k[..., k.shape[-2] - q.shape[-2] :, :], k, v),
    ],
    ids=["without the root", "without the mask", "keys for queries"],
)
@pytest.mark.usefixtures("as_drawn")
def test_wrong_attention_is_found(wrong):
    with pytest.raises(AssertionError):
        check_function(wrong, like="attention", exact=False)


@pytest.mark.usefixtures("as_drawn")
def test_a_tolerance_of_one_s_own():
    off = lambda x: np.tanh(x) + np.float32(1e-4)  # noqa: E731
    check_function(off, like="tanh", tolerance=2e-4, examples=examples(40))
    with pytest.raises(AssertionError, match="within 5e-05"):
        check_function(off, like="tanh", tolerance=5e-5)


@pytest.mark.usefixtures("as_drawn")
def test_a_setting_that_is_built_in():
    """A layer norm of one's own has its ε inside: it is compared with the op at that ε, and not given one."""
    fixed_norm = lambda x, gain, bias: natural_norm(x, gain, bias, epsilon=1e-3)  # noqa: E731
    check_function(fixed_norm, like="layer_norm", exact=False, epsilon=1e-3, examples=examples(80))
    with pytest.raises(AssertionError):
        check_function(fixed_norm, like="layer_norm", exact=False, epsilon=1e-5)
    with pytest.raises(ValueError, match="layer_norm has no setting 'eps'; it has: epsilon"):
        check_function(fixed_norm, like="layer_norm", eps=1e-3)


def test_an_unknown_op_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="there is no op 'sofmax'; did you mean 'softmax'"):
        check_function(natural_softmax, like="sofmax")
    with pytest.raises(ValueError, match="there is no op 'zzz'; there are absolute_error, "):
        check_function(natural_softmax, like="zzz")


def test_functions_of_tensors(monkeypatch):
    """PyTorch is not needed: something that behaves like it will do."""

    class Tensor:
        def __init__(self, data):
            self.data = data

        def relu(self):
            return Tensor(np.where(self.data > 0, self.data, np.float32(0)))

        def detach(self):
            return self

        cpu = detach

        def numpy(self):
            return self.data

    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(from_numpy=Tensor))
    check_function(lambda x: x.relu(), like="relu", exact=False, examples=examples(40))
    with pytest.raises(AssertionError, match="raises AttributeError"):
        check_function(lambda x: x.missing(), like="relu", exact=False)


def test_units_apart_of_arrays():
    a = np.array([1, 2, -0.0], np.float32)
    assert units_apart(a, np.nextafter(a, np.float32(9))).tolist() == [1, 1, 2]
    assert units_apart(np.float32(1), np.float32(1)) == 0


@pytest.mark.usefixtures("as_drawn")
def test_a_right_function_in_another_order_has_other_bits():
    with pytest.raises(AssertionError, match="units in the last place apart"):
        check_function(my_linear, like="linear")


def test_the_smallest_wrong_input_is_shown():
    def forgets_to_divide(x):
        return np.exp(x - x.max(axis=-1, keepdims=True, initial=-np.inf))

    for exact in (True, False):
        with pytest.raises(AssertionError) as shown:
            check_function(forgets_to_divide, like="softmax", exact=exact)
        message = str(shown.value)
        assert message.startswith("forgets_to_divide, against softmax = exp(x − maximum) / Σ exp(x − maximum): ")
        assert "At [0]: expected 0.5" in message
        assert "x = array([0., 0.], dtype=float32)" in message
        assert "got 1.0" in message
    assert "off by 0.5" in message


def test_wrong_types_shapes_and_exceptions_are_said():
    with pytest.raises(AssertionError, match="is float64, expected float32"):
        check_function(lambda x: x.astype(np.float64), like="relu")
    with pytest.raises(AssertionError, match="has shape"):
        check_function(lambda x: x.reshape(-1), like="relu")
    with pytest.raises(AssertionError, match="is list, not a NumPy array"):
        check_function(lambda x: x.tolist(), like="argmax")
    with pytest.raises(AssertionError, match="raises ZeroDivisionError: "):
        check_function(lambda x: 1 // 0, like="exp")
    with pytest.raises(ValueError, match="special=True needs exact=True"):
        check_function(np.exp, like="exp", exact=False, special=True)


def test_units_in_the_last_place():
    one = np.float32(1)
    assert units_apart(one, np.nextafter(one, np.float32(2))) == 1
    assert units_apart(np.float32(0), np.float32(-0.0)) == 1
    assert units_apart(np.float32(1e-45), np.float32(-1e-45)) == 3
    assert units_apart(np.float64(1), np.float64(1)) == 0
    assert units_apart(np.float32(1), np.float32(2)) == 2**23


def test_llmtrace_does_without_hypothesis():
    code = (
        "import sys, llmtrace, llmtrace.ops, llmtrace.explain, llmtrace.trace; assert 'hypothesis' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
