#!/usr/bin/env python
"""Compare llmtrace's gradients and optimisers with PyTorch's autograd and torch.optim, on whole GPTs.

    python tools/check_gradients.py

Needs PyTorch and transformers, so it is not part of the tests. Both sides begin with the same weights: those that a
training here begins with, and larger random ones. Distances are measured against the largest value of the tensor; for
gradients that are 0 but for rounding (a key's bias), against the largest gradient of the model. In float32 both round in
a different order; in float64 hardly anything is left of that. Exit code 1 where one is further away than the bound.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

from llmtrace.arithmetic.types import Array
from llmtrace.models import GPT, GPTConfig
from llmtrace.ops import Tensor, Weight
from llmtrace.trace import Backward, Run, Trace
from llmtrace.training import Part, Settings, Trainer
from llmtrace.weights.gpt import GPT2

BOUNDS = {np.dtype(np.float32): 3e-5, np.dtype(np.float64): 1e-12}
"""Of a gradient, relative to its tensor's largest."""
AFTER = 1e-9
"""Of a weight after STEPS steps, in float64: Adam divides by the size of gradients that are all but 0."""
STEPS = 5
SEED = 1


class Shape(NamedTuple):
    """A model and the batch it is trained on."""

    config: GPTConfig
    batch: int
    tokens: int
    tied: bool = True


SHAPES = (
    Shape(GPTConfig(vocabulary=2, context=4, width=4, heads=2, blocks=1, hidden=1), 1, 4),
    Shape(GPTConfig(vocabulary=11, context=16, width=12, heads=3, blocks=2, hidden=48), 3, 16),
    Shape(GPTConfig(vocabulary=97, context=64, width=60, heads=5, blocks=3, hidden=253), 2, 37, tied=False),
    Shape(GPTConfig(vocabulary=300, context=32, width=63, heads=7, blocks=4, hidden=252), 5, 32),
    Shape(GPTConfig(vocabulary=500, context=100, width=128, heads=2, blocks=2, hidden=512), 1, 100),
)
STEADY: dict[str, Any] = {"schedule": "constant", "warmup": 0, "clip": 0.0}
OPTIMISERS = {
    "sgd": Settings(**STEADY, optimiser="sgd", rate=0.1, momentum=0.9, l2=0.01, decay=0.0),
    "adam": Settings(**STEADY, optimiser="adam", rate=0.01, decay=0.1),
    "adamw": Settings(**STEADY, optimiser="adamw", rate=0.01, decay=0.1),
    "adamw, clipped": Settings(**{**STEADY, "clip": 0.1}, optimiser="adamw", rate=0.01, decay=0.1),
}


def weights_of(shape: Shape, large: bool, dtype: Any) -> dict[str, Weight]:
    """Our initial weights, or weights, biases and gains so large that every part counts."""
    tensors = by_their_names(shape.config, GPT2.initial(shape.config, SEED))
    rng = np.random.default_rng(SEED)
    if not shape.tied:
        tensors["lm_head.weight"] = rng.standard_normal(tensors["wte.weight"].shape).astype(np.float32) * np.float32(
            0.02
        )
    for name, tensor in tensors.items() if large else ():
        spread = 0.5 if tensor.ndim == 1 else 0.7 if name.startswith("w") else tensor.shape[0] ** -0.5
        tensors[name] = (
            rng.standard_normal(tensor.shape) * spread + ("ln_" in name and name.endswith("weight"))
        ).astype("f4")
    return GPT2.weights(shape.config, {n: t.astype(dtype) for n, t in tensors.items()}, "made here", tied=shape.tied)


def by_their_names(config: GPTConfig, weights: Mapping[str, Weight]) -> dict[str, Array]:
    """By Hugging Face's names without the prefix."""
    return {name.removeprefix("transformer."): tensor for name, tensor in GPT2.tensors(config, weights).items()}


def batches(shape: Shape) -> list[Array]:
    """Texts with one token more than is read, one batch for every step."""
    rng = np.random.default_rng(SEED)
    texts: Array = rng.integers(0, shape.config.vocabulary, (STEPS, shape.batch, shape.tokens + 1))
    return list(texts)


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


def torch_model(shape: Shape, weights: Mapping[str, Weight]) -> GPT2LMHeadModel:
    """The same model with the same weights."""
    c = shape.config
    sizes = {
        "vocab_size": c.vocabulary,
        "n_positions": c.context,
        "n_embd": c.width,
        "n_head": c.heads,
        "n_layer": c.blocks,
    }
    ends = {"bos_token_id": None, "eos_token_id": None}
    config = GPT2Config(
        **sizes, **ends, n_inner=c.hidden, tie_word_embeddings=shape.tied, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0
    )
    model: GPT2LMHeadModel = GPT2LMHeadModel(config).to(getattr(torch, str(next(iter(weights.values())).data.dtype)))
    state = model.state_dict()
    tensors = by_their_names(c, weights)
    with torch.no_grad():
        for name, target in state.items():
            source = name.removeprefix("transformer.")
            target.copy_(torch.from_numpy(np.array(tensors.get(source, tensors["wte.weight"]))))
    return model


def torch_backward(model: GPT2LMHeadModel, texts: Array) -> None:
    """The gradients of the mean loss, left in the model's parameters."""
    model.zero_grad()
    logits = model(torch.from_numpy(texts[:, :-1])).logits
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(texts[:, 1:].reshape(-1)))
    losses.backward()  # type: ignore[no-untyped-call]


