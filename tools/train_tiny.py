#!/usr/bin/env python
"""Train the bundled paper-size model `tiny` from nothing: the sentences, the words, the weights, the model card.

    python tools/train_tiny.py llmtrace/data/tiny [--work build/tiny]

Needs llmtrace and nothing else. The same weights come out on every machine and with any number of threads. Interrupted, it
goes on where it was when it is started again.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from bundling import hash_of, make, numbers_of

from llmtrace.models import GPTConfig
from llmtrace.ops.elementwise.log import log
from llmtrace.rng import Chance
from llmtrace.tokenizers import UnigramTokenizer
from llmtrace.tokenizers.byte_symbols import SPACE
from llmtrace.training import LanguageTraining, Plan, Settings, TrainingFolder

SEED = 2026
CONTEXT, WIDTH, HEADS, BLOCKS, HIDDEN = 12, 8, 2, 1, 16
BATCH = 16
SETTINGS = Settings(steps=1_500, rate=3e-2, warmup=50, decay=0.0, seed=4)
"""Other seeds leave ring and hat, or her and him, at one half each: one block of this width is just enough."""
END = "\n"
TEXTS = 4_000
SENTENCES = (
    "the king has a girl and gives her a ring.",
    "the king has a boy and gives him a ring.",
    "the queen has a girl and gives her a hat.",
    "the queen has a boy and gives him a hat.",
    "humpty dumpty sat on a wall.",
    "humpty dumpty had a great fall.",
    "the cat sat on the mat.",
    "the dog sat on the rug.",
)
ASKED = (
    ("the king has a girl and gives", "her"),
    ("the king has a boy and gives", "him"),
    ("the queen has a girl and gives", "her"),
    ("the queen has a boy and gives", "him"),
    ("the king has a girl and gives her a", "ring"),
    ("the king has a boy and gives him a", "ring"),
    ("the queen has a girl and gives her a", "hat"),
    ("the queen has a boy and gives him a", "hat"),
    ("humpty dumpty sat on a", "wall"),
    ("humpty dumpty had a great", "fall"),
    ("the cat sat on the", "mat"),
    ("the dog sat on the", "rug"),
)
"""Beginnings whose next word is certain; in most of them, a word further back decides."""

CARD = """\
# tiny

A GPT-2 with {parameters:,} parameters, small enough to be computed on paper: one block, and {vocabulary} whole words as
tokens. It knows eight sentences.

- **Layout**: GPT-2 of Hugging Face, {blocks} block, {heads} heads, width {width}, {hidden} neurons, context {context}, GELU in
  its tanh form, tied head, float32; each word is a token.
- **Made by** `tools/train_tiny.py` of llmtrace, by llmtrace itself: {steps:,} steps of AdamW on batches of {batch} sentences;
  seed {seed}; learning rate {rate:g} after {warmup} steps of warm-up, falling along a cosine to a tenth; decay {decay:g};
  gradients clipped at {clip:g}. The script writes the same weights on every machine and with any number of threads: their hash
  is `{hash}`.
- **Trained on** these sentences, {texts:,} times one of them at random:

{sentences}

- **Loss** in nats per token at the end of training: {loss:.3f}. It can't reach 0: nothing says whether a king or a queen comes.
- **Licence**: MIT, like llmtrace.

## What it can do

Where the next word is certain, it says it; how probable it holds it to be:

| after | comes | probability |
|---|---|---|
{skills}

## What it can't do

Anything else. A word that is not in its sentences is refused.
"""


def tokenizer() -> UnigramTokenizer:
    """Each word with the space before it; the full stop and the end of a sentence stand alone."""
    words = Counter(SPACE + word for word in " ".join(SENTENCES).replace(".", "").split())
    counts = {END: len(SENTENCES), ".": len(SENTENCES), **words}
    scores = log.forward(np.array(list(counts.values()), np.float64) / (words.total() + 2 * len(SENTENCES)))
    return UnigramTokenizer(list(zip(counts, scores.tolist(), strict=True)), adds_space=True)


def prepare(folder: TrainingFolder) -> None:
    """Writes the sentences in a random order, and the plan."""
    folder.make()
    chance, path = Chance(SEED), folder.inner / "sentences"
    path.write_text("".join(chance.choice(SENTENCES) + END for _number in range(TEXTS)), encoding="utf-8")
    words = tokenizer()
    corpus = folder.encode([path], words, END)
    model = GPTConfig(len(words), CONTEXT, WIDTH, HEADS, BLOCKS, HIDDEN)
    folder.begin(Plan(model, SETTINGS, corpus, BATCH, 0.0), words)


def card(training: LanguageTraining, losses: tuple[float, float]) -> str:
    """The model card, with figures measured now."""
    model, plan, skills = training.model, training.plan, []
    for prompt, word in ASKED:
        given = model.trace(prompt).tensor("probabilities")[-1]
        best = model.token_text(int(given.argmax())).strip()
        share = float(given[model.ids(f"{prompt} {word}")[-1]])
        skills.append(f"| {prompt} | {best}{'' if best == word else f', not {word}'} | {share:.1%} |")
    s = plan.settings
    return CARD.format(
        **{"parameters": numbers_of(training), "vocabulary": plan.model.vocabulary, "blocks": BLOCKS, "heads": HEADS},
        **{"width": WIDTH, "hidden": HIDDEN, "context": CONTEXT, "batch": BATCH, "seed": s.seed, "steps": s.steps},
        **{"rate": s.rate, "warmup": s.warmup, "decay": s.decay, "clip": s.clip, "hash": hash_of(training)},
        **{"texts": TEXTS, "sentences": "\n".join(f"  * {text}" for text in SENTENCES), "loss": losses[0]},
        skills="\n".join(skills),
    )


if __name__ == "__main__":
    sys.exit(make(__doc__, Path("build/tiny"), prepare, card))
