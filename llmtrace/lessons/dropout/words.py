"""What the steps of the lesson dropout mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.nets_words import NETS
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "left": StepWords(sentence=N_("{input}, or 0 where it is left out")),
        "neuron": StepWords(sentence=N_("what the first neuron adds up with mask {mask}")),
        "neurons": StepWords(sentence=N_("what the first neuron adds up with all masks, added up")),
        "mean": StepWords(sentence=N_("the average of what the first neuron adds up, over all masks")),
        "halved": StepWords(
            sentence=N_("what the first neuron adds up with all numbers, times the share that is kept")
        ),
        "dropped": StepWords(sentence=N_("{input}: 0 where it is left out, and larger where it is kept")),
        "hidden.1.dropout": StepWords(
            sentence=N_("what neuron {neuron} of layer 1 gives, larger, or 0: some are left out")
        ),
    },
    bases=(NETS,),
    labelled=frozenset({"input"}),
)
