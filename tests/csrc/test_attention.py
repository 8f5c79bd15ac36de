"""Attention's kernels: the bits of their meaning where features fill vectors, panels and slabs, and where they do not."""

import numpy as np
import pytest

from llmtrace import _kernels
from llmtrace.ops import OPS

WIDTHS = [0, 1, 3, 7, 8, 15, 16, 17, 24, 31, 33, 48, 50, 63, 64, 65, 95, 112, 130]
LENGTHS = [
    (1, 1),
    (1, 70),
    (6, 6),
    (7, 20),
    (67, 67),
    (70, 140),
]  # queries, keys: tiles, panels and blocks, and some more
OPERATIONS = ["attention_scores", "attention_products", "attention_mix", "attention_back"]
OPERATIONS += ["full_scores", "full_products", "full_mix", "full_back"]


@pytest.fixture(params=_kernels.instruction_sets())
def instruction_set(request):
    before = _kernels.instruction_set()
    _kernels.use_instruction_set(request.param)
    yield request.param
    _kernels.use_instruction_set(before)


def operands(name, queries, keys, width, dtype, rng):
    shapes = {
        "scores": [(queries, width), (keys, width)],
        "products": [(queries, width), (keys, width)],
        "mix": [(queries, keys), (keys, width)],
        "back": [(queries, keys), (queries, width)],
    }[name.split("_")[1]]
    return [rng.standard_normal((2, *shape)).astype(dtype) for shape in shapes]


def bits(array):
    """The array's bits as integers, every NaN made the same one."""
    return np.where(np.isnan(array), np.array(np.nan, array.dtype), array).view(f"u{array.itemsize}")


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.usefixtures("instruction_set")
def test_bits_for_every_kind_of_width(name):
    rng = np.random.default_rng(0)
    for number, width in enumerate(WIDTHS):
        for queries, keys in LENGTHS[number % 3 :: 3]:
            for dtype in (np.float32, np.float64):
                given = operands(name, queries, keys, width, dtype, rng)
                with np.errstate(invalid="ignore"):  # no features: 0 / √0
                    expected = OPS[name].meaning(*given)
                assert (bits(OPS[name].forward(*given)) == bits(expected)).all(), (queries, keys, width, dtype)


# ---- all of it at once -----------------------------------------------------------------------------------------------


def step_by_step(q, k, v, copies, factor, full):
    """What `attend` does, by the ops whose results it does not keep."""
    k, v = (np.repeat(x, copies, axis=-3) for x in (k, v))
    causal = ("attention_scores", "causal_softmax", "attention_mix")
    fit, share, gather = ("full_scores", "softmax", "full_mix") if full else causal
    scores = OPS[fit].forward(q, k)
    if factor != 1:
        scores = OPS["scale"].forward(scores, factor=factor)
    return OPS[gather].forward(OPS[share].forward(scores), v)


TOGETHER = [  # queries, keys, full: some blocks of one head, and some more; more keys than are there at once for so many queries
    *((queries, keys, False) for queries, keys in [*LENGTHS, (64, 64), (129, 129), (30, 5000), (13, 11_001)]),
    *((queries, keys, True) for queries, keys in [(1, 9), (5, 1), (70, 33), (130, 64), (14, 11_000)]),
]


@pytest.mark.parametrize(("queries", "keys", "full"), TOGETHER)
@pytest.mark.usefixtures("instruction_set")
def test_attention_at_once_has_the_bits_of_its_steps(queries, keys, full):
    rng = np.random.default_rng(0)
    widths = [1, 7, 16, 33, 64, 65]
    for number, width in enumerate(
        widths if queries * keys < 10_000 else widths[1:3]
    ):  # the exponential of a float64 takes long
        copies, factor, dtype = (1, 2, 3)[number % 3], (1, 0.3)[number // 2 % 2], (np.float32, np.float64)[number // 3]
        q = rng.standard_normal((2, 2 * copies, queries, width)).astype(dtype)
        k, v = (rng.standard_normal((2, 2, keys + 3, width)).astype(dtype)[:, :, :keys] for _each in "kv")
        out = np.full(q.shape, 77, dtype)
        _kernels.attend(q, k, v, out, copies, factor, full)
        assert (bits(out) == bits(step_by_step(q, k, v, copies, factor, full))).all(), (width, copies, factor, dtype)


def test_attention_at_once_lets_nan_and_infinity_through():
    q, k, v = (np.random.default_rng(n).standard_normal((2, 20, 8)).astype(np.float32) for n in range(3))
    q[0, 3, 2], k[1, 5, 0], v[0, 9, 1], v[1, 0, 4] = np.nan, np.inf, np.inf, np.nan
    out = np.empty_like(q)
    _kernels.attend(q, k, v, out)
    assert (bits(out) == bits(step_by_step(q, k, v, 1, 1, False))).all()
    assert np.isnan(out[0, 3]).all()
    assert np.isfinite(out[0, :3]).all()


def test_attention_at_once_to_no_keys_is_nothing():
    out = np.full((2, 3, 4), 77, np.float32)
    empty = np.empty((2, 0, 4), np.float32)
    _kernels.attend(np.ones((2, 3, 4), np.float32), empty, empty, out, full=True)
    assert (out == 0).all()


def test_attention_at_once_refuses_what_does_not_go_together():
    def ones(*shape, dtype=np.float32):
        return np.ones(shape, dtype)

    given = {"q": ones(4, 3, 6), "k": ones(2, 5, 6), "v": ones(2, 5, 6), "out": ones(4, 3, 6), "copies": 2}
    _kernels.attend(**given)
    read_only = ones(4, 3, 6)
    read_only.flags.writeable = False
    for wrong in (
        {"q": ones(4, 3, 5)},
        {"q": ones(5, 3, 6), "out": ones(5, 3, 6)},
        {"q": ones(4, 6, 6), "out": ones(4, 6, 6)},
        {"q": ones(3, 6)},
        {"q": ones(4, 3, 6, dtype=np.float64)},
        {"q": ones(4, 6, 6)[:, ::2]},
        {"k": ones(2, 4, 6)},
        {"k": ones(4, 5, 6)},
        {"k": ones(2, 5, 6, dtype=np.float64)},
        {"k": ones(2, 10, 6)[:, ::2]},
        {"v": ones(2, 5, 7)},
        {"v": ones(1, 5, 6)},
        {"out": ones(4, 3, 7)},
        {"out": given["q"]},
        {"out": read_only},
        {"copies": 1},
        {"copies": 0},
        {"copies": -2},
        {"copies": 3},
        {"copies": 1 << 62},
        {"factor": "a half"},
        {"q": [1.0]},
        {"k": None},
    ):
        with pytest.raises((ValueError, TypeError)):
            _kernels.attend(**{**given, **wrong})
    with pytest.raises(ValueError, match="only 2 keys"):
        _kernels.attend(ones(4, 3, 6), ones(4, 2, 6), ones(4, 2, 6), ones(4, 3, 6))
