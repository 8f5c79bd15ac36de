"""What the steps of the lesson why-one-by-one mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.generation_words import CHOICES
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "counts": StepWords(sentence=N_("how often {token} came next in the texts")),
        "counted.share": StepWords(sentence=N_("the share of {token} in all that came next")),
    },
    bases=(GPT_LEGEND, CHOICES),
)
