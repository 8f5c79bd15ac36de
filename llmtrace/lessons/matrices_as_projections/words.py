"""What the steps of the lesson matrices-as-projections mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.feedforward_words import FEEDFORWARD
from llmtrace.trace.legend import Legend, StepWords

LEGEND = Legend(
    {
        "product": StepWords(
            sentence=N_("row {row} of the first matrix times column {column} of the second, added up")
        ),
        "stacked.product": StepWords(
            sentence=N_("row {row} of the square matrix times column {column} of the wide one, added up")
        ),
        "turned.rows": StepWords(
            sentence=N_("number {number} of the point {point} after it has been turned: its row times the matrix")
        ),
        "turned.columns": StepWords(
            sentence=N_("number {number} of the point {point}, written as a column: the matrix times that column")
        ),
        "shadow.flat": StepWords(sentence=N_("number {number} of the shadow of the point {point}")),
        "shadow.back": StepWords(
            sentence=N_("number {to} of what the matrix on its side makes of the shadow of {point}")
        ),
        "word.table": StepWords(
            sentence=N_("number {feature} of row {entry} of the table: drawn at random here, not learned")
        ),
        "word.vector": StepWords(sentence=N_("number {feature} of the row of the table that the token picks")),
        "word.scores": StepWords(
            sentence=N_("the score of entry {entry}: its row of the table times the vector, added up")
        ),
    },
    bases=(FEEDFORWARD,),
)
