"""Running and recording: Run does the ops, Trace holds the Steps, Backward appends their gradients."""

from typing import TYPE_CHECKING

from llmtrace.lazy import names_of

if TYPE_CHECKING:
    from llmtrace.trace.backward import Backward
    from llmtrace.trace.legend import Example, StepKind
    from llmtrace.trace.role import Role, role_of
    from llmtrace.trace.run import Dropout, Run
    from llmtrace.trace.step import Record, Step
    from llmtrace.trace.trace import Keep, Origin, Trace

__all__ = [
    "Backward",
    "Dropout",
    "Example",
    "Keep",
    "Origin",
    "Record",
    "Role",
    "Run",
    "Step",
    "StepKind",
    "Trace",
    "role_of",
]

_HOMES = {
    "Backward": "backward.Backward",
    "Dropout": "run.Dropout",
    "Example": "legend.Example",
    "Keep": "trace.Keep",
    "Origin": "trace.Origin",
    "Record": "step.Record",
    "Role": "role.Role",
    "Run": "run.Run",
    "Step": "step.Step",
    "StepKind": "legend.StepKind",
    "Trace": "trace.Trace",
    "role_of": "role.role_of",
}
__getattr__, __dir__ = names_of(__name__, _HOMES)
