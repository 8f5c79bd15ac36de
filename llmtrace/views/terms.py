"""What axes, the letters of formulas and the signs between them are called in the reader's language."""

from __future__ import annotations

from llmtrace.i18n import N_, _

AXES = {
    "batch": N_("batch"),
    "byte": N_("byte"),
    "column": N_("column"),
    "entry": N_("entry"),
    "example": N_("example"),
    "feature": N_("feature"),
    "from": N_("from"),
    "head": N_("head"),
    "in": N_("in"),
    "input": N_("input"),
    "key": N_("key"),
    "neuron": N_("neuron"),
    "number": N_("number"),
    "out": N_("out"),
    "output": N_("output"),
    "parting": N_("parting"),
    "piece": N_("piece"),
    "place": N_("place"),
    "point": N_("point"),
    "position": N_("position"),
    "query": N_("query"),
    "row": N_("row"),
    "score": N_("score"),
    "source": N_("source"),
    "source_key": N_("key in the source"),
    "to": N_("to"),
    "vocabulary": N_("vocabulary"),
    "word": N_("word"),
}
"""What a heading says of an axis. Addresses keep its English name, so other languages say both."""
SENSES = {
    "adam_update|root": N_("adam_update|root"),
    "dropout|rate": N_("dropout|rate"),
    "sample|number": N_("sample|number"),
}
"""Words of one op that mean something else than in others."""
SIGNS = {" · ": N_(" · "), " / ": N_(" / ")}
"""Signs of formulas that other languages may write otherwise."""


def axis_word(axis: str) -> str:
    """An axis in a heading."""
    return _(AXES.get(axis, "")) or axis


def letter_word(letter: str, op: str) -> str:
    """A letter of an op's formula, or the name of a line of its explanation."""
    sense = f"{op}|{letter}"
    said = _(SENSES.get(sense, ""))
    if said and said != sense:
        return said
    return letter if letter in AXES else _(letter)


def formula_words(formula: str, biased: bool = True) -> str:
    """A formula of an op; without its bias, where there is none."""
    said = _(formula)
    if not biased:
        said = said.removesuffix(f" + {_('bias')}")
    for sign, others in SIGNS.items():
        said = said.replace(sign, _(others))
    return said
