"""Random edits, and a full run with them: every op done from the beginning, by another way than `llmtrace.experiments`."""

import numpy as np
from hypothesis import strategies as st

from llmtrace.experiments.edits import resolved
from llmtrace.ops import Tensor
from llmtrace.trace import Run, Trace


class Edited(Run):
    """A run that puts numbers into results as soon as they are there."""

    edits = ()

    def do(self, name, op, operands, settings, axes=None):
        out = super().do(name, op, operands, settings, axes)
        return self.edited(out)

    def remember(self, name, new):
        return self.edited(super().remember(name, new))

    def edited(self, tensor):
        mine = [each for each in self.edits if each.name == tensor.name]
        if not mine:
            return tensor
        data = tensor.data.copy()
        for each in mine:
            data[each.index] = each.value
        self._trace._arrays[tensor.name] = data
        return Tensor(tensor.name, data, tensor.axes)


def full_run(model, ids, before, edits):
    """All tensors of the edited run, by name, computed from the beginning."""
    edits = resolved(before, edits)
    weights = dict(model.weights)
    for each in edits:
        if each.name in weights:
            weight = weights[each.name]
            data = weight.data.copy()
            data[each.index] = each.value
            known = [name for name, other in weights.items() if other is weight]
            weights |= dict.fromkeys(known, weight.with_data(data))
    after = Trace(weights)
    with Edited(weights, after) as run:
        run.edits = edits
        logits = model._run(run, np.asarray(ids), None)
        from llmtrace.ops.rows.softmax import softmax
        from llmtrace.ops.sampling.argmax import argmax

        run("next_token", argmax, run("probabilities", softmax, logits))
    return {name: after.tensor(name) for name in after}


@st.composite
def random_edits(draw, trace, most=3):
    """One to three edits, each of a tensor or of a weight: whole, of some axes, of one number."""
    names = [name for name in [*trace, *trace.weights] if trace.tensor(name).dtype.kind == "f"]
    found = {}
    for _ in range(draw(st.integers(1, most))):
        name = draw(st.sampled_from(names))
        chosen = [
            f"{axis}={draw(st.integers(0, size - 1))}"
            for axis, size in zip(trace.axes(name), trace.shape(name), strict=True)
            if draw(st.integers(0, 3))
        ]
        value = draw(st.sampled_from([0.0, -0.0, 1.0, -2.5]) | st.floats(-4, 4, width=32))
        found[f"{name}[{', '.join(chosen)}]" if chosen else name] = value
    return found
