"""What the steps of the lesson transformer mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.attention_words import ATTENTION
from llmtrace.models.transformer_legend import TRANSFORMER_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "sum": StepWords(sentence=N_("number {feature} of {word}, after something was added to it")),
        "normed": StepWords(sentence=N_("number {feature} of {word}, after something was added to it and layer norm")),
    },
    bases=(ATTENTION, TRANSFORMER_LEGEND),
)
