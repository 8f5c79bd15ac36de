"""A lesson's trace goes to a file and back, also where a tensor stands in the place of a weight."""

import numpy as np
import pytest

import llmtrace
import llmtrace.lessons
from llmtrace.explain.verify import verify


@pytest.mark.parametrize(
    ("lesson", "name"),
    [
        ("matrices-as-projections", "product"),  # its second matrix is given
        ("leaf-or-flower", "collapse"),  # a step made a matrix
        ("training", "first_step"),  # nothing but weights
    ],
)
def test_what_is_saved_comes_back(tmp_path, lesson, name):
    trace = llmtrace.lessons.load(lesson).trace(name)
    trace.save(tmp_path / "a.trace", with_weights=True)
    again = llmtrace.open(tmp_path / "a.trace")
    assert [step.record for step in again.steps] == [step.record for step in trace.steps]
    assert verify(again) == sum(np.prod(trace.shape(name), dtype=int) for name in trace)
    for step in trace:
        place = (0,) * len(trace.shape(step))
        explanation = again.explain(step, *place)
        assert explanation.replay() == trace.tensor(step)[place]
        assert explanation.sentence != step
