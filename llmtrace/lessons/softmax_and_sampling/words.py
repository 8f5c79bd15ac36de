"""What the steps of the lesson softmax-and-sampling mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.generation_words import CHOICES
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "apart": StepWords(sentence=N_("how far {output} is from what is wanted, without a sign")),
        "apart.total": StepWords(sentence=N_("how far all outputs are from what is wanted, added up")),
        "squashed": StepWords(sentence=N_("score {output}, brought between 0 and 1 by the logistic curve")),
        "pair.shares": StepWords(sentence=N_("the share of {output} among a score and 0")),
        "powers": StepWords(sentence=N_("e to the power of the score of {output}: above 0, whatever the score")),
        "powers.total": StepWords(sentence=N_("all these powers, added up")),
        "ten.shares": StepWords(sentence=N_("the share of {output} among all outputs")),
    },
    bases=(CHOICES, GPT_LEGEND),
    labelled=frozenset({"output", "vocabulary"}),
)
