"""What is found in a row, wherever it stands: at the beginning, in the middle of many, in the rest at the end."""

import numpy as np
import pytest

from llmtrace.ops import OPS


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("found", [5.0, np.nan, np.inf])
def test_the_largest_of_a_row_is_found_at_every_place(dtype, found):
    for length in [1, 2, 31, 32, 33, 63, 64, 65, 70, 100]:
        rows = np.full((length, length), -1.0, dtype)
        rows[np.arange(length), np.arange(length)] = found
        assert (OPS["argmax"].forward(rows) == np.arange(length)).all()
        if np.isfinite(found):
            assert (np.diag(OPS["softmax"].forward(rows)) > 0.7).all()
        else:
            assert np.isnan(OPS["softmax"].forward(rows)).any(axis=1).all()
