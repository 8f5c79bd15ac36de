"""What the steps of every language model mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.generation_words import CHOICES
from llmtrace.trace.legend import Example, Legend, Section, StepKind, StepWords

SCORES = Section(
    N_("Scores"), N_("The features of each token are compared with what the model has learned for each token it knows.")
)
LOSS = Section(
    N_("Loss"),
    N_(
        "The scores are compared with the tokens that really follow: the loss is large where the model thought them unlikely."
    ),
)
NEXT = Section(
    N_("Next token"),
    N_("The scores become probabilities that add up to 1. The largest tells the most likely next token."),
)

LANGUAGE = Legend(
    {
        "tokens": StepWords(sentence=N_("the number of the token {token} in the vocabulary")),
        "positions": StepWords(sentence=N_("the place of {token} in the text, counted from 0")),
        "logits": StepWords(
            what=N_("the score of every token as the next one"),
            sentence=N_("the score of {vocabulary} as the token after {token}"),
            section=SCORES,
            kind=StepKind.LOGITS,
            example=Example.ALWAYS,
        ),
        "probabilities": StepWords(
            what=N_("the scores as probabilities"),
            sentence=N_("the probability of {vocabulary} as the token after {token}"),
            section=NEXT,
            kind=StepKind.PROBABILITIES,
            example=Example.ALWAYS,
        ),
        "next_token": StepWords(
            what=N_("the most likely next token"),
            sentence=N_("the token that most likely follows {token}: {value}"),
            section=NEXT,
            kind=StepKind.NEXT_TOKEN,
        ),
        "targets": StepWords(sentence=N_("the number, in the vocabulary, of the token that really follows {token}")),
        "losses": StepWords(
            what=N_("how surprised the model is by each token that really follows"),
            sentence=N_(
                "how surprised the model is by the token that really follows {token}, which is {target}: its loss"
            ),
            section=LOSS,
            example=Example.ALWAYS,
        ),
        "losses.total": StepWords(
            what=N_("all these losses added up"),
            sentence=N_("how surprised the model is by all the tokens of the batch together: the sum of their losses"),
            section=LOSS,
        ),
        "loss": StepWords(
            what=N_("their mean: what training makes smaller"),
            sentence=N_("how surprised the model is by a token of the batch, on average: what training makes smaller"),
            section=LOSS,
        ),
        "surprise.earlier": StepWords(sentence=N_("the losses of all earlier windows of the text, added up")),
        "surprise.total": StepWords(
            what=N_("the losses of the whole text, added up"),
            sentence=N_("how surprised the model is by the text up to here: the sum of the losses of its tokens"),
            section=LOSS,
        ),
        "surprise.mean": StepWords(
            what=N_("their mean"),
            sentence=N_("how surprised the model is by a token of the text, on average"),
            section=LOSS,
        ),
        "surprise.perplexity": StepWords(
            what=N_("e to the power of this mean"),
            sentence=N_(
                "the perplexity: the model was as unsure as if it had to choose, each time, among so many tokens that are"
                " all equally likely"
            ),
            section=LOSS,
        ),
    },
    "language",
    (CHOICES,),
)
