#!/usr/bin/env python
"""Train the bundled model `storyteller` from nothing: the stories, the tokenizer, the weights, the model card.

    python tools/train_storyteller.py llmtrace/data/storyteller [--work build/storyteller]

Needs llmtrace and nothing else. The same weights come out on every machine and with any number of threads. Interrupted, it
goes on where it was when it is started again.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from storyteller import END, KINDS, Probe, probes, stories

from llmtrace.models import GPT, GPTConfig, Sampling
from llmtrace.ops import by_name
from llmtrace.storage import weights_hash
from llmtrace.training import LanguageTraining, Plan, Settings, TrainingFolder, new_tokenizer

SEED = 2026
STORIES = 400_000
VOCABULARY, CONTEXT, WIDTH, HEADS, BLOCKS = 768, 128, 128, 4, 3
BATCH = 16
SETTINGS = Settings(steps=10_000, rate=3e-3, warmup=200, decay=0.1, seed=SEED)
HELD_OUT = 0.01
REPORT = CHECKPOINT = 500
ASKED = 500
"""Held-out questions of each kind that the model card counts."""
MEASURED = 640
"""Windows of held-out stories on which the model card's loss is measured."""
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
"""What the model card counts as a word: letters, without the signs around them."""
FAR = range(12, 50)
"""Distances in words, from the one that decides to the answer, at which her and him are asked for."""
PROMPT = "The king had a child, a girl."

CARD = """\
# storyteller

A GPT-2 with {parameters:,} parameters that writes simple English stories. It was made to be looked into: small enough to be
traced in a moment, and good enough that its attention has something to do. It is what `llmtrace` uses where no other model is
named.

- **Layout**: GPT-2 of Hugging Face, {blocks} blocks, {heads} heads, width {width}, context {context}, GELU in its tanh form,
  tied head, float32; byte-level BPE with {vocabulary} tokens.
- **Made by** `tools/train_storyteller.py` of llmtrace, by llmtrace itself: {steps:,} steps of AdamW on batches of {batch}
  windows of {context} tokens, each beginning where a story does; seed {seed}; learning rate {rate:g} after {warmup} steps of
  warm-up, falling along a cosine to a tenth; decay {decay:g}; gradients clipped at {clip:g}. The script writes the same weights
  on every machine and with any number of threads: their hash is `{hash}`.
- **Trained on** {stories:,} stories ({tokens:,} tokens) of `storyteller`, which are put together from sentences and words
  chosen at random, with rules that hold over many words: who is a girl or a boy, who has what, how many there are.
- **Loss** in nats per token: {loss:.3f} at the end of training, {validation:.3f} on {windows} windows of the last {held:.0%} of
  the stories, which it was not trained on.
- **Licence**: MIT, like llmtrace.

## What it can do

How often the right word is likelier than the wrong one, on {asked} questions of each kind about pairs (of persons and things,
of animals and places …) that no training story has together:

| kind of story | example | right |
|---|---|---|
{skills}

A kind near 50 % is one that it has not learnt. The first kind asks at distances of {near} to {far} words. {head}

A sample (`llmtrace generate "{prompt}" --temperature 0`):

> {sample}

## What it can't do

It knows about {words:,} different words and no other kind of text; names that it has not seen are pieces to it. It keeps a story
together over some sentences, not over a page, and mixes up things and people now and then. It does not know anything.
"""


