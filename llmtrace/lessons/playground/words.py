"""What the steps of the lesson playground mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.nets_words import NETS
from llmtrace.trace.legend import Legend, StepWords

PRODUCT = StepWords(sentence=N_("a feature of point {example}: two of its coordinates, or one and itself, multiplied"))

LEGEND = Legend({f"point.{feature}.product": PRODUCT for feature in ("x1^2", "x2^2", "x1x2")}, bases=(NETS,))
