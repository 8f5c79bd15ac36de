"""What the steps of the lessons' small attention mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.trace.legend import Legend, StepWords

ATTENTION = Legend(
    {
        "q": StepWords(sentence=N_("number {feature} of what {word} asks (query)")),
        "k": StepWords(sentence=N_("number {feature} of the label (key) by which {word} is found")),
        "v": StepWords(sentence=N_("number {feature} of what {word} hands over (value)")),
        "k.other": StepWords(sentence=N_("number {feature} of the label (key) by which {asked} is found")),
        "v.other": StepWords(sentence=N_("number {feature} of what {asked} hands over (value)")),
        "products": StepWords(sentence=N_("how well the question of {asking} fits the label of {asked}")),
        "scores": StepWords(
            sentence=N_(
                "how well the question of {asking} fits the label of {asked}, whatever the length of the vectors"
            )
        ),
        "shares": StepWords(sentence=N_("how much {asking} looks at {asked}: a share of 1")),
        "mix": StepWords(sentence=N_("number {feature} of what {asking} gathers from the words it looks at")),
    },
    labelled=frozenset({"word", "asking", "asked"}),
)
