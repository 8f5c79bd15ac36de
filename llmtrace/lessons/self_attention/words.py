"""What the steps of the lesson self-attention mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.attention_words import ATTENTION
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "mixed": StepWords(sentence=N_("number {feature} of the mixture of the words: each counts with its share")),
        "letter": StepWords(sentence=N_("number {feature} of the vector of {word}")),
        "known": StepWords(sentence=N_("number {feature} of the vector of the place at which {word} stands")),
        "x": StepWords(sentence=N_("number {feature} of the vector of {word} and that of its place, added up")),
        "gathered": StepWords(sentence=N_("number {feature} of {word}, after it has gathered what it needs")),
        "output": StepWords(sentence=N_("the score of {output} as the right one where {word} stands")),
    },
    bases=(ATTENTION, GPT_LEGEND),
)
