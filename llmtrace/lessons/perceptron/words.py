"""What the steps of the lesson perceptron mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.feedforward_words import FEEDFORWARD
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "new.weights": StepWords(sentence=N_("the weight of {input} after one step of learning")),
    },
    bases=(FEEDFORWARD,),
)