def prepare(folder: TrainingFolder) -> None:
    """Writes the stories, learns the tokenizer from a tenth of them, writes the plan."""
    files = {"stories": STORIES, "sample": STORIES // 10}
    for name, count in files.items():
        with (folder.inner / name).open("w", encoding="utf-8") as file:
            file.writelines(story + END for story in stories(SEED, count))
    tokenizer = new_tokenizer([folder.inner / "sample"], VOCABULARY)
    corpus = folder.encode([folder.inner / "stories"], tokenizer, END)
    model = GPTConfig(len(tokenizer), CONTEXT, WIDTH, HEADS, BLOCKS, 4 * WIDTH)
    folder.begin(Plan(model, SETTINGS, corpus, BATCH, HELD_OUT), tokenizer)


def asked(kind: Any, count: int) -> Iterator[Probe]:
    """Questions of one kind."""
    return probes(SEED + 1, count, kind, FAR if kind == "heir" else range(1, 100))


def share_right(model: GPT, kind: Any, count: int) -> float:
    """How often the right word is likelier than the wrong one: by the first token in which they differ."""
    right = 0
    for probe in asked(kind, count):
        space = "" if probe.prompt.endswith("\n") else " "
        prompts = [model.ids(probe.prompt + space + word).tolist() for word in (probe.right, probe.wrong)]
        same = next(i for i, (a, b) in enumerate(zip(*prompts, strict=False)) if a != b)
        scores = model.logits(prompts[0][max(0, same - CONTEXT) : same])[-1]
        right += bool(scores[prompts[0][same]] > scores[prompts[1][same]])
    return right / count


def looks_back(model: GPT, count: int) -> str:
    """Which head looks at the word that decides between her and him, or just behind it, and which head has told those tokens."""
    last, behind, seen = np.zeros((BLOCKS, HEADS)), np.zeros((BLOCKS, HEADS)), 0
    for probe in asked("heir", count):
        trace = model.trace(probe.prompt)
        places = [i for i, text in enumerate(trace.tokens) if text.strip() == probe.decider]
        if not places:
            continue
        place, seen = places[-1], seen + 1
        for block in range(BLOCKS):
            pattern = trace.tensor(f"block.{block}.attn.pattern")
            last[block] += pattern[:, -1, place : place + 3].sum(axis=-1)
            behind[block] += pattern[:, place + 1, place]
    (own, head), (before, other) = (divmod(int(a.argmax()), HEADS) for a in (last, behind))
    return (
        f"Where her or him is about to be chosen, head {head} of block {own} gives {last.max() / seen:.0%} of its attention to"
        f" the word that decides it (girl, boy, son …) and the two tokens behind; to the first of those, head {other} of block"
        f" {before} has brought what that word is, with {behind.max() / seen:.0%} of its own (averages over {seen} stories)."
    )


def card(training: LanguageTraining, losses: tuple[float, float]) -> str:
    """The model card, with figures measured now."""
    model, plan = training.model, training.plan
    rows = []
    for kind in KINDS:
        probe = next(asked(kind, 1))
        example = " ".join(f"{probe.prompt[-70:]} … **{probe.right}**, not {probe.wrong}".split())
        rows.append(f"| {kind} | … {example} | {share_right(model, kind, ASKED):.1%} |")
    words = {word for story in stories(SEED, 20_000) for word in WORD.findall(story.lower())}
    own = by_name(model.weights.values())
    s = plan.settings
    return CARD.format(
        **{"parameters": sum(weight.data.size for weight in own.values()), "vocabulary": plan.model.vocabulary},
        **{"blocks": BLOCKS, "heads": HEADS, "width": WIDTH, "context": CONTEXT, "batch": BATCH, "seed": SEED},
        **{"steps": s.steps, "rate": s.rate, "warmup": s.warmup, "decay": s.decay, "clip": s.clip},
        **{
            "hash": weights_hash(own),
            "stories": STORIES,
            "tokens": plan.corpus.tokens,
            "held": HELD_OUT,
            "asked": ASKED,
        },
        **{
            "loss": losses[0],
            "validation": losses[1],
            "windows": MEASURED,
            "skills": "\n".join(rows),
            "words": len(words),
            "prompt": PROMPT,
        },
        **{"near": FAR.start, "far": FAR.stop - 1, "head": looks_back(model, 100), "sample": sample(model)},
    )


def sample(model: GPT) -> str:
    """What it writes after a prompt."""
    return PROMPT + "".join(choice.text for choice in model.generate(PROMPT, 100, Sampling(0), END)).rstrip()


def main() -> int:
    """Trains, and writes the model with its card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/storyteller"))
    options = parser.parse_args()
    folder = TrainingFolder(options.work)
    with folder.alone():
        if not folder.begun:
            prepare(folder)
        training = LanguageTraining(folder)
        for progress in training.run(REPORT, CHECKPOINT):
            print(
                f"step {progress.step}, loss {progress.loss:.4f}, held out {progress.validation:.4f},"
                f" {progress.tokens_per_second:,.0f} tokens/s, {progress.seconds_left:,.0f} s left",
                flush=True,
            )
    last = folder.last_report()
    options.output.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copy(folder.path / name, options.output / name)
    text = card(training, (last["loss"], training.validation(MEASURED) or np.nan))
    (options.output / "README.md").write_text(text, encoding="utf-8")
    print(weights_hash(by_name(training.model.weights.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
