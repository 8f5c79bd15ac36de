#!/usr/bin/env python
"""Compare llmtrace with transformers' Llama, Qwen2 and Mistral: every recorded layer, the loss, all gradients.

    python tools/check_llama.py

Needs PyTorch and transformers, so it is not part of the tests. Each model has random weights, is saved by `save_pretrained` and
read by `llmtrace.load`. Both compute in float32, in a different order; the distance of each tensor is measured against its
largest value. Exit code 1 where one is further away than the bound.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

import llmtrace
from llmtrace.arithmetic.types import Array
from llmtrace.models import LanguageModel
from llmtrace.ops import Weight
from llmtrace.trace import Backward, Run, Trace
from llmtrace.weights.families import family_of

LAYERS, GRADIENTS = 1e-5, 2e-5
TOKENS = 40
SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
    "attn_implementation": "eager",
}
OWN_HEADS = {**SIZES, "num_key_value_heads": 6, "head_dim": 12, "attention_bias": True, "tie_word_embeddings": True}
MODELS: dict[str, Callable[[], Any]] = {
    "llama, grouped": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
    "llama, own heads, biases, tied": lambda: LlamaForCausalLM(LlamaConfig(**OWN_HEADS)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES)),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**SIZES, sliding_window=None)),
}
PARTS = {
    "input_layernorm": "ln_1",
    "self_attn.q_proj": "attn.q",
    "self_attn.k_proj": "attn.k",
    "self_attn.v_proj": "attn.v",
    "self_attn.o_proj": "attn.out",
    "post_attention_layernorm": "ln_2",
    "mlp.gate_proj": "mlp.gate",
    "mlp.act_fn": "mlp.act",
    "mlp.up_proj": "mlp.up",
    "mlp.down_proj": "mlp.down",
    "": "residual_out",
}


def theirs(model: Any, ids: Any) -> dict[str, Array]:
    """What transformers computes, by our names; gradients by theirs, with d. before."""
    found: dict[str, Array] = {}

    def keep(name: str) -> Callable[..., None]:
        def hook(_module: Any, _inputs: Any, out: Any) -> None:
            found[name] = (out[0] if isinstance(out, tuple) else out).detach().numpy()[0]

        return hook

    for n, layer in enumerate(model.model.layers):
        for part, name in PARTS.items():
            layer.get_submodule(part).register_forward_hook(keep(f"block.{n}.{name}"))
    model.model.embed_tokens.register_forward_hook(keep("embed"))
    model.model.norm.register_forward_hook(keep("ln_f"))
    out = model(ids, labels=ids, output_attentions=True)
    found |= {f"block.{n}.attn.pattern": each.detach().numpy()[0] for n, each in enumerate(out.attentions)}
    out.loss.backward()
    found |= {"logits": out.logits.detach().numpy()[0], "loss": out.loss.detach().numpy()}
    return found | {f"d.{name}": weight.grad.numpy() for name, weight in model.named_parameters()}


def ours(model: LanguageModel, ids: Array) -> dict[str, Array]:
    """The same from llmtrace."""
    trace = model.trace(ids.tolist())
    found = {name: np.asarray(trace.tensor(name)) for name in trace}
    training = Trace(model.weights)
    with Run(model.weights, training) as run:
        model.loss(run, ids[None, :-1], ids[None, 1:], len(ids) - 1)
        gradients = {name: g.data.copy() for name, g in Backward(run, training).gradients().items()}
    family = family_of(model)
    assert family
    weights = {name: Weight(name, g, model.weights[name].axes) for name, g in gradients.items()}
    if family.is_tied(model.weights):
        weights["logits.weight"] = weights["embed.token.weight"]
    stored = family.tensors(model.config, weights)
    return found | {"loss": training.tensor("loss")} | {f"d.{name}": array for name, array in stored.items()}


def distance(own: Array, other: Array) -> float:
    """How far two tensors are apart, beside the largest number; heads are laid side by side where the other has them so."""
    if own.ndim == other.ndim + 1:
        own = np.moveaxis(own, 0, 1).reshape(other.shape)
    return float(np.abs(own - other).max() / max(1e-3, float(np.abs(other).max())))


def main() -> int:
    """Prints the largest distance of each model."""
    torch.manual_seed(0)
    wrong = 0
    for title, make in MODELS.items():
        model = make().eval()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "bias" in name or "norm" in name:
                    weight.add_(0.2 * torch.randn_like(weight))
        ids = torch.randint(0, SIZES["vocab_size"], (1, TOKENS))
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(Path(folder) / "model")
            loaded = llmtrace.load(str(Path(folder) / "model"))
            assert isinstance(loaded, LanguageModel)
            expected, found = theirs(model, ids), ours(loaded, ids.numpy()[0])
        for what, bound, chosen in (("layers", LAYERS, False), ("gradients", GRADIENTS, True)):
            far = {n: distance(found[n], other) for n, other in expected.items() if n.startswith("d.") is chosen}
            worst = max(far, key=lambda name: far[name])
            print(f"{title}: {len(far)} {what}, largest distance {far[worst]:.1e} ({worst})")
            wrong += far[worst] > bound
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
