"""The card of the model `translator`, with figures measured now."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from llmtrace.models import GPT, Sampling, Transformer
from llmtrace.ops import by_name
from llmtrace.storage import weights_hash
from llmtrace.training import Settings
from translator import HELD, Pair

ASKED = 1000
"""Sentences of each kind that are translated."""

CARD = """\
# translator

A Transformer as in "Attention Is All You Need" (Vaswani et al. 2017) with {parameters:,} parameters that translates simple German
sentences to English. It was made to be looked into: `llmtrace trace --model translator "Wo wohnst du?"`.

- **Layout**: encoder and decoder of {blocks} blocks each, {heads} heads, width {width}, MLP {hidden}, ReLU, layer norm after
  every sum, sines and cosines for places, one table of {vocabulary} tokens (whole words of both languages) for source, target
  and scores; float32. The tensors are named as PyTorch's `nn.Transformer` names them.
- **Made by** `tools/train_translator.py` of llmtrace, by llmtrace itself: {steps:,} steps of AdamW on batches of {batch} pairs;
  seed {seed}; learning rate {rate:g} after {warmup} steps of warm-up, falling along a cosine to a tenth; decay {decay:g}. The
  script writes the same weights on every machine and with any number of threads: their hash is `{hash}`.
- **Trained on** {trained:,} pairs of sentences, put together from words at random by rules. One in {held} pairs of words that
  could stand together (a verb with a thing, a place or a subject) never does so there.
- **Licence**: MIT, like llmtrace.

## What it can do

Translations that are right to the last sign, of {asked:,} sentences each:

| sentences | translator | one GPT of {joined:,} parameters |
|---|---|---|
| trained on | {known:.1%} | {joined_known:.1%} |
| held out: with pairs of words never seen together | {unknown:.1%} | {joined_unknown:.1%} |
| the same, behind another pair of sentences | {unknown:.1%} | {joined_behind:.1%} |

The GPT is for comparison, and not here: a decoder of {joined_blocks} blocks, trained with as many steps on the same pairs, each
as one text, "Wo wohnst du? <start> Where do you live? <end>". It has to learn German as well, and what the separator means, and
it counts places from where its text begins: behind another pair it finds the same sentence at places where it has never seen
one. For the translator, a source begins at place 0, and stays in full view however long the translation gets.

| German | English |
|---|---|
{examples}

## What it can't do

It knows {words} words and nothing else; another word is refused. It has never seen a sentence of more than {longest} tokens. It
does not know what anything means.
"""
FIRST = Pair("Wer lacht?", "Who laughs?", False)
"""The pair that stands before, where there is one."""
EXAMPLES = (
    "Wo wohnst du?",
    "Mein Bruder will heute einen roten Ball kaufen.",
    "Morgen arbeitet sie in Berlin.",
    "Warum trinken sie keinen Tee?",
    "Sucht ihr das alte Buch?",
)


def joined_answer(model: GPT, before: list[int], german: str, start: int) -> str:
    """What the GPT writes behind a sentence and the separator."""
    ids = [*before, *model.ids(german).tolist(), start]
    written = model.generate(ids, max(1, model.config.context - len(ids)), Sampling(0))
    return model.text([choice.id for choice in written if not written.ended]).strip()


def share_right(answer: Callable[[str], str], pairs: list[Pair]) -> float:
    """How many translations are exactly right."""
    wrong = [(pair, said) for pair in pairs if (said := answer(pair.german)) != pair.english]
    for pair, said in wrong[:10]:
        print(f"{pair.german} → {said} (not {pair.english})", flush=True)
    return 1 - len(wrong) / len(pairs)


def card(model: Transformer, joined: GPT, sentences: list[Pair], settings: Settings, batch: int, seed: int) -> str:
    """The model card."""
    trained, held = ([pair for pair in sentences if pair.held is kind] for kind in (False, True))
    known, unknown = trained[:ASKED], held[:ASKED]
    own, c = by_name(model.weights.values()), model.config
    tokenizer = model.tokenizer
    assert tokenizer is not None
    assert model.ends is not None
    first = [*tokenizer.encode(FIRST.german), c.start, *tokenizer.encode(FIRST.english), *model.ends]
    behind = partial(joined_answer, joined, first, start=c.start)
    alone = partial(joined_answer, joined, [], start=c.start)
    return CARD.format(
        **{"parameters": sum(weight.data.size for weight in own.values()), "vocabulary": c.vocabulary},
        **{"blocks": c.blocks, "heads": c.heads, "width": c.width, "hidden": c.hidden, "words": c.vocabulary - 5},
        **{"steps": settings.steps, "batch": batch, "seed": seed, "rate": settings.rate, "warmup": settings.warmup},
        **{"decay": settings.decay, "hash": weights_hash(own), "trained": len(trained), "held": HELD, "asked": ASKED},
        known=share_right(model.answer, known),
        unknown=share_right(model.answer, unknown),
        joined=sum(weight.data.size for weight in by_name(joined.weights.values()).values()),
        joined_blocks=joined.config.blocks,
        joined_known=share_right(alone, known),
        joined_unknown=share_right(alone, unknown),
        joined_behind=share_right(behind, unknown),
        examples="\n".join(f"| {text} | {model.answer(text)} |" for text in EXAMPLES),
        longest=max(len(tokenizer.encode(pair.german)) for pair in trained),
    )
