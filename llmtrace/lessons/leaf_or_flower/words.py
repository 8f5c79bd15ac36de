"""What the steps of the lesson leaf-or-flower mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.feedforward_words import FEEDFORWARD
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "one.weight": StepWords(sentence=N_("what {input} counts for {output} when two layers are made one")),
        "one.sum": StepWords(sentence=N_("what output {output} adds up when two layers are made one")),
    },
    bases=(FEEDFORWARD,),
)
