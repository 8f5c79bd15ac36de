"""Every op with every combination of small sizes: one query or several, one feature or an odd number of them."""

import itertools

import numpy as np
import pytest

from llmtrace.ops import OPS
from llmtrace.ops.shapes import added, letters
from llmtrace.testing import check_forward
from llmtrace.testing.sampling import FLOATS, assemble, setting_pool

SIZES = (1, 2, 3, 5)


def cases(op):
    """Arguments for each combination of sizes; ordinary numbers, that no special case of the arithmetic hides in."""
    rng = np.random.default_rng(0)
    for number, sizes in enumerate(itertools.product(SIZES, repeat=len(letters(op.shapes)))):
        known = {letter: max(low, size) for (letter, low), size in zip(letters(op.shapes).items(), sizes, strict=True)}
        known |= {
            letter: known[letter] - 1 for letter in added(op.shapes, op.tensors)
        }  # a part of an axis that may be empty
        real, lead = FLOATS[number % 2], [(), (2,), (1,)][number % 3]

        def fill(shape, size, known=known, real=real):
            if shape.below:
                return rng.integers(0, known[shape.below], size)
            return rng.standard_normal(size).astype(real)

        pools = {name: setting_pool(op.shapes[name], known, False) for name in op.shapes if name not in op.tensors}
        yield assemble(op, lead, known, fill, {name: pool[number % len(pool)] for name, pool in pools.items()})


@pytest.mark.parametrize("name", OPS)
def test_every_combination_of_small_sizes(name):
    for case in cases(OPS[name]):
        check_forward(OPS[name], case)
