"""Many prompts through one model, on one machine or many: an index with a row for each, and one hash for all of it."""

from llmtrace.corpus.prompts import Item
from llmtrace.corpus.run import Report, trace

__all__ = ["Item", "Report", "trace"]
