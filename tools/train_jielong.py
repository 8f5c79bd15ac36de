#!/usr/bin/env python
"""Train the bundled Chinese model `jielong` from nothing: the sentences, the tokenizer, the weights, the model card.

    python tools/train_jielong.py llmtrace/data/jielong [--work build/jielong]

Needs llmtrace and nothing else. The same weights come out on every machine and with any number of threads. Interrupted, it
goes on where it was when it is started again.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bundling import hash_of, make, numbers_of
from jielong import END, KINDS, joined, probes, sentences

from llmtrace.models import GPT, GPTConfig, LanguageModel, Sampling
from llmtrace.tokenizers import UnigramTokenizer, train_unigram
from llmtrace.tokenizers.unigram import BYTES
from llmtrace.training import LanguageTraining, Plan, Settings, TrainingFolder

SEED = 2026
SENTENCES = 60_000
VOCABULARY, CONTEXT, WIDTH, HEADS, BLOCKS, HIDDEN = 1000, 32, 96, 4, 2, 384
BATCH = 16
SETTINGS = Settings(steps=8_000, rate=3e-3, warmup=100, decay=0.1, seed=SEED)
HELD_OUT = 0.02
MEASURED = 640
"""Windows of held-out texts on which the model card's loss is measured."""
ASKED = 300
"""Held-out questions of each kind that the model card counts."""
PROMPTS = ("中华人民", "中华人民共和国", "中华人民共和国成立于")
BEGINNINGS = (*PROMPTS, "中华", "我", "我爱", "我爱吃", "我爱喝", "床前", "接龙：", "画蛇", "你是", "小明", "小明有")
"""What the lesson why-one-by-one can be given, with its counts."""

CARD = """\
# jielong

接龙: a GPT-2 with {parameters:,} parameters that writes simple Chinese sentences, one word after another. It is what `llmtrace`
uses where it speaks Chinese and no other model is named.

- **Layout**: GPT-2 of Hugging Face, {blocks} blocks, {heads} heads, width {width}, context {context}, GELU in its tanh form,
  tied head, float32; a unigram tokenizer with {vocabulary} tokens, words and characters.
- **Made by** `tools/train_jielong.py` of llmtrace, by llmtrace itself: {steps:,} steps of AdamW on batches of {batch} windows of
  {context} tokens, each beginning where a text does; seed {seed}; learning rate {rate:g} after {warmup} steps of warm-up, falling
  along a cosine to a tenth; decay {decay:g}; gradients clipped at {clip:g}. The script writes the same weights on every machine
  and with any number of threads: their hash is `{hash}`.
- **Trained on** {texts:,} short texts ({tokens:,} tokens) of `tools/jielong`, which are put together from words chosen at random,
  and four poems of the Tang dynasty. The tokenizer has learnt from the same texts, with their words set apart.
- **Loss** in nats per token: {loss:.3f} at the end of training, {validation:.3f} on {windows} windows of the last {held:.0%} of
  the texts, which it was not trained on.
- **Licence**: MIT, like llmtrace.

## Counted and learnt

What follows in the texts that it was trained on, and the probability that it gives the same token:

| after | comes | in the texts | model |
|---|---|---|---|
{shares}

## What it can do

How often the right word is likelier than the wrong one, on {asked} questions of each kind about pairs of words that no training
text has together:

| kind of text | example | right |
|---|---|---|
{skills}

A sample (`llmtrace generate --model jielong 中华人民 --temperature 0`):

> {sample}

## What it can't do

It knows {characters} characters and no other text: a prompt with any other is refused, with a line that names it. It knows the
countries, poems and words of its texts, and nothing else.
"""


def tokenizer_of(texts: list[str]) -> UnigramTokenizer:
    """Learnt from the texts with each word on a line of its own; without the bytes, which would cut an unknown character."""
    learned = train_unigram((text.replace(" ", "\n") + END for text in texts), VOCABULARY).tokenizer
    return UnigramTokenizer([entry for entry in learned.entries[1:] if entry[0] not in BYTES])


