"""What the steps of the lesson training mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.nets_words import NETS
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "miss.each": StepWords(sentence=N_("how far output {output} is from what is wanted")),
    },
    bases=(NETS,),
)
