"""What the steps of the lesson layer-normalisation mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.nets_words import NETS
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "above": StepWords(sentence=N_("by how much mark {place} is above the smallest")),
        "between": StepWords(sentence=N_("mark {place}, brought between 0 and 1")),
        "normal": StepWords(sentence=N_("how many deviations mark {place} is above the mean")),
        "scaled": StepWords(sentence=N_("mark {place}: standardised, times its gain, plus its shift")),
        "shares": StepWords(sentence=N_("the share that softmax gives to mark {place}")),
        "hidden.{n}.norm": StepWords(
            sentence=N_(
                "the sum of neuron {neuron} of layer {n}, brought to mean 0 and deviation 1 with those beside it"
            )
        ),
    },
    bases=(NETS, GPT_LEGEND),
)
