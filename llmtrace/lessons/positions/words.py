"""What the steps of the lesson positions mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.lessons.attention_words import ATTENTION
from llmtrace.models.gpt_words import GPT_LEGEND
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "x": StepWords(sentence=N_("number {feature} of {word}: its own vector, plus that of its place")),
        "angle": StepWords(
            sentence=N_("the angle of place {position} for pair {pair}, the same for a sine and a cosine")
        ),
        "sine": StepWords(sentence=N_("the sine of the angle of place {position}, for pair {pair}")),
        "cosine": StepWords(sentence=N_("the cosine of the angle of place {position}, for pair {pair}")),
        "angle.q": StepWords(sentence=N_("how far place {query} turns, in radians")),
        "angle.k": StepWords(sentence=N_("how far place {key} turns, in radians")),
        "cosine.q": StepWords(sentence=N_("the cosine of as far as place {query} turns")),
        "sine.q": StepWords(sentence=N_("the sine of as far as place {query} turns")),
        "cosine.k": StepWords(sentence=N_("the cosine of as far as place {key} turns")),
        "sine.k": StepWords(sentence=N_("the sine of as far as place {key} turns")),
        "turned.q": StepWords(
            sentence=N_("number {feature} of the query at place {query}, turned as far as this place says")
        ),
        "turned.k": StepWords(
            sentence=N_("number {feature} of the key at place {key}, turned as far as this place says")
        ),
        "turned.product": StepWords(sentence=N_("how well the query at place {query} fits the key at place {key}")),
    },
    bases=(ATTENTION, GPT_LEGEND),
)
