"""What the steps of the lesson gpt mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "bent.relu": StepWords(sentence=N_("what ReLU makes of number {input}")),
        "bent.gelu": StepWords(sentence=N_("what GELU makes of number {input}")),
        "alone.up": StepWords(sentence=N_("what neuron {feature} of the MLP adds up for the last token alone")),
        "alone.act": StepWords(sentence=N_("how strongly neuron {feature} of the MLP reacts to the last token alone")),
        "alone.down": StepWords(
            sentence=N_("feature {feature} of what the MLP adds to the last token, which it saw alone")
        ),
        "after.{n}.norm": StepWords(
            sentence=N_("feature {feature} of the last token after part {n}, brought to a standard")
        ),
        "after.{n}.scores": StepWords(sentence=N_("the score of {vocabulary} if the model ended after part {n}")),
        "after.{n}.shares": StepWords(sentence=N_("the probability of {vocabulary} if the model ended after part {n}")),
    },
    bases=(GPT_LEGEND,),
    labelled=frozenset({"vocabulary"}),
)
