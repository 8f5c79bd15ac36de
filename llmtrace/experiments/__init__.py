"""Experiments whose every consequence is exact: what if a number were another one, and which numbers change then."""

from llmtrace.experiments.edits import zero
from llmtrace.experiments.recipes import replayed
from llmtrace.experiments.surprise import Surprise
from llmtrace.experiments.what_if import Changes, WhatIf, what_if

__all__ = ["Changes", "Surprise", "WhatIf", "replayed", "what_if", "zero"]
