"""What the steps of the lesson tokenizers mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.transformer_legend import TRANSFORMER_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "pair.count": StepWords(
            sentence=N_(
                "how often the pair {output} occurs in the text: in each word so often, times how often the word occurs"
            )
        ),
        "character.rest": StepWords(sentence=N_("what is left of byte {byte} without its mark")),
        "character.number": StepWords(
            sentence=N_("the number of {output} among all characters, put together from its bytes")
        ),
        "parting.logs": StepWords(sentence=N_("the logarithm of the probability of the piece {piece}")),
        "parting.score": StepWords(
            sentence=N_("the score of this parting: the logarithms of its pieces' probabilities, added up")
        ),
        "expected.logs": StepWords(
            sentence=N_("the logarithm of the probability of the piece {piece}, by the first guess")
        ),
        "expected.scores": StepWords(
            sentence=N_("the score of the parting {parting}: the logarithms of its pieces' probabilities, added up")
        ),
        "expected.shares": StepWords(
            sentence=N_(
                "the share of 1 that the parting {parting} gets: how probable it is among all partings of the word"
            )
        ),
        "expected.counts": StepWords(
            sentence=N_(
                "how often the piece {piece} is expected in the word: in each parting so often, times its share"
            )
        ),
    },
    bases=(TRANSFORMER_LEGEND,),
    labelled=frozenset({"input", "output", "piece", "parting"}),
)
