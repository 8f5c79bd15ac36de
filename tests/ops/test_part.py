"""Parts of tensors, as ops take them."""

import numpy as np
import pytest

from llmtrace.ops.part import batch_strided

X = np.arange(2 * 3 * 8 * 4, dtype=np.float32).reshape(2, 3, 8, 4)


@pytest.mark.parametrize(
    ("part", "as_it_is"),
    [
        (X[:, :, 2:5], True),
        (X[:1, 1:, :5], True),
        (X[:, :1, :5], False),
        (X[:, 1:, 2:5], False),
        (X[..., :2], False),
        (X[:, :, ::2], False),
        (X[0, 0, 1:3, :3], False),
        (X[:, :, :0], False),
    ],
)
def test_blocks_are_copied_only_where_they_do_not_lie_evenly_apart(part, as_it_is):
    given = batch_strided(part)
    assert np.array_equal(given, part)
    assert np.shares_memory(given, X) == as_it_is
