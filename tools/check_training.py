#!/usr/bin/env python
"""Compare a model that `llmtrace train` made with transformers: what it reads, its logits, and one step of its training.

    python tools/check_training.py [FILE] [--steps 100]

Needs PyTorch and transformers, so it is not part of the tests. A small model is trained, on FILE or a text of its own, and read
by `GPT2LMHeadModel.from_pretrained` and `PreTrainedTokenizerFast`. Exit code 1 where something is further away than the bound.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast
from transformers.utils import logging

import llmtrace
from llmtrace.models import GPTConfig
from llmtrace.training import LanguageTraining, Plan, Settings, TrainingFolder, new_tokenizer

BOUND = 1e-5
CONTEXT, WIDTH, HEADS, BLOCKS, BATCH = 64, 64, 4, 2, 8
STORY = "The king {i} had a child, a girl. The queen had a child, a boy, number {j}; they were 7 and 十二 years old.\n"


def trained(path: Path, file: Path, steps: int) -> LanguageTraining:
    """A small model, trained."""
    folder = TrainingFolder(path)
    tokenizer = new_tokenizer([file], 512)
    corpus = folder.encode([file], tokenizer)
    model = GPTConfig(len(tokenizer), CONTEXT, WIDTH, HEADS, BLOCKS, 4 * WIDTH)
    folder.begin(Plan(model, Settings(steps=steps, warmup=steps // 10, rate=3e-3), corpus, BATCH), tokenizer)
    training = LanguageTraining(folder)
    *_, last = training.run(steps, steps)
    print(f"trained for {steps} steps: loss {last.loss:.4f}, on held-out text {last.validation:.4f}")
    return training


def relative(ours: Any, theirs: Any) -> float:
    """The largest difference over the largest value."""
    return float(np.abs(np.asarray(ours, np.float64) - theirs).max() / np.abs(theirs).max())


def compared(path: Path, training: LanguageTraining) -> dict[str, float]:
    """How far the two are apart, by what was compared."""
    ours, theirs = llmtrace.load(path), GPT2LMHeadModel.from_pretrained(path)
    theirs.eval()
    batch = training.windows.batch(7, BATCH)
    with torch.no_grad():
        logits = theirs(torch.from_numpy(batch.ids)).logits.numpy()
    found = {"logits": relative(ours.logits(batch.ids.tolist()), logits)}
    trace = training.traced_step()
    batch = training.windows.batch(training.done - 1, BATCH)
    scores = theirs(torch.from_numpy(batch.ids)).logits
    loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), torch.from_numpy(batch.targets).flatten())
    loss.backward()
    found["loss"] = relative(trace.tensor("loss"), loss.item())
    gradients = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    for name, own in (
        ("wte", "embed.token"),
        ("h.1.mlp.c_fc", "block.1.mlp.up"),
        ("h.0.attn.c_proj", "block.0.attn.out"),
    ):
        gradient = gradients[f"transformer.{name}.weight"]
        found[f"d.{own}.weight"] = relative(trace.tensor(f"d.{own}.weight").reshape(gradient.shape), gradient)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        file = options.file or Path(folder) / "text.txt"
        if options.file is None:
            file.write_text("".join(STORY.format(i=i, j=i * 7 % 13) for i in range(1500)))
        path = Path(folder) / "model"
        training = trained(path, file, options.steps)
        theirs = PreTrainedTokenizerFast(tokenizer_file=str(path / "tokenizer.json"))
        text = file.read_text(encoding="utf-8")[:20_000]
        same = theirs.encode(text) == training.tokenizer.encode(text)
        found = compared(path, training)
    print(f"tokens of {len(text)} characters: {'the same' if same else 'DIFFERENT'}")
    for name, far in found.items():
        print(f"{name:24} {far:.2e}{'' if far <= BOUND else '  TOO FAR'}")
    return 0 if same and max(found.values()) <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
