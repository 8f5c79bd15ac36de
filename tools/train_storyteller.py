#!/usr/bin/env python
"""Train the bundled model `storyteller` from nothing: the stories, the tokenizer, the weights, the model card.

    python tools/train_storyteller.py OUTPUT [--work DIR]

Needs llmtrace and nothing else. The same bytes come out on every machine and with any number of threads. Interrupted, it
goes on where it was when it is started again with the same --work.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import llmtrace
from llmtrace.models import GPT, GPTConfig
from llmtrace.stories import END, KINDS, probes, stories
from llmtrace.training import LanguageTraining, Plan, Settings, TrainingFolder, encode_files, new_tokenizer

SEED = 2026
STORIES = 400_000
VOCABULARY, CONTEXT, WIDTH, HEADS, BLOCKS = 768, 128, 128, 4, 3
BATCH = 16
SETTINGS = Settings(steps=13_000, rate=3e-3, warmup=200, decay=0.1, seed=SEED)
PROBES = 200


def prepare(folder: TrainingFolder) -> None:
    """Writes the stories, learns the tokenizer, writes the plan."""
    folder.inner.mkdir(parents=True, exist_ok=True)
    text = folder.inner / "stories.txt"
    with text.open("w", encoding="utf-8") as file:
        for story in stories(SEED, STORIES):
            file.write(story + END)
    sample = folder.inner / "sample.txt"
    with sample.open("w", encoding="utf-8") as file:
        file.writelines(story + END for story in stories(SEED, STORIES // 10))
    tokenizer = new_tokenizer([sample], VOCABULARY)
    count = encode_files([text], tokenizer, folder.inner / "tokens", END)
    model = GPTConfig(len(tokenizer), CONTEXT, WIDTH, HEADS, BLOCKS, 4 * WIDTH)
    folder.begin(Plan(model, SETTINGS, BATCH, 0.01, END, count), tokenizer)


def accuracy(model: GPT, kind: Any, distances: range, count: int = PROBES) -> float:
    """How often the right word is likelier than the wrong one, on stories with pairs that training never told."""
    right = 0
    for probe in probes(1, count, kind, distances):
        ids = model.ids(probe.prompt)[-(CONTEXT - 4) :]
        space = "" if probe.prompt.endswith("\n") else " "
        words = [model.ids(probe.prompt + space + word)[len(model.ids(probe.prompt)) :] for word in (probe.right, probe.wrong)]
        scores = model.logits(ids)[-1]
        right += bool(scores[words[0][0]] > scores[words[1][0]])
    return right / count


def main() -> int:
    """Trains; prints how it goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--every", type=int, default=500)
    options = parser.parse_args()
    folder = TrainingFolder(options.work)
    if not folder.begun:
        prepare(folder)
    training = LanguageTraining(folder)
    print(f"{training.plan.tokens:,} tokens, {sum(w.data.size for w in {w.name: w for w in training.model.weights.values()}.values()):,} parameters", flush=True)
    begin = time.perf_counter()
    for progress in training.run(options.every, 500):
        model = training.model
        scores = {kind: accuracy(model, kind, range(12, 31) if kind == "heir" else range(1, 100), 60) for kind in KINDS}
        said = ", ".join(f"{kind} {score:.0%}" for kind, score in scores.items())
        print(f"{time.perf_counter() - begin:.0f} s, step {progress.step}, loss {progress.loss:.4f}, held {progress.validation:.4f}, {progress.tokens_per_second:.0f}/s; {said}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
