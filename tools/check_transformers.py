#!/usr/bin/env python
"""Compare llmtrace with transformers' GPT2LMHeadModel: the logits and every hidden state of models with random weights.

    python tools/check_transformers.py

Needs PyTorch and transformers, so it is not part of the tests. Each model is saved by `save_pretrained` and read by
`llmtrace.load`. Both compute in float32, in a different order; their distance is measured against the largest value of
the tensor. Exit code 1 where one is further away than the bound.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

import llmtrace
from llmtrace.arithmetic.types import Array

BOUND = 1e-5
SEED = 1


@dataclass(frozen=True)
class Shape:
    """A model and the batch it reads."""

    vocabulary: int
    context: int
    width: int
    heads: int
    blocks: int
    inner: int | None
    tied: bool
    batch: int
    tokens: int
    epsilon: float = 1e-5


SHAPES = (
    Shape(2, 1, 1, 1, 1, None, False, 1, 1),
    Shape(3, 16, 6, 3, 2, 1, True, 2, 16),
    Shape(97, 64, 60, 5, 3, 253, False, 3, 64),
    Shape(300, 33, 63, 7, 4, None, True, 1, 33),
    Shape(11, 100, 17, 17, 1, 31, False, 8, 100),
    Shape(257, 128, 65, 5, 2, 7, True, 5, 2, 1e-3),
    Shape(1000, 100, 128, 2, 4, 500, True, 4, 100),
    Shape(50257, 100, 48, 4, 2, None, True, 1, 100),
    Shape(50257, 40, 192, 3, 3, None, False, 2, 37, 1e-6),
    Shape(5000, 100, 768, 12, 1, None, True, 1, 100),
)


def fresh_model(shape: Shape, seed: int) -> GPT2LMHeadModel:
    """A model of this shape, as transformers makes it."""
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=shape.vocabulary,
        n_positions=shape.context,
        n_embd=shape.width,
        n_head=shape.heads,
        n_layer=shape.blocks,
        n_inner=shape.inner,
        layer_norm_epsilon=shape.epsilon,
        tie_word_embeddings=shape.tied,
        bos_token_id=None,
        eos_token_id=None,
    )
    model: GPT2LMHeadModel = GPT2LMHeadModel(config)
    model.eval()  # type: ignore[no-untyped-call]
    return model


def random_model(shape: Shape) -> GPT2LMHeadModel:
    """Weights far larger than a fresh model's, and biases and gains that are not 0 and 1, so that every part counts."""
    model = fresh_model(shape, SEED)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            torch.nn.init.normal_(parameter, std=0.5 if parameter.ndim == 1 else 1.0 / parameter.shape[0] ** 0.5)
            if name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight")):
                parameter.add_(1.0)
            elif name.endswith(("wte.weight", "wpe.weight")):
                torch.nn.init.normal_(parameter, std=0.7)
    return model


def theirs(model: GPT2LMHeadModel, ids: Array) -> dict[str, Array]:
    """What transformers computes, by our names. Its last hidden state is the one after the last layer norm."""
    with torch.no_grad():
        result = model(torch.from_numpy(ids), output_hidden_states=True)
    *stream, last = [state.numpy() for state in result.hidden_states]
    names = ["embed", *(f"block.{i}.residual_out" for i in range(len(stream) - 1))]
    return {**dict(zip(names, stream, strict=True)), "ln_f": last, "logits": result.logits.numpy()}


def distances(shape: Shape) -> dict[str, tuple[float, float]]:
    """For each tensor the largest absolute difference, and that over the tensor's largest value."""
    ids = np.random.default_rng(SEED).integers(0, shape.vocabulary, (shape.batch, shape.tokens))
    model = random_model(shape)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        ours = llmtrace.load(Path(folder)).trace(ids.tolist())
    result = {}
    for name, expected in theirs(model, ids).items():
        output = ours[name].output
        if output.shape != expected.shape:
            raise SystemExit(f"{name} has shape {output.shape}, but transformers has {expected.shape}")
        furthest = float(np.abs(output.astype(np.float64) - expected).max())
        result[name] = furthest, furthest / float(np.abs(expected).max())
    return result


def main() -> int:
    torch.set_num_threads(1)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    print(f"PyTorch {torch.__version__.partition('+')[0]}, bound {BOUND:g} of the tensor's largest value")
    print("    V    C  heads blocks inner tied   batch×T  tensors  largest difference   relative  where")
    bad = 0
    for s in SHAPES:
        found = distances(s)
        where, (_, relative) = max(found.items(), key=lambda item: item[1][1])
        furthest = max(difference for difference, _ in found.values())
        bad += not relative <= BOUND
        print(
            f"{s.vocabulary:5} {s.width:4} {s.heads:6} {s.blocks:6} {s.inner or 4 * s.width:5} {s.tied!s:5}"
            f" {s.batch:4}×{s.tokens:<4} {len(found):7} {furthest:19.2e} {relative:10.2e}  {where}"
            f"{'' if relative <= BOUND else '  TOO FAR'}"
        )
    print("all agree" if not bad else f"{bad} of {len(SHAPES)} shapes do not agree")
    return 1 if bad else 0


if __name__ == "__main__":
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    sys.exit(main())
