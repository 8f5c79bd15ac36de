"""Running and recording: Run does the ops, Trace holds the Steps."""

from llmtrace.trace.run import Run
from llmtrace.trace.step import Record, Step
from llmtrace.trace.trace import Origin, Trace

__all__ = ["Origin", "Record", "Run", "Step", "Trace"]
