"""Running and recording: Run does the ops, Trace holds the Steps, Backward appends their gradients."""

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
