#!/usr/bin/env python
"""Compare the Transformer with PyTorch's `nn.Transformer` of the same weights: every recorded layer, and every gradient.

    python tools/check_torch.py

Needs torch (2.13.0 was used). `nn.Transformer` has a layer norm after the last block of each half, which the paper has not, and
which is taken out. Exit code 1 where a layer is further off than 1e-5, or a gradient than 1e-4.
"""

from __future__ import annotations

import math
import sys
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from llmtrace.arithmetic.types import Array
from llmtrace.models import Transformer, TransformerConfig
from llmtrace.ops import Weight, by_name
from llmtrace.trace import Backward, Run, Trace
from llmtrace.weights.transformer import TRANSFORMER

CONFIG = TransformerConfig(vocabulary=50, context=16, width=32, heads=4, blocks=2, hidden=64, start=1)
TEXTS, SOURCE, TARGET = 3, 7, 5
LAYERS, GRADIENTS = 1e-5, 1e-4


def weights(random: np.random.Generator) -> dict[str, Weight]:
    """Random weights, with biases and gains away from 0 and 1."""
    initial = TRANSFORMER.initial(CONFIG, 3)
    own = {
        name: Weight(name, (w.data + random.normal(0, 0.1, w.data.shape)).astype("f"), w.axes)
        for name, w in by_name(initial.values()).items()
    }
    return {name: own[w.name] for name, w in initial.items()}


def ours(named: dict[str, Weight], source: Array, target: Array, said: Array) -> tuple[Trace, dict[str, Array]]:
    """The trace of a training step, and the gradients under the names that files have."""
    trace = Trace(named)
    with Run(named, trace) as run:
        loss, _sum = Transformer(CONFIG, named).reading(source).loss(run, target, said, said.size)
        found = Backward(run, trace, loss.name, {}).gradients()
    gradients = {name: Weight(name, g.data, named[name].axes) for name, g in found.items()}
    gradients["logits.weight"] = gradients["embed.token.weight"]
    return trace, TRANSFORMER.tensors(CONFIG, gradients)


def theirs(tensors: dict[str, Array], trace: Trace, said: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    """The outputs of PyTorch's layers by our names, and its gradients."""
    model: Any = nn.Transformer(
        CONFIG.width, CONFIG.heads, CONFIG.blocks, CONFIG.blocks, CONFIG.hidden, dropout=0.0, batch_first=True
    )
    model.encoder.norm = model.decoder.norm = None
    model.load_state_dict({name: torch.tensor(t) for name, t in tensors.items() if name != "embed.weight"})
    table = nn.Parameter(torch.tensor(tensors["embed.weight"]))
    seen: dict[str, Array] = {}
    for half in ("encoder", "decoder"):
        for n, layer in enumerate(getattr(model, half).layers):
            _watch(layer, f"{half}.block.{n}", seen)
    rows = []
    for half, ids in (("encoder", "source"), ("decoder", "tokens")):
        codes = torch.tensor(np.array(trace.tensor(f"{half}.embed.position")))
        row = (
            nn.functional.embedding(torch.tensor(np.array(trace.tensor(ids))), table) * math.sqrt(CONFIG.width) + codes
        )
        seen[f"{half}.embed"] = row.detach().numpy()
        rows.append(row)
    logits = model(*rows, tgt_mask=nn.Transformer.generate_square_subsequent_mask(TARGET)) @ table.T
    seen["logits"] = logits.detach().numpy()
    loss = nn.functional.cross_entropy(logits.reshape(-1, CONFIG.vocabulary), torch.tensor(said).reshape(-1))
    loss.backward()
    gradients = {name: parameter.grad.numpy() for name, parameter in model.named_parameters()}
    return seen, {**gradients, "embed.weight": table.grad.numpy()}


def _watch(layer: Any, block: str, seen: dict[str, Array]) -> None:
    """Records what the parts of a layer give."""

    def keep(name: str, _module: Any, _given: Any, out: Any) -> None:
        seen[f"{block}.{name}"] = (out[0] if isinstance(out, tuple) else out).detach().numpy()
        if isinstance(out, tuple):
            seen[f"{block}.{name.replace('out', 'pattern')}"] = out[1].detach().numpy()

    def with_shares(_module: Any, given: Any, settings: dict[str, Any]) -> Any:
        return given, {**settings, "need_weights": True, "average_attn_weights": False}

    parts = {"self_attn": "attn.out", "multihead_attn": "cross.out", "linear1": "mlp.up", "linear2": "mlp.down"}
    for there, here in {**parts, **{f"norm{n}": f"ln_{n}" for n in (1, 2, 3)}}.items():
        module = getattr(layer, there, None)
        if module is not None:
            module.register_forward_hook(partial(keep, here))
            if there.endswith("attn"):
                module.register_forward_pre_hook(with_shares, with_kwargs=True)


def main() -> int:
    """Compares, and says how far apart they are."""
    random = np.random.default_rng(0)
    named = weights(random)
    source, target, said = (random.integers(3, CONFIG.vocabulary, (TEXTS, n)) for n in (SOURCE, TARGET, TARGET))
    target[:, 0] = CONFIG.start
    trace, gradients = ours(named, source, target, said)
    layers, slopes = theirs(TRANSFORMER.tensors(CONFIG, named), trace, said)
    worst = max((float(np.abs(trace.tensor(name) - values).max()), name) for name, values in layers.items())
    steepest = max((float(np.abs(gradients[name] - values).max()), name) for name, values in slopes.items())
    print(f"{len(layers)} layers: {worst[0]:.1e} apart at most ({worst[1]})")
    print(f"{len(slopes)} gradients: {steepest[0]:.1e} apart at most ({steepest[1]})")
    return int(worst[0] > LAYERS or steepest[0] > GRADIENTS or slopes.keys() != gradients.keys())


if __name__ == "__main__":
    sys.exit(main())
