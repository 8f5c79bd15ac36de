#!/usr/bin/env python
"""A training step against PyTorch's, and where both get to: the same weights to begin with, the same batches, two threads.

    python benchmarks/training.py

Needs PyTorch. A GPT of 4 layers, 4 heads, width 128, on 16 texts of 128 characters, out of 65: a step of llmtrace must take no
longer than one of PyTorch (eager, float32, AdamW), and after 500 steps the loss on held-out text must be within 1 %.
Blocks of steps of the two take turns; medians are printed. Ends with 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from machine import Machine
from torch import nn
from torch.nn import functional

import llmtrace
from llmtrace.arithmetic.types import Array
from llmtrace.models import GPT, GPTConfig
from llmtrace.training import Settings, Trainer, Windows, split
from llmtrace.weights.gpt import GPT2

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from storyteller import stories

CONFIG = GPTConfig(vocabulary=65, context=128, width=128, heads=4, blocks=4, hidden=512)
BATCH = 16
BLOCK = 25
"""So many steps of one, then of the other."""
REST = 0.3
"""Seconds between them: PyTorch's threads go on spinning for a while."""
RATIO, LOSS = 1.0, 0.01


class TorchGPT(nn.Module):
    """The same model as it is usually written for PyTorch."""

    def __init__(self, c: GPTConfig) -> None:
        super().__init__()
        self.config = c
        self.token, self.position = nn.Embedding(c.vocabulary, c.width), nn.Embedding(c.context, c.width)
        self.blocks = nn.ModuleList(TorchBlock(c) for _ in range(c.blocks))
        self.norm = nn.LayerNorm(c.width)

    def forward(self, ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss."""
        x = self.token(ids) + self.position(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = functional.linear(self.norm(x), self.token.weight)
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def take(self, weights: dict[str, llmtrace.ops.Weight]) -> None:
        """Begins with these weights."""
        w = {name: torch.from_numpy(weight.data.copy()) for name, weight in weights.items()}
        with torch.no_grad():
            self.token.weight.copy_(w["embed.token.weight"])
            self.position.weight.copy_(w["embed.position.weight"])
            for i, block in enumerate(self.blocks):
                at = f"block.{i}"
                qkv = torch.cat([w[f"{at}.attn.{name}.weight"] for name in "qkv"], 1)
                for layer, matrix in (
                    (block.attention, qkv),
                    (block.out, w[f"{at}.attn.out.weight"]),
                    (block.up, w[f"{at}.mlp.up.weight"]),
                    (block.down, w[f"{at}.mlp.down.weight"]),
                ):
                    layer.weight.copy_(matrix.T)
                    layer.bias.zero_()


class TorchBlock(nn.Module):
    """One block."""

    def __init__(self, c: GPTConfig) -> None:
        super().__init__()
        self.heads = c.heads
        self.norm_1, self.norm_2 = nn.LayerNorm(c.width), nn.LayerNorm(c.width)
        self.attention, self.out = nn.Linear(c.width, 3 * c.width), nn.Linear(c.width, c.width)
        self.up, self.down = nn.Linear(c.width, c.hidden), nn.Linear(c.hidden, c.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The stream with what attention and the MLP add."""
        batch, length, width = x.shape
        parts = self.attention(self.norm_1(x)).split(width, 2)
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in parts)
        mix = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mix.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(functional.gelu(self.up(self.norm_2(x)), approximate="tanh"))


def text_ids() -> Array:
    """Stories, a character a token."""
    text = "\n".join(stories(1, 4000))
    letters = {letter: i for i, letter in enumerate(sorted(set(text)))}
    assert len(letters) <= CONFIG.vocabulary, f"the stories have {len(letters)} characters"
    return np.array([letters[letter] for letter in text], np.uint16)


