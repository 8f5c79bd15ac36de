"""Checking functions against llmtrace's own definitions, to the last bit. Needs Hypothesis (`pip install
"llmtrace-exact[test]"`).

Is my softmax right?

    import numpy as np
    from llmtrace.testing import check_function

    def my_softmax(x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    check_function(my_softmax, like="softmax", exact=False)  # right but for rounding, in any order of the sum?
    check_function(my_softmax, like="softmax")               # right to the last bit?

Where it is not, AssertionError shows the smallest input that Hypothesis could find, the first place that differs,
both numbers, and how many units in the last place they are apart.

The checks that every op of llmtrace keeps are here too, for an op of one's own: `hold(op, check_forward)`, and likewise
`check_bound`, `check_backward`, `check_explain`, `check_refusals`, `check_formula`, `check_axes`, `check_part`; `arguments(op)`
and `arrays(shape)` are the Hypothesis strategies under them.
"""

try:
    import hypothesis
except ModuleNotFoundError as error:
    raise ImportError('llmtrace.testing needs Hypothesis: python -m pip install "llmtrace-exact[test]"') from error

from llmtrace.testing.bounds import BOUNDS, bound, local_bound
from llmtrace.testing.checks import (
    CHECKS,
    check_axes,
    check_backward,
    check_bound,
    check_explain,
    check_formula,
    check_forward,
    check_part,
    check_refusals,
)
from llmtrace.testing.compare import expect_same_bits, units_apart
from llmtrace.testing.composed import COMPOSED
from llmtrace.testing.functions import check_function, hold, steady
from llmtrace.testing.rounding import Close, Rounding
from llmtrace.testing.sampling import Arguments
from llmtrace.testing.strategies import arguments, arrays

__all__ = [
    "BOUNDS",
    "CHECKS",
    "COMPOSED",
    "Arguments",
    "Close",
    "Rounding",
    "arguments",
    "arrays",
    "bound",
    "check_axes",
    "check_backward",
    "check_bound",
    "check_explain",
    "check_formula",
    "check_forward",
    "check_function",
    "check_part",
    "check_refusals",
    "expect_same_bits",
    "hold",
    "local_bound",
    "steady",
    "units_apart",
]

del hypothesis
