"""What the steps of the lessons' nets mean, in words: the loss, and the probabilities of what comes next."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.feedforward_words import FEEDFORWARD
from llmtrace.trace.legend import Legend, StepWords

NETS = Legend(
    {
        "miss.squared": StepWords(sentence=N_("how far output {output} is from what is wanted, times itself")),
        "miss.total": StepWords(sentence=N_("how far all outputs are from what is wanted, added up")),
        "miss.loss": StepWords(sentence=N_("how wrong the net is: what training makes smaller")),
        "guess.shares": StepWords(sentence=N_("the share of 1 that {output} gets as what comes next")),
        "guess.targets": StepWords(sentence=N_("the number of what really comes next in example {example}")),
        "guess.losses": StepWords(
            sentence=N_("how surprised the net is by what really comes next in example {example}: its loss")
        ),
        "guess.total": StepWords(sentence=N_("the losses of all examples, added up")),
        "guess.loss": StepWords(sentence=N_("the average of the losses of all examples: what training makes smaller")),
    },
    bases=(FEEDFORWARD,),
)
