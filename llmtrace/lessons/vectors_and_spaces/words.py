"""What the steps of the lesson vectors-and-spaces mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "softmax.shares": StepWords(sentence=N_("the share of 1 that score {score} gets")),
        "row.picked": StepWords(sentence=N_("number {feature} of the row that the single 1 picks")),
        "cosine.dot": StepWords(sentence=N_("the dot product: both vectors multiplied number by number, and added up")),
        "cosine.a.squares": StepWords(sentence=N_("the squares of a vector's numbers, added up")),
        "cosine.b.squares": StepWords(sentence=N_("the squares of a vector's numbers, added up")),
        "cosine.a.length": StepWords(sentence=N_("the length of a vector")),
        "cosine.b.length": StepWords(sentence=N_("the length of a vector")),
        "cosine.lengths": StepWords(sentence=N_("both lengths, multiplied")),
        "cosine": StepWords(sentence=N_("how much two vectors point the same way: from −1 to 1")),
    },
    labelled=frozenset({"input"}),
)
