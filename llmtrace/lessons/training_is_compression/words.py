"""What the steps of the lesson training-is-compression mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.embeddings.words import LEGEND as EMBEDDINGS
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "price.days": StepWords(sentence=N_("all graphics cards, each for all days: in days of one card")),
        "price.hours": StepWords(sentence=N_("the same in hours")),
        "price.hour": StepWords(sentence=N_("what an hour of one card costs, in dollars")),
        "bits.logs": StepWords(sentence=N_("the natural logarithm of probability {place}")),
        "bits.turned": StepWords(sentence=N_("the same without its minus sign")),
        "bits": StepWords(sentence=N_("how many bits something costs that has probability {place}")),
    },
    bases=(EMBEDDINGS, GPT_LEGEND),
)