def prepare(folder: TrainingFolder) -> None:
    """Writes the texts, learns the tokenizer, writes the plan."""
    folder.make()
    texts = list(sentences(SEED, SENTENCES))
    path = folder.inner / "sentences"
    path.write_text("".join(joined(text) + END for text in texts), encoding="utf-8")
    tokenizer = tokenizer_of(texts[: SENTENCES // 10])
    corpus = folder.encode([path], tokenizer, END)
    model = GPTConfig(len(tokenizer), CONTEXT, WIDTH, HEADS, BLOCKS, HIDDEN)
    folder.begin(Plan(model, SETTINGS, corpus, BATCH, HELD_OUT), tokenizer)


def share_right(model: LanguageModel, kind: str) -> float:
    """How often the right word is likelier than the wrong one: by the first token in which they differ."""
    right = 0
    for probe in probes(SEED + 1, ASKED, kind):
        ways = [model.ids(probe.prompt + word).tolist() for word in (probe.right, probe.wrong)]
        same = next(i for i, (a, b) in enumerate(zip(*ways, strict=False)) if a != b)
        scores = model.logits(ways[0][:same])[-1]
        right += bool(scores[ways[0][same]] > scores[ways[1][same]])
    return right / ASKED


def counted(tokenizer: UnigramTokenizer, texts: Iterable[str]) -> dict[str, dict[str, int]]:
    """For each beginning of a text: which tokens come next in the texts, and how often, the most frequent first."""
    followed: dict[str, Counter[str]] = {prompt: Counter() for prompt in BEGINNINGS}
    beginnings = {prompt: tokenizer.encode(prompt) for prompt in BEGINNINGS}
    for text in map(joined, texts):
        begun = [prompt for prompt in BEGINNINGS if text.startswith(prompt)]
        ids = tokenizer.encode(text + END) if begun else []
        for prompt in begun:
            before = beginnings[prompt]
            if ids[: len(before)] == before:
                followed[prompt][tokenizer.token(ids[len(before)])] += 1
    return {prompt: dict(counts.most_common()) for prompt, counts in followed.items()}


def counts_file(training: LanguageTraining) -> str:
    """The counts as JSON."""
    tokenizer = training.tokenizer
    assert isinstance(tokenizer, UnigramTokenizer)
    return json.dumps(counted(tokenizer, sentences(SEED, SENTENCES)), ensure_ascii=False, indent=1) + "\n"


def shares(model: GPT) -> list[str]:
    """The likeliest tokens after a beginning: their share in the texts, and the model's probability."""
    rows = []
    assert isinstance(model.tokenizer, UnigramTokenizer)
    counts = counted(model.tokenizer, sentences(SEED, SENTENCES))
    for prompt in PROMPTS:
        given, whole = model.trace(prompt).tensor("probabilities")[-1], sum(counts[prompt].values())
        for text, count in list(counts[prompt].items())[:3]:
            chance = given[model.ids(prompt + text)[-1]]
            rows.append(f"| {prompt} | {text} | {count / whole:.1%} ({count:,}) | {chance:.1%} |")
    return rows


def card(training: LanguageTraining, losses: tuple[float, float]) -> str:
    """The model card, with figures measured now."""
    model, plan = training.model, training.plan
    assert isinstance(model, GPT)
    skills = []
    for kind in KINDS:
        probe = next(probes(SEED + 1, 1, kind))
        skills.append(
            f"| {kind} | {probe.prompt} … **{probe.right}**, not {probe.wrong} | {share_right(model, kind):.1%} |"
        )
    s = plan.settings
    first = PROMPTS[0]
    return CARD.format(
        **{"parameters": numbers_of(training), "vocabulary": plan.model.vocabulary, "blocks": BLOCKS, "heads": HEADS},
        **{"width": WIDTH, "context": CONTEXT, "batch": BATCH, "seed": SEED, "steps": s.steps, "rate": s.rate},
        **{"warmup": s.warmup, "decay": s.decay, "clip": s.clip, "hash": hash_of(training), "texts": SENTENCES},
        **{"tokens": plan.corpus.tokens, "held": HELD_OUT, "asked": ASKED, "windows": MEASURED},
        **{"loss": losses[0], "validation": losses[1], "skills": "\n".join(skills), "shares": "\n".join(shares(model))},
        characters=len(set("".join(joined(text) for text in sentences(SEED, SENTENCES // 10)))),
        sample=first + "".join(choice.text for choice in model.generate(first, 24, Sampling(0), END)).rstrip(),
    )


if __name__ == "__main__":
    sys.exit(make(__doc__, Path("build/jielong"), prepare, card, MEASURED, {"counted.json": counts_file}))
