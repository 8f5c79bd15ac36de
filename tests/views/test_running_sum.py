"""A sum that is written out ends in the number that it gives."""

import numpy as np
import pytest
from helpers.printing import as_text

from llmtrace.ops.rows.sum_all import sum_all
from llmtrace.trace import Run, Trace


def explained(*numbers):
    """The text of the explanation of a sum."""
    trace = Trace({})
    with Run({}, trace) as run:
        run("total", sum_all, run.leaf("x", np.array(numbers, np.float32), ("place",)))
    return as_text(trace.explain("total"))


@pytest.mark.parametrize(
    ("numbers", "total"),
    [
        ((1.0, 4.793e-6, 1.5e-5), "1.0000198"),
        ((0.3, 0.7, 2.1e-6, 1e-7), "1.000002"),
        ((1.0, 1.0, 3.0), "5"),
        ((100000.25, 0.25), "100000.50"),
        ((0.5, 0.25, 0.125), "0.87500"),
    ],
)
def test_no_total_looks_like_a_whole_number_that_it_is_not(numbers, total):
    last = explained(*numbers).split("total so far")[1].split("✓")[0].rstrip().splitlines()[-1]
    assert last.split()[-1] == total
