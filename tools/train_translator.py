#!/usr/bin/env python
"""Train the bundled model `translator` from nothing: the sentences, the tokenizer, the weights, the model card.

    LLMTRACE_NUM_THREADS=1 python tools/train_translator.py llmtrace/data/translator

Needs llmtrace and nothing else. The same weights come out on every machine and with any number of threads, in half an hour; a
model that is there already is only measured again. Beside it, a GPT is trained on the same sentences, for comparison.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from translator import Pair, pairs
from translator.card import card

import llmtrace
from llmtrace.arithmetic.types import Array
from llmtrace.models import GPT, GPTConfig, LanguageModel, Transformer, TransformerConfig
from llmtrace.ops import Weight, by_name
from llmtrace.rng import Chance, derive
from llmtrace.storage import weights_hash
from llmtrace.tokenizers import UnigramTokenizer
from llmtrace.training import Settings, Trainer
from llmtrace.training.trainer import Part
from llmtrace.weights import save_folder
from llmtrace.weights.gpt import GPT2
from llmtrace.weights.transformer import TRANSFORMER

SEED = 2026
SENTENCES = 60_000
WIDTH, HEADS, BLOCKS, CONTEXT = 64, 4, 2, 32
BATCH = 64
SETTINGS = Settings(steps=5_000, rate=2e-3, warmup=200, decay=0.01, square_keep=0.98, seed=SEED)
REPORT = 250
SPECIAL = ("<unknown>", "<start>", "<end>")
UNKNOWN, START, END = range(3)
WORD = re.compile(r"[^ ?.]+|[?.]")

Weights = Mapping[str, Weight]
Ids = tuple[list[int], list[int]]
"""A sentence and its translation."""


def vocabulary(sentences: list[Pair]) -> UnigramTokenizer:
    """Whole words of both languages as tokens, each with the space before it; and the signs at the end."""
    words = sorted({word for pair in sentences for word in WORD.findall(f"{pair.german} {pair.english}")})
    entries = [*SPECIAL, *(word if word in "?." else f"▁{word}" for word in words)]
    special = {text: index for index, text in enumerate(SPECIAL) if index != UNKNOWN}
    return UnigramTokenizer([(text, -1.0) for text in entries], UNKNOWN, adds_space=True, special=special)


def batches(data: list[Ids], size: int) -> Iterator[tuple[Array, Array]]:
    """Sources [size, S] and targets [size, T]: of one length each, so that nothing need be filled up."""
    alike: dict[tuple[int, int], list[Ids]] = {}
    for german, english in data:
        alike.setdefault((len(german), len(english)), []).append((german, english))
    chance = Chance(derive(SEED, "batches"))
    while True:
        german, english = chance.choice(data)
        group = alike[len(german), len(english)]
        chosen = [chance.choice(group) for _ in range(size)]
        yield np.array([g for g, _e in chosen]), np.array([[START, *e, END] for _g, e in chosen])


def train(data: list[Ids], tokenizer: UnigramTokenizer) -> Transformer:
    """The model after all steps."""
    config = TransformerConfig(len(tokenizer), CONTEXT, WIDTH, HEADS, BLOCKS, 4 * WIDTH, START)

    def losses(weights: Weights, source: Array, target: Array) -> Part:
        reading = Transformer(config, weights).reading(source)
        return _part(reading, target)

    model = Transformer(config, steps(TRANSFORMER.initial(config, SEED), data, losses), tokenizer, "translator")
    model.ends = (END,)
    return model


def train_joined(data: list[Ids], tokenizer: UnigramTokenizer) -> GPT:
    """For comparison: one GPT that reads both sentences as one text, with the start token between them as the separator."""
    config = GPTConfig(len(tokenizer), CONTEXT, WIDTH, HEADS, 2 * BLOCKS, 4 * WIDTH)

    def losses(weights: Weights, source: Array, target: Array) -> Part:
        return _part(GPT(config, weights), np.concatenate([source, target], axis=-1))

    model = GPT(config, steps(GPT2.initial(config, SEED), data, losses), tokenizer, "joined")
    model.ends = (END,)
    return model


def steps(weights: Weights, data: list[Ids], losses: Callable[[Weights, Array, Array], Part]) -> Weights:
    """The weights after all steps."""
    trainer = Trainer(weights, SETTINGS)
    begun, total = time.perf_counter(), 0.0
    for source, target in batches(data, BATCH):
        report = trainer.step([losses(trainer.state.weights, source, target)])
        total += report.loss
        if report.step % REPORT == 0:
            print(f"step {report.step}, loss {total / REPORT:.4f}, {time.perf_counter() - begun:,.0f} s", flush=True)
            total = 0.0
        if report.step == SETTINGS.steps:
            break
    return trainer.state.weights


def _part(model: LanguageModel, tokens: Array) -> Part:
    """The loss of every token but the first, from those before."""
    read, said = np.ascontiguousarray(tokens[:, :-1]), np.ascontiguousarray(tokens[:, 1:])
    return lambda run, start: model.loss(run, read, said, said.size, start)


def main() -> int:
    """Trains, and writes the model with its card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/translator"))
    options = parser.parse_args()
    sentences = list(pairs(SEED, SENTENCES))
    trained = [pair for pair in sentences if not pair.held]
    tokenizer = vocabulary(trained)
    data = [(tokenizer.encode(pair.german), tokenizer.encode(pair.english)) for pair in trained]
    for kind, folder in ((train, options.output), (train_joined, options.work / "joined")):
        if not (folder / "config.json").exists():
            save_folder(kind(data, tokenizer), folder)
    model, joined = llmtrace.load(options.output), llmtrace.load(options.work / "joined")
    assert isinstance(model, Transformer)
    assert isinstance(joined, GPT)
    text = card(model, joined, sentences, SETTINGS, BATCH, SEED)
    (options.output / "README.md").write_text(text, encoding="utf-8")
    print(text)
    print(weights_hash(by_name(model.weights.values())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
