"""Cross-entropy in the order of version 1 of the trace format: no run makes it, but such traces are verified and explained.

Adding a large m first loses digits that taking off the score of the target does not bring back.
"""

import numpy as np

from llmtrace.arithmetic import elementary
from llmtrace.arithmetic.derivation import Derivation
from llmtrace.arithmetic.types import Array
from llmtrace.i18n import N_
from llmtrace.ops.constructors import row_op
from llmtrace.ops.losses.cross_entropy import explain_parts
from llmtrace.ops.op import ordered_sum


def meaning(x: Array, target: Array) -> Array:
    """x [*, V], target [*] → [*]: `(m + log Σ exp(x − m)) − x[target]`, m = max x."""
    if not target.size:
        return np.zeros(target.shape, x.dtype)
    m = np.max(x, axis=-1)
    own = np.take_along_axis(x, target[..., None], axis=-1)[..., 0]
    return np.asarray((m + elementary.log(ordered_sum(elementary.exp(x - m[..., None])))) - own, x.dtype)


def explain(w: Derivation) -> None:
    """Maximum, each exponential, their sum, its logarithm; the score of the target is subtracted last."""
    own, m, total = explain_parts(w)
    w.subtract("out", w.add("logarithm of all", m, w.log("logarithm of the sum", total)), own)


cross_entropy_v1 = row_op(
    "cross_entropy_v1",
    "(maximum + log Σ exp(x − maximum)) − x[target]",
    meaning,
    explain,
    shapes={"x": "* V", "target": "* < V"},
    out="*",
    how=N_("the logarithm of the sum of e to the power of each score, less the score of the token that came"),
)