def named(model: GPT2LMHeadModel) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """Its parameters by Hugging Face's names without the prefix."""
    for name, parameter in model.named_parameters():
        yield name.removeprefix("transformer."), parameter


def torch_optimiser(model: GPT2LMHeadModel, s: Settings) -> torch.optim.Optimizer:
    """The same optimiser, as PyTorch has it."""
    groups: list[dict[str, Any]] = [
        {"params": [p for _, p in named(model) if p.ndim > 1], "weight_decay": s.decay + s.l2},
        {"params": [p for _, p in named(model) if p.ndim == 1], "weight_decay": s.l2},
    ]
    if s.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=s.rate, momentum=s.momentum)
    kind = torch.optim.AdamW if s.optimiser == "adamw" else torch.optim.Adam
    return kind(groups, lr=s.rate, betas=(s.momentum, s.square_keep), eps=s.epsilon)


def torch_clip(model: GPT2LMHeadModel, limit: float) -> None:
    """Shortens the gradients to the limit; PyTorch's own function adds 1e-6 to their length, so that it ends below."""
    found = [p.grad for p in model.parameters() if p.grad is not None]
    length = float(sum(g.square().sum() for g in found)) ** 0.5
    for gradient in found if length > limit else ():
        gradient.mul_(limit / length)


# ---- both ------------------------------------------------------------------------------------------------------------


def gradients(shape: Shape, weights: Mapping[str, Weight], texts: Array) -> dict[str, Array]:
    """Ours, by Hugging Face's names."""
    trace = Trace(weights)
    with Run(weights, trace) as run:
        loss, _ = GPT(shape.config, weights).loss(run, texts[:, :-1].copy(), texts[:, 1:].copy(), texts[:, 1:].size)
        found = Backward(run, trace, loss.name).gradients()
        both = {key: w.with_data(found[w.name].data.copy()) for key, w in weights.items()}
    return by_their_names(shape.config, both)


def gradient_distance(shape: Shape, large: bool, dtype: Any) -> float:
    """How far the gradient that is furthest away is."""
    weights, texts = weights_of(shape, large, dtype), batches(shape)[0]
    model = torch_model(shape, weights)
    torch_backward(model, texts)
    ours = gradients(shape, weights, texts)
    theirs = {name: parameter.grad.numpy() for name, parameter in named(model) if parameter.grad is not None}
    assert set(theirs) == set(by_their_names(shape.config, weights))
    most = max(float(np.abs(g).max()) for g in theirs.values())
    # What is 0 in truth is rounding on both sides: measured against the largest of all, times what float32 can tell apart.
    return max(float(np.abs(ours[n] - g).max()) / max(float(np.abs(g).max()), 1e-2 * most) for n, g in theirs.items())


def training_distance(shape: Shape, large: bool, settings: Settings) -> float:
    """How far the weights are after some steps, in float64."""
    weights = weights_of(shape, large, np.float64)
    model, ours = torch_model(shape, weights), Trainer(weights, settings)
    theirs = torch_optimiser(model, settings)
    for texts in batches(shape):
        torch_backward(model, texts)
        if settings.clip:
            torch_clip(model, settings.clip)
        theirs.step()
        ours.step([part(shape, ours, texts)])
    found = by_their_names(shape.config, ours.state.weights)
    expected = {name: p.detach().numpy() for name, p in named(model)}
    return max(float(np.abs(found[n] - w).max()) / float(np.abs(w).max()) for n, w in expected.items())


def part(shape: Shape, trainer: Trainer, texts: Array) -> Part:
    """A whole batch as one part."""

    def forward(run: Run, summed: Tensor | None) -> tuple[Tensor, Tensor]:
        ids, targets = texts[:, :-1].copy(), texts[:, 1:].copy()
        return GPT(shape.config, trainer.state.weights).loss(run, ids, targets, ids.size, summed)

    return forward


def main() -> int:
    torch.set_num_threads(1)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    bounds = ", ".join(f"{dtype} {bound:g}" for dtype, bound in BOUNDS.items())
    print(
        f"PyTorch {torch.__version__.partition('+')[0]}; bounds of gradients: {bounds}; of weights after {STEPS} steps: {AFTER:g}"
    )
    print("    V    C heads blocks  batch×T weights  float32  float64  " + "  ".join(f"{n:>14}" for n in OPTIMISERS))
    bad = 0
    for shape in SHAPES:
        for large in (False, True):
            found = {dtype: gradient_distance(shape, large, dtype) for dtype in BOUNDS}
            after = [training_distance(shape, large, s) for s in OPTIMISERS.values()]
            wrong = sum(not found[dtype] <= BOUNDS[dtype] for dtype in found) + sum(not x <= AFTER for x in after)
            bad += wrong
            c = shape.config
            print(
                f"{c.vocabulary:5} {c.width:4} {c.heads:5} {c.blocks:6} {shape.batch:6}×{shape.tokens:<3}"
                f" {'large' if large else 'initial':7} " + "  ".join(f"{x:7.1e}" for x in found.values()),
                *(f"{x:15.1e}" for x in after),
                "TOO FAR" * bool(wrong),
            )
    print("all agree" if not bad else f"{bad} distances are too large")
    return 1 if bad else 0


if __name__ == "__main__":
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    sys.exit(main())
