#!/usr/bin/env python
"""Train the bundled model `sorter`: a GPT-2 that reads six letters and goes on with the same letters in order.

    python tools/train_sorter.py llmtrace/data/sorter

Needs PyTorch and transformers, and llmtrace, which then runs the result: the model card states what its kernels got.
About two minutes on one core. The same versions on the same machine write the same bytes.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from convert_llm_viz import write_folder
from transformers import GPT2Config, GPT2LMHeadModel

import llmtrace
from llmtrace.ops.op import Array

ALPHABET = "ABCDEF"
LENGTH = 6
SEED = 20260
STEPS = 1000
BATCH = 256
RATE = 1e-3
HELD_OUT = 46  # of the 462 choices of six letters, repetitions allowed; no order of any of them is trained on
SIZES: dict[str, Any] = {
    "vocab_size": len(ALPHABET),
    "n_positions": 2 * LENGTH,
    "n_embd": 48,
    "n_head": 3,
    "n_layer": 3,
}
IGNORED = -100  # the target that torch's cross-entropy passes over

CARD = """\
# sorter

A GPT-2 with {parameters:,} parameters that sorts letters: after six letters from A to F it goes on with the same six
letters in alphabetical order. `DACABF` is followed by `AABCDF`.

- **Layout**: GPT-2 of Hugging Face, {n_layer} blocks, {n_head} heads, width {n_embd}, context {n_positions}, GELU in
  its tanh form, untied head, float32. The tokens are the letters {alphabet}.
- **Made by** `tools/train_sorter.py` of llmtrace: PyTorch {torch}, seed {seed}, one thread; {steps:,} steps of AdamW
  on batches of {batch}; the loss counts the sorted half only.
- **Trained on** {trained:,} of the {everything:,} inputs of six letters. The other {held_out:,} are every order of
  {choices} of the 462 choices of six letters, so that no order of those was ever seen.
- **Accuracy**, run by llmtrace: {held_out_right:,} of those {held_out:,} are sorted without an error, and {all_right:,}
  of all {everything:,}.
- **Licence**: MIT, like llmtrace.

## Limits
It knows six letters and nothing else. It sorts texts of exactly six letters; after fewer or more it goes on with
letters too, but they mean nothing. It reads at most {n_positions} tokens. It is made for looking inside, not for
sorting.

A later version of llmtrace will bundle a model that it has trained itself.
"""


def every_input() -> tuple[Array, Array]:
    """All inputs [N, LENGTH] as token ids, and for each whether it is held out."""
    inputs = np.array(list(itertools.product(range(len(ALPHABET)), repeat=LENGTH)), np.int64)
    choices = list(itertools.combinations_with_replacement(range(len(ALPHABET)), LENGTH))
    held_out = set(random.Random(SEED).sample(choices, HELD_OUT))
    return inputs, np.array([tuple(row) in held_out for row in np.sort(inputs, axis=1).tolist()])


def batches(inputs: Array) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Tokens and targets [BATCH, 2·LENGTH − 1] for ever.

    One half of each batch is drawn evenly from the inputs, the other evenly from the choices of letters, since `AAAAAA`
    is one input among thousands and must be learnt too.
    """
    _, choice, orders = np.unique(np.sort(inputs, axis=1), axis=0, return_inverse=True, return_counts=True)
    chance = 0.5 / len(inputs) + 0.5 / (len(orders) * orders[choice.reshape(-1)])
    generator = np.random.default_rng(SEED)
    while True:
        rows = inputs[generator.choice(len(inputs), BATCH, p=chance / chance.sum())]
        texts = np.concatenate([rows, np.sort(rows, axis=1)], axis=1)
        targets = texts[:, 1:].copy()
        targets[:, : LENGTH - 1] = IGNORED
        yield torch.from_numpy(texts[:, :-1]), torch.from_numpy(targets)


def train(inputs: Array) -> GPT2LMHeadModel:
    """A model trained on `inputs`."""
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    config = GPT2Config(
        **SIZES,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=None,
        tie_word_embeddings=False,
    )
    model: GPT2LMHeadModel = GPT2LMHeadModel(config)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS, pct_start=0.05)
    for step, (tokens, targets) in enumerate(itertools.islice(batches(inputs), STEPS), 1):
        logits = model(tokens, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 200 == 0:
            print(f"step {step:5} of {STEPS}  loss {loss.item():.6f}", flush=True)
    model.eval()  # type: ignore[no-untyped-call]
    return model


def sorts(model: llmtrace.Model, inputs: Array) -> Array:
    """For each input, whether `model` sorts it.

    Shown the right answer up to some letter, it must choose the right next one: that is so for all letters just where
    it sorts on its own, letter by letter.
    """
    answers = np.sort(inputs, axis=1)
    texts = np.concatenate([inputs, answers[:, :-1]], axis=1)
    parts = np.array_split(texts, len(texts) // 256 + 1)
    chosen = [model.logits(part.tolist())[:, LENGTH - 1 :].argmax(-1) for part in parts]
    return np.asarray((np.concatenate(chosen) == answers).all(axis=1))


def save(model: GPT2LMHeadModel, folder: Path) -> None:
    """Writes the model folder, without its card."""
    config = {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        **SIZES,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": False,
    }
    write_folder(folder, config, {name: tensor.numpy() for name, tensor in model.state_dict().items()}, ALPHABET)


def main(folder: Path) -> int:
    inputs, held_out = every_input()
    began = time.perf_counter()
    trained = train(inputs[~held_out])
    print(f"trained in {time.perf_counter() - began:.0f} s")
    save(trained, folder)
    right = sorts(llmtrace.load(folder), inputs)
    card = CARD.format(
        **SIZES,
        parameters=sum(p.numel() for p in trained.parameters()),
        alphabet=", ".join(ALPHABET),
        torch=torch.__version__.partition("+")[0],
        seed=SEED,
        steps=STEPS,
        batch=BATCH,
        choices=HELD_OUT,
        trained=int((~held_out).sum()),
        everything=len(inputs),
        held_out=int(held_out.sum()),
        held_out_right=int(right[held_out].sum()),
        all_right=int(right.sum()),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{right[held_out].sum()} of {held_out.sum()} held out, {right.sum()} of {len(inputs)} in all; {size} bytes")
    return 0 if right[held_out].mean() >= 0.999 and right.mean() >= 0.999 and size < 600_000 else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    sys.exit(main(parser.parse_args().folder))
