"""What the steps of the lesson multi-head-attention mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "heads.q": StepWords(sentence=N_("number {feature} of what {word} asks (query) in head {head}")),
        "heads.k": StepWords(sentence=N_("number {feature} of the label (key) by which head {head} finds {word}")),
        "heads.v": StepWords(sentence=N_("number {feature} of what {word} hands over (value) in head {head}")),
        "heads.scores": StepWords(
            sentence=N_("how well the question of {asking} fits the label of {asked} in head {head}")
        ),
        "heads.shares": StepWords(sentence=N_("how much {asking} looks at {asked} in head {head}: a share of 1")),
        "heads.mix": StepWords(sentence=N_("number {feature} of what {word} gathers in head {head}")),
        "heads.beside": StepWords(
            sentence=N_("number {feature} of {word}: what all heads have gathered, side by side")
        ),
        "heads.out": StepWords(
            sentence=N_("number {feature} of {word} after the output matrix, which mixes the heads")
        ),
        "shared.v": StepWords(sentence=N_("number {feature} of the value of {word} that all heads share")),
        "extra.v": StepWords(sentence=N_("number {feature} of the head's own value of {word}, made of the shared one")),
        "one.weight": StepWords(sentence=N_("both matrices as one: row {from}, column {feature}")),
        "own.v": StepWords(sentence=N_("number {feature} of the head's value of {word}, made with one matrix")),
    },
    bases=(GPT_LEGEND,),
    labelled=frozenset({"word", "asking", "asked"}),
)
