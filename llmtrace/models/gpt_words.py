"""What the steps of a GPT mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.language_words import LANGUAGE
from llmtrace.trace.legend import Example, Legend, Section, StepKind, StepWords

EMBEDDING = Section(
    N_("Embedding"),
    N_(
        "Every token becomes a row of numbers, its features: a row that the model has learned for the token, plus a row"
        " that it has learned for the place. This row is then carried on from block to block (the residual stream)."
    ),
)
ATTENTION = Section(
    N_("Block {n}: attention"),
    N_(
        "The tokens exchange information. Each asks a question (query), which is compared with the label (key) of itself"
        " and of every earlier token. How well they fit decides what share each has in the sum of what they hand over"
        " (value). This is done several times side by side, with other weights: in several heads."
    ),
    numbered=True,
)
MLP = Section(
    N_("Block {n}: MLP"),
    N_(
        "Each token is worked on by itself: many neurons look for patterns in its features, and what they find is added to"
        " them."
    ),
    numbered=True,
)
NORM = Section(N_("Final norm"), N_("The features of each token are brought to a standard spread once more."))

GPT_LEGEND = Legend(
    {
        "embed.token": StepWords(
            what=N_("what the model has learned about each token"),
            sentence=N_("feature {feature} of what the model has learned about the token {token}"),
            section=EMBEDDING,
            how=N_("rows of a learned table; the token's number says which row"),
        ),
        "embed.position": StepWords(
            what=N_("what the model has learned about each place in a text"),
            sentence=N_("feature {feature} of what the model has learned about place {position} of a text"),
            section=EMBEDDING,
            how=N_("rows of a learned table; the token's place says which row"),
        ),
        "embed": StepWords(
            what=N_("the row of each token, as it enters the first block"),
            sentence=N_("feature {feature} of {token} at place {position}, as it enters the first block"),
            section=EMBEDDING,
            kind=StepKind.ENTRY,
            example=Example.ALWAYS,
        ),
        "embed.dropout": StepWords(
            what=N_("the same, with some left out at random"),
            sentence=N_("feature {feature} of {token} as it enters the first block, or 0: some are left out at random"),
            section=EMBEDDING,
        ),
        "block.{n}.ln_1": StepWords(
            what=N_("the rows, brought to a standard spread before attention"),
            sentence=N_("feature {feature} of {token}, brought to a standard spread (layer norm) before attention"),
            section=ATTENTION,
            example=Example.FIRST,
        ),
        "block.{n}.attn.q": StepWords(
            what=N_("what each token asks (query)"),
            sentence=N_("feature {feature} of the question (query) that {token} asks in head {head}"),
            section=ATTENTION,
        ),
        "block.{n}.attn.k": StepWords(
            what=N_("the label by which each token is found (key)"),
            sentence=N_("feature {feature} of the label (key) by which head {head} finds {token}"),
            section=ATTENTION,
        ),
        "block.{n}.attn.v": StepWords(
            what=N_("what each token hands over (value)"),
            sentence=N_("feature {feature} of what {token} hands over (value) in head {head}"),
            section=ATTENTION,
        ),
        "block.{n}.attn.keys": StepWords(
            what=N_("the labels of all tokens, with those read before"),
            sentence=N_("feature {feature} of the label (key) by which head {head} finds {key}"),
            section=ATTENTION,
        ),
        "block.{n}.attn.values": StepWords(
            what=N_("what all tokens hand over, with those read before"),
            sentence=N_("feature {feature} of what {key} hands over (value) in head {head}"),
            section=ATTENTION,
        ),
        "block.{n}.attn.scores": StepWords(
            what=N_("how well each question fits each label"),
            sentence=N_("how well the question of {query} fits the label of {key}, head {head}"),
            section=ATTENTION,
            kind=StepKind.SCORES,
            example=Example.ALWAYS,
        ),
        "block.{n}.attn.scores.scaled": StepWords(
            what=N_("the same, made smaller or larger, as this model does in each block"),
            sentence=N_("how well the question of {query} fits the label of {key}, head {head}, times one number"),
            section=ATTENTION,
        ),
        "block.{n}.attn.pattern": StepWords(
            what=N_("how much each token looks at each one: shares that add up to 1"),
            sentence=N_("how much {query} looks at {key}, head {head}: a share of 1"),
            section=ATTENTION,
            kind=StepKind.PATTERN,
        ),
        "block.{n}.attn.pattern.dropout": StepWords(
            what=N_("the same, with some left out at random"),
            sentence=N_("how much {query} looks at {key}, head {head}, or 0: some are left out at random"),
            section=ATTENTION,
        ),
        "block.{n}.attn.mix": StepWords(
            what=N_("what each token gathers from the tokens it looks at"),
            sentence=N_("feature {feature} of what {token} gathers from the tokens it looks at, head {head}"),
            section=ATTENTION,
            kind=StepKind.MIX,
        ),
        "block.{n}.attn.out": StepWords(
            what=N_("what attention adds to each row"),
            sentence=N_("feature {feature} of what attention adds to {token}"),
            section=ATTENTION,
        ),
        "block.{n}.attn.dropout": StepWords(
            what=N_("the same, with some left out at random"),
            sentence=N_("feature {feature} of what attention adds to {token}, or 0: some are left out at random"),
            section=ATTENTION,
        ),
        "block.{n}.residual_mid": StepWords(
            what=N_("the rows, after attention has added its part"),
            sentence=N_("feature {feature} of {token} after attention has added its part"),
            section=ATTENTION,
            kind=StepKind.AFTER_ATTENTION,
        ),
        "block.{n}.ln_2": StepWords(
            what=N_("the rows, brought to a standard spread before the MLP"),
            sentence=N_("feature {feature} of {token}, brought to a standard spread (layer norm) before the MLP"),
            section=MLP,
        ),
        "block.{n}.mlp.up": StepWords(
            what=N_("what each neuron receives"),
            sentence=N_("what neuron {feature} of the MLP adds up for {token}, before its activation function"),
            section=MLP,
            kind=StepKind.NEURON_INPUTS,
            example=Example.ALWAYS,
        ),
        "block.{n}.mlp.act": StepWords(
            what=N_("what each neuron says"),
            sentence=N_("how strongly neuron {feature} of the MLP reacts to {token} (its activation)"),
            section=MLP,
            kind=StepKind.NEURONS,
            example=Example.FIRST,
        ),
        "block.{n}.mlp.down": StepWords(
            what=N_("what the MLP adds to each row"),
            sentence=N_("feature {feature} of what the MLP adds to {token}"),
            section=MLP,
        ),
        "block.{n}.mlp.dropout": StepWords(
            what=N_("the same, with some left out at random"),
            sentence=N_("feature {feature} of what the MLP adds to {token}, or 0: some are left out at random"),
            section=MLP,
        ),
        "block.{n}.residual_out": StepWords(
            what=N_("the rows, as they leave this block"),
            sentence=N_("feature {feature} of {token} after this block"),
            section=MLP,
            kind=StepKind.AFTER_MLP,
        ),
        "ln_f": StepWords(
            what=N_("the rows, brought to a standard spread before the scores"),
            sentence=N_("feature {feature} of {token}, brought to a standard spread (layer norm) before the scores"),
            section=NORM,
            kind=StepKind.FINAL_NORM,
        ),
        "block.{n}.attn.keys.past": StepWords(
            sentence=N_("computed when an earlier token was read, and kept in the cache")
        ),
        "block.{n}.attn.values.past": StepWords(
            sentence=N_("computed when an earlier token was read, and kept in the cache")
        ),
    },
    "gpt",
    (LANGUAGE,),
)
