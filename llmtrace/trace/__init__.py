"""Running and recording: Run does the ops, Trace holds the Steps, Backward appends their gradients."""

from llmtrace.trace.backward import Backward
from llmtrace.trace.role import Role, role_of
from llmtrace.trace.run import Dropout, Run
from llmtrace.trace.step import Record, Step
from llmtrace.trace.trace import Origin, Trace

__all__ = ["Backward", "Dropout", "Origin", "Record", "Role", "Run", "Step", "Trace", "role_of"]
