"""What the steps of the lesson llama mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.llama_words import LLAMA_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "hand": StepWords(sentence=N_("number {feature} of the pairs before they are turned")),
        "hand.cosine": StepWords(sentence=N_("the cosine of the angle of pair {pair} at place {place}")),
        "hand.sine": StepWords(sentence=N_("the sine of the angle of pair {pair} at place {place}")),
        "hand.turned": StepWords(sentence=N_("number {feature} of the pairs, turned as far as place {place} says")),
        "row": StepWords(sentence=N_("number {feature} of the row")),
        "row.layer": StepWords(sentence=N_("number {feature} of the row after layer norm")),
        "row.rms": StepWords(sentence=N_("number {feature} of the row after RMS norm")),
    },
    bases=(LLAMA_LEGEND,),
)
