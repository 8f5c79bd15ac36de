"""What the steps of a Transformer mean, in words."""

from __future__ import annotations

from llmtrace.i18n import N_
from llmtrace.trace.legend import Example, Section, StepKind, StepWords

READ = Section(
    N_("Encoder: embedding"),
    N_(
        "The encoder reads the whole source at once. Every token of it becomes a row of numbers, its features: a row that"
        " the model has learned for the token, plus sines and cosines that tell its place."
    ),
)
LOOK = Section(
    N_("Encoder, block {n}: attention"),
    N_(
        "The tokens of the source exchange information. Each asks a question (query), which is compared with the label (key)"
        " of every token, before it and behind it: nothing is hidden. How well they fit decides what share each has in the"
        " sum of what they hand over (value)."
    ),
    once=True,
)
WORK = Section(
    N_("Encoder, block {n}: MLP"),
    N_("Each token of the source is worked on by itself, by many neurons that look for patterns in its features."),
    once=True,
)
WRITE = Section(
    N_("Decoder: embedding"),
    N_(
        "The decoder writes the target, one token after the other. What is written so far, after a start token, becomes rows"
        " of numbers in the same way, out of the same table."
    ),
)
OWN = Section(
    N_("Decoder, block {n}: attention to what is written"),
    N_("Each token of the target looks at itself and at the earlier ones, as in a GPT."),
    numbered=True,
)
CROSS = Section(
    N_("Decoder, block {n}: attention to the source"),
    N_(
        "Here the two halves meet (cross-attention). Each token of the target asks (query), and the tokens of the source, as"
        " the last block of the encoder has left them, answer (key) and hand over (value)."
    ),
    numbered=True,
)
MLP = Section(
    N_("Decoder, block {n}: MLP"),
    N_("Each token of the target is worked on by itself, by many neurons that look for patterns in its features."),
    numbered=True,
)
WITHOUT = N_("the same, with some left out at random")


def embedding_words() -> dict[str, StepWords]:
    """The words for how rows come about, in both halves."""
    read = (
        N_("feature {feature} of what the model has learned about the token {source}"),
        N_("feature {feature} of what the model has learned about {source}, times the root of the width"),
        N_("feature {feature} of {source} as it enters the encoder"),
        N_("feature {feature} of the code of the place of {source}: a sine where that number is even, else a cosine"),
    )
    written = (
        N_("feature {feature} of what the model has learned about the token {token}"),
        N_("feature {feature} of what the model has learned about {token}, times the root of the width"),
        N_("feature {feature} of {token} as it enters the decoder"),
        N_("feature {feature} of the code of the place of {token}: a sine where that number is even, else a cosine"),
    )
    entry = StepKind.ENTRY
    return {**_embedding("encoder.embed", read, READ, None), **_embedding("decoder.embed", written, WRITE, entry)}


def _embedding(
    name: str, sentences: tuple[str, str, str, str], section: Section, kind: StepKind | None
) -> dict[str, StepWords]:
    return {
        f"{name}.token": StepWords(
            what=N_("what the model has learned about each token"),
            sentence=sentences[0],
            section=section,
            how=N_("rows of a learned table; the token's number says which row"),
        ),
        f"{name}.scaled": StepWords(
            what=N_("the same, made larger, so that the codes of the places do not drown it"),
            sentence=sentences[1],
            section=section,
        ),
        name: StepWords(
            what=N_("the row of each token, with the code of its place"),
            sentence=sentences[2],
            section=section,
            kind=kind,
            example=Example.ALWAYS,
        ),
        f"{name}.dropout": StepWords(what=WITHOUT, sentence=sentences[2], section=section),
        f"{name}.position": StepWords(sentence=sentences[3]),
    }


ENCODER = {
    "attn.q": StepWords(
        what=N_("what each token of the source asks (query)"),
        sentence=N_("feature {feature} of the question (query) that {source} asks in head {head}"),
        section=LOOK,
    ),
    "attn.k": StepWords(
        what=N_("the label by which each token of the source is found (key)"),
        sentence=N_("feature {feature} of the label (key) by which head {head} finds {source}"),
        section=LOOK,
    ),
    "attn.v": StepWords(
        what=N_("what each token of the source hands over (value)"),
        sentence=N_("feature {feature} of what {source} hands over (value) in head {head}"),
        section=LOOK,
    ),
    "attn.scores": StepWords(
        what=N_("how well each question fits each label"),
        sentence=N_("how well the question of {source} fits the label of {source_key}, head {head}"),
        section=LOOK,
        kind=StepKind.SCORES,
        example=Example.FIRST,
    ),
    "attn.pattern": StepWords(
        what=N_("how much each token looks at each one: shares that add up to 1"),
        sentence=N_("how much {source} looks at {source_key}, head {head}: a share of 1"),
        section=LOOK,
        kind=StepKind.PATTERN,
    ),
    "attn.mix": StepWords(
        what=N_("what each token gathers from the tokens it looks at"),
        sentence=N_("feature {feature} of what {source} gathers from the tokens it looks at, head {head}"),
        section=LOOK,
        kind=StepKind.MIX,
    ),
    "attn.out": StepWords(
        what=N_("what attention adds to each row"),
        sentence=N_("feature {feature} of what attention adds to {source}"),
        section=LOOK,
    ),
    "attn.dropout": StepWords(
        what=WITHOUT, sentence=N_("feature {feature} of what attention adds to {source}"), section=LOOK
    ),
    "residual_mid": StepWords(
        what=N_("the rows, after attention has added its part"),
        sentence=N_("feature {feature} of {source} after attention has added its part"),
        section=LOOK,
    ),
    "ln_1": StepWords(
        what=N_("the rows, brought to a standard spread after the sum"),
        sentence=N_("feature {feature} of {source}, brought to a standard spread (layer norm) after attention"),
        section=LOOK,
    ),
    "mlp.up": StepWords(
        what=N_("what each neuron receives"),
        sentence=N_("what neuron {feature} of the MLP adds up for {source}, before its activation function"),
        section=WORK,
        kind=StepKind.NEURON_INPUTS,
    ),
    "mlp.act": StepWords(
        what=N_("what each neuron says"),
        sentence=N_("how strongly neuron {feature} of the MLP reacts to {source} (its activation)"),
        section=WORK,
        kind=StepKind.NEURONS,
    ),
    "mlp.down": StepWords(
        what=N_("what the MLP adds to each row"),
        sentence=N_("feature {feature} of what the MLP adds to {source}"),
        section=WORK,
    ),
    "mlp.dropout": StepWords(
        what=WITHOUT, sentence=N_("feature {feature} of what the MLP adds to {source}"), section=WORK
    ),
    "residual_out": StepWords(
        what=N_("the rows, after the MLP has added its part"),
        sentence=N_("feature {feature} of {source} after the MLP has added its part"),
        section=WORK,
    ),
    "ln_2": StepWords(
        what=N_("the rows, as they leave this block: brought to a standard spread once more"),
        sentence=N_("feature {feature} of {source} as it leaves this block, brought to a standard spread (layer norm)"),
        section=WORK,
    ),
}
