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
