"""What the steps of the lesson embeddings mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.nets_words import NETS
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "letters.ids": StepWords(sentence=N_("the number of the letter at place {place}")),
        "letters.embed": StepWords(
            sentence=N_("number {feature} of the vector of the letter at place {place}, which is looked up in a table")
        ),
        "letters.beside": StepWords(
            sentence=N_("input {feature} of the net: the vectors of all letters are laid side by side")
        ),
        "words.ids": StepWords(sentence=N_("the number of the word that is read in example {example}")),
        "words.embed": StepWords(
            sentence=N_("number {feature} of the point of the word that is read in example {example}")
        ),
        "column.picked": StepWords(sentence=N_("number {feature} of the column that the single 1 picks")),
        "distance.difference": StepWords(sentence=N_("how much two vectors differ in number {number}")),
        "distance.squares": StepWords(sentence=N_("the squares of all differences, added up")),
        "distance": StepWords(sentence=N_("how far two points are from each other")),
    },
    bases=(NETS,),
    labelled=frozenset({"entry", "place"}),
)
