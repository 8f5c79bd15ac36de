"""What the steps of a Transformer's decoder mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.models.transformer_words import CROSS, MLP, OWN, WITHOUT
from llmtrace.trace.legend import Example, StepKind, StepWords

DECODER = {
    "attn.q": StepWords(
        what=N_("what each token asks (query)"),
        sentence=N_("feature {feature} of the question (query) that {token} asks in head {head}"),
        section=OWN,
    ),
    "attn.k": StepWords(
        what=N_("the label by which each token is found (key)"),
        sentence=N_("feature {feature} of the label (key) by which head {head} finds {token}"),
        section=OWN,
    ),
    "attn.v": StepWords(
        what=N_("what each token hands over (value)"),
        sentence=N_("feature {feature} of what {token} hands over (value) in head {head}"),
        section=OWN,
    ),
    "attn.keys": StepWords(
        what=N_("the labels of all tokens, with those read before"),
        sentence=N_("feature {feature} of the label (key) by which head {head} finds {key}"),
        section=OWN,
    ),
    "attn.values": StepWords(
        what=N_("what all tokens hand over, with those read before"),
        sentence=N_("feature {feature} of what {key} hands over (value) in head {head}"),
        section=OWN,
    ),
    "attn.scores": StepWords(
        what=N_("how well each question fits each label"),
        sentence=N_("how well the question of {query} fits the label of {key}, head {head}"),
        section=OWN,
        kind=StepKind.SCORES,
    ),
    "attn.pattern": StepWords(
        what=N_("how much each token looks at each one: shares that add up to 1"),
        sentence=N_("how much {query} looks at {key}, head {head}: a share of 1"),
        section=OWN,
        kind=StepKind.PATTERN,
    ),
    "attn.mix": StepWords(
        what=N_("what each token gathers from the tokens it looks at"),
        sentence=N_("feature {feature} of what {token} gathers from the tokens it looks at, head {head}"),
        section=OWN,
        kind=StepKind.MIX,
    ),
    "attn.out": StepWords(
        what=N_("what attention adds to each row"),
        sentence=N_("feature {feature} of what attention adds to {token}"),
        section=OWN,
    ),
    "attn.dropout": StepWords(
        what=WITHOUT, sentence=N_("feature {feature} of what attention adds to {token}"), section=OWN
    ),
    "residual_attn": StepWords(
        what=N_("the rows, after attention has added its part"),
        sentence=N_("feature {feature} of {token} after attention has added its part"),
        section=OWN,
        kind=StepKind.ATTENTION_SUM,
    ),
    "ln_1": StepWords(
        what=N_("the rows, brought to a standard spread after the sum"),
        sentence=N_("feature {feature} of {token}, brought to a standard spread (layer norm) after attention"),
        section=OWN,
    ),
    "cross.q": StepWords(
        what=N_("what each token of the target asks the source (query)"),
        sentence=N_("feature {feature} of the question (query) that {token} asks the source in head {head}"),
        section=CROSS,
    ),
    "cross.k": StepWords(
        what=N_("the label by which each token of the source is found (key)"),
        sentence=N_("feature {feature} of the label (key) by which head {head} finds {source} in the source"),
        section=CROSS,
    ),
    "cross.v": StepWords(
        what=N_("what each token of the source hands over (value)"),
        sentence=N_("feature {feature} of what {source}, in the source, hands over (value) in head {head}"),
        section=CROSS,
    ),
    "cross.scores": StepWords(
        what=N_("how well each question fits each label of the source"),
        sentence=N_("how well the question of {query} fits the label of {source} in the source, head {head}"),
        section=CROSS,
        kind=StepKind.SCORES,
        example=Example.ALWAYS,
    ),
    "cross.pattern": StepWords(
        what=N_("how much each token of the target looks at each one of the source: shares that add up to 1"),
        sentence=N_("how much {query} looks at {source} in the source, head {head}: a share of 1"),
        section=CROSS,
        kind=StepKind.CROSS_PATTERN,
    ),
    "cross.mix": StepWords(
        what=N_("what each token of the target gathers from the source"),
        sentence=N_("feature {feature} of what {token} gathers from the source, head {head}"),
        section=CROSS,
        kind=StepKind.MIX,
    ),
    "cross.out": StepWords(
        what=N_("what attention to the source adds to each row"),
        sentence=N_("feature {feature} of what attention to the source adds to {token}"),
        section=CROSS,
    ),
    "cross.dropout": StepWords(
        what=WITHOUT,
        sentence=N_("feature {feature} of what attention to the source adds to {token}"),
        section=CROSS,
    ),
    "residual_cross": StepWords(
        what=N_("the rows, after attention to the source has added its part"),
        sentence=N_("feature {feature} of {token} after attention to the source has added its part"),
        section=CROSS,
        kind=StepKind.CROSS_SUM,
    ),
    "ln_2": StepWords(
        what=N_("the rows, brought to a standard spread after the sum"),
        sentence=N_(
            "feature {feature} of {token}, brought to a standard spread (layer norm) after attention to the source"
        ),
        section=CROSS,
    ),
    "mlp.up": StepWords(
        what=N_("what each neuron receives"),
        sentence=N_("what neuron {feature} of the MLP adds up for {token}, before its activation function"),
        section=MLP,
        kind=StepKind.NEURON_INPUTS,
        example=Example.ALWAYS,
    ),
    "mlp.act": StepWords(
        what=N_("what each neuron says"),
        sentence=N_("how strongly neuron {feature} of the MLP reacts to {token} (its activation)"),
        section=MLP,
        kind=StepKind.NEURONS,
    ),
    "mlp.down": StepWords(
        what=N_("what the MLP adds to each row"),
        sentence=N_("feature {feature} of what the MLP adds to {token}"),
        section=MLP,
    ),
    "mlp.dropout": StepWords(
        what=WITHOUT, sentence=N_("feature {feature} of what the MLP adds to {token}"), section=MLP
    ),
    "residual_out": StepWords(
        what=N_("the rows, after the MLP has added its part"),
        sentence=N_("feature {feature} of {token} after the MLP has added its part"),
        section=MLP,
        kind=StepKind.MLP_SUM,
    ),
    "ln_3": StepWords(
        what=N_("the rows, as they leave this block: brought to a standard spread once more"),
        sentence=N_("feature {feature} of {token} as it leaves this block, brought to a standard spread (layer norm)"),
        section=MLP,
        kind=StepKind.BLOCK_END,
    ),
    "attn.keys.past": StepWords(sentence=N_("computed when an earlier token was read, and kept in the cache")),
    "attn.values.past": StepWords(sentence=N_("computed when an earlier token was read, and kept in the cache")),
}
