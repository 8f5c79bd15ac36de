"""What the steps that choose a new token mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.trace.legend import Example, Legend, Section, StepWords

CHOICE = Section(
    N_("New token {n}"),
    N_(
        "The scores after one token are divided by the temperature, filtered, and become probabilities; a random number"
        " points at the new token. New tokens are counted from 0."
    ),
    once=True,
)

CHOICES = Legend(
    {
        "choice.{n}.position": StepWords(
            sentence=N_("the place in this run of the token before new token {n}"), section=CHOICE
        ),
        "choice.{n}.logits": StepWords(
            what=N_("the score of every token as the next one"),
            sentence=N_("the score of {vocabulary} as new token {n}"),
            section=CHOICE,
            example=Example.ALWAYS,
        ),
        "choice.{n}.earlier": StepWords(sentence=N_("the number of a token that the text had before new token {n}")),
        "choice.{n}.penalised": StepWords(
            what=N_("the scores, those of tokens that the text has already made worse"),
            sentence=N_("the score of {vocabulary} as new token {n}, made worse where the text has it already"),
            section=CHOICE,
        ),
        "choice.{n}.scaled": StepWords(
            what=N_("the scores, divided by the temperature"),
            sentence=N_("the score of {vocabulary} as new token {n}, divided by the temperature"),
            section=CHOICE,
        ),
        "choice.{n}.top_k": StepWords(
            what=N_("of these, the largest that stay in play"),
            sentence=N_("the score of {vocabulary} as new token {n}, if it is one of the k largest"),
            section=CHOICE,
        ),
        "choice.{n}.top_p": StepWords(
            what=N_("of these, the likeliest that stay in play"),
            sentence=N_(
                "the score of {vocabulary} as new token {n}, if it is one of the largest that together reach p"
            ),
            section=CHOICE,
        ),
        "choice.{n}.probabilities": StepWords(
            what=N_("the scores as probabilities"),
            sentence=N_("the probability of {vocabulary} as new token {n}"),
            section=CHOICE,
            example=Example.ALWAYS,
        ),
        "choice.{n}.number": StepWords(
            sentence=N_("the random number that was drawn for new token {n}"), section=CHOICE
        ),
        "choice.{n}.token": StepWords(
            what=N_("the number of the new token in the vocabulary"),
            sentence=N_("new token {n}: {value}"),
            section=CHOICE,
        ),
    },
    "choices",
)
