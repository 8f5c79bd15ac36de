"""What the steps of a Llama mean, in words; those that it shares with GPT-2 have GPT-2's."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.gpt_words import ATTENTION, GPT_LEGEND, MLP, NORM
from llmtrace.trace.legend import Example, Legend, Section, StepKind, StepWords

EMBEDDING = Section(
    N_("Embedding"),
    N_(
        "Every token becomes a row of numbers, its features, which the model has learned for the token. This row is then"
        " carried on from block to block (the residual stream). Its place in the text is not in it: places come into play"
        " where tokens look at each other."
    ),
)

LLAMA_LEGEND = Legend(
    {
        "rotary.cosine": StepWords(
            sentence=N_(
                "the cosine of the angle by which the place of {token} turns pair {pair}: a constant, which nothing learns"
            ),
            kind=StepKind.COSINE,
        ),
        "rotary.sine": StepWords(
            sentence=N_(
                "the sine of the angle by which the place of {token} turns pair {pair}: a constant, which nothing learns"
            ),
            kind=StepKind.SINE,
        ),
        "embed": StepWords(
            what=N_("the row that the model has learned for each token, as it enters the first block"),
            sentence=N_("feature {feature} of what the model has learned about the token {token}"),
            section=EMBEDDING,
            kind=StepKind.ENTRY,
            example=Example.ALWAYS,
            how=N_("rows of a learned table; the token's number says which row"),
        ),
        "block.{n}.ln_1": StepWords(
            what=N_("the rows, brought to a standard size before attention"),
            sentence=N_("feature {feature} of {token}, brought to a standard size (RMS norm) before attention"),
            section=ATTENTION,
            example=Example.FIRST,
        ),
        "block.{n}.attn.q.rotated": StepWords(
            what=N_("the questions, turned by the angles of their places"),
            sentence=N_(
                "feature {feature} of the question (query) of {token} in head {head}, turned by the angle of its place"
            ),
            section=ATTENTION,
            example=Example.FIRST,
        ),
        "block.{n}.attn.k.rotated": StepWords(
            what=N_("the labels, turned by the angles of their places"),
            sentence=N_(
                "feature {feature} of the label (key) of {token} in head {head}, turned by the angle of its place"
            ),
            section=ATTENTION,
        ),
        "block.{n}.attn.k.shared": StepWords(
            what=N_("the labels, once for each head of questions that shares them"),
            sentence=N_(
                "feature {feature} of the label (key) by which head {head} finds {token}, shared with other heads"
            ),
            section=ATTENTION,
        ),
        "block.{n}.attn.v.shared": StepWords(
            what=N_("what is handed over, once for each head that shares it"),
            sentence=N_("feature {feature} of what {token} hands over (value) in head {head}, shared with other heads"),
            section=ATTENTION,
        ),
        "block.{n}.ln_2": StepWords(
            what=N_("the rows, brought to a standard size before the MLP"),
            sentence=N_("feature {feature} of {token}, brought to a standard size (RMS norm) before the MLP"),
            section=MLP,
        ),
        "block.{n}.mlp.gate": StepWords(
            what=N_("what each neuron's gate receives"),
            sentence=N_(
                "what the gate of neuron {feature} of the MLP adds up for {token}, before its activation function"
            ),
            section=MLP,
            kind=StepKind.NEURON_INPUTS,
            example=Example.ALWAYS,
        ),
        "block.{n}.mlp.act": StepWords(
            what=N_("how far each gate is open"),
            sentence=N_("how far the gate of neuron {feature} of the MLP is open for {token}"),
            section=MLP,
            example=Example.FIRST,
        ),
        "block.{n}.mlp.up": StepWords(
            what=N_("what each neuron has to say"),
            sentence=N_("what neuron {feature} of the MLP has to say about {token}, before its gate"),
            section=MLP,
        ),
        "block.{n}.mlp.product": StepWords(
            what=N_("what each neuron says, through its gate"),
            sentence=N_("what neuron {feature} of the MLP says about {token}, through its gate"),
            section=MLP,
            kind=StepKind.NEURONS,
            example=Example.FIRST,
        ),
        "ln_f": StepWords(
            what=N_("the rows, brought to a standard size before the scores"),
            sentence=N_("feature {feature} of {token}, brought to a standard size (RMS norm) before the scores"),
            section=NORM,
            kind=StepKind.FINAL_NORM,
        ),
    },
    "llama",
    (GPT_LEGEND,),
)
