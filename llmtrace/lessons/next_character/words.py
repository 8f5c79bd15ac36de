"""What the steps of the lesson next-character mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.nets_words import NETS
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "loss": StepWords(
            sentence=N_("how surprised the model is by a token of the batch, on average: what training makes smaller")
        ),
    },
    bases=(NETS,),
)
