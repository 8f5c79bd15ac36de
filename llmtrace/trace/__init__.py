"""Running and recording: Run does the ops, Trace holds the Steps."""

from llmtrace.trace.run import Run
from llmtrace.trace.step import Record, Step
from llmtrace.trace.trace import Trace

__all__ = ["Record", "Run", "Step", "Trace"]