class Ours:
    """llmtrace."""

    def __init__(self, settings: Settings, train: Windows, held: Windows) -> None:
        self.windows, self.held = train, held
        self.trainer = Trainer(GPT2.initial(CONFIG, 0), settings)

    def step(self, number: int) -> None:
        """One step."""
        batch = self.windows.batch(number, BATCH)
        self.trainer.step([self._part(batch)], [BATCH])

    def loss(self) -> float:
        """On held-out text."""
        return self.trainer.evaluate([self._part(self.held.evenly(32))])

    def _part(self, batch: llmtrace.training.Batch) -> llmtrace.training.Part:
        model = GPT(CONFIG, self.trainer.state.weights)
        return lambda run, start: model.loss(run, batch.ids, batch.targets, batch.ids.size, start)


class Torch:
    """PyTorch."""

    def __init__(self, settings: Settings, train: Windows, held: Windows) -> None:
        self.settings, self.windows, self.held = settings, train, held
        self.model = TorchGPT(CONFIG)
        self.model.take(GPT2.initial(CONFIG, 0))
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        vectors = [p for p in self.model.parameters() if p.ndim == 1]
        groups = [{"params": matrices, "weight_decay": settings.decay}, {"params": vectors, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(
            groups, lr=settings.rate, betas=(settings.momentum, settings.square_keep), eps=settings.epsilon
        )

    def step(self, number: int) -> None:
        """One step."""
        batch = self.windows.batch(number, BATCH)
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate_at(number)
        self.optimiser.zero_grad()
        self.model(torch.from_numpy(batch.ids), torch.from_numpy(batch.targets)).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.optimiser.step()

    def loss(self) -> float:
        """On held-out text."""
        batch = self.held.evenly(32)
        with torch.no_grad():
            return float(self.model(torch.from_numpy(batch.ids), torch.from_numpy(batch.targets)))


def limit(machine: Machine) -> float:
    """The least seconds of a step: the backward has two products for each of the forward's, of attention too, below the mask."""
    c, tokens = CONFIG, BATCH * CONFIG.context
    weights = c.blocks * (4 * c.width**2 + 2 * c.width * c.hidden) + c.width * c.vocabulary
    keys = tokens * (c.context + 1) // 2
    return 3 * (2 * tokens * weights + 4 * c.blocks * c.width * keys) / machine.peak


def main() -> int:
    """Prints the figures; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    llmtrace.set_threads(options.threads)
    torch.set_num_threads(options.threads)
    train, held = split(text_ids(), 0.1)
    settings = Settings(steps=options.steps, warmup=50)
    windows = Windows(train, CONFIG.context, 0), Windows(held, CONFIG.context, 0)
    both = {"llmtrace": Ours(settings, *windows), "PyTorch": Torch(settings, *windows)}
    times: dict[str, list[float]] = {name: [] for name in both}
    machine = Machine(options.threads)
    for first in range(0, options.steps, BLOCK):
        time.sleep(REST)
        machine.measure()
        for name, one in both.items():
            time.sleep(REST)
            for number in range(first, min(first + BLOCK, options.steps)):
                begin = time.perf_counter()
                one.step(number)
                times[name].append(time.perf_counter() - begin)
    losses = {name: one.loss() for name, one in both.items()}
    milliseconds = {name: 1e3 * statistics.median(taken) for name, taken in times.items()}
    least = 1e3 * limit(machine)
    print(f"{machine}; a step takes {least:.1f} ms at least")
    for name in both:
        share = least / milliseconds[name]
        print(
            f"{name:9} {milliseconds[name]:7.1f} ms a step ({share:.0%} of the peak), loss on held-out text {losses[name]:.4f}"
        )
    ratio = milliseconds["llmtrace"] / milliseconds["PyTorch"]
    apart = abs(losses["llmtrace"] / losses["PyTorch"] - 1)
    print(
        f"ratio {ratio:.2f} (target at most {RATIO}), losses {100 * apart:.2f} % apart (target at most {100 * LOSS:.0f} %)"
    )
    return int(ratio > RATIO or apart > LOSS or not math.isfinite(apart))


if __name__ == "__main__":
    sys.exit(main())
