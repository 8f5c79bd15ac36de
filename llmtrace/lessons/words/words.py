"""What the steps of the lesson words mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.nets_words import NETS
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "straight": StepWords(sentence=N_("what comes out for {example}: a weighted sum")),
        "curved": StepWords(sentence=N_("what comes out for {example}, after tanh has bent it")),
        "relu": StepWords(sentence=N_("what ReLU makes of number {input}")),
        "sigmoid": StepWords(sentence=N_("what the sigmoid makes of number {input}")),
        "tanh": StepWords(sentence=N_("what tanh makes of number {input}")),
        "gelu": StepWords(sentence=N_("what GELU makes of number {input}")),
    },
    bases=(NETS,),
    labelled=frozenset({"example"}),
)
