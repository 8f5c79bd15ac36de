"""How far rounding alone may go: no row's is another's, and of long sums it is what is likely."""

import numpy as np

from llmtrace.experiments.own_rounding import own
from llmtrace.experiments.situation import Situation

RNG = np.random.default_rng(5)


def test_what_rounding_does_in_one_row_is_no_excuse_for_another():
    x = (RNG.standard_normal((4, 3000)) * [[1e-3], [1], [30], [1e3]]).astype(np.float32)
    for op in ("softmax", "gelu_tanh"):
        all_rows, *rows = (Situation(op, {"x": each}, {}, {}) for each in (x, *np.split(x, 4)))
        assert np.array_equal(own(all_rows, all_rows.done()), [own(row, row.done())[0] for row in rows])
