"""Loading a GPT-2 folder in the layout of Hugging Face: config.json, model.safetensors, tokenizer.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.models import GPT, GPTConfig
from llmtrace.ops import Weight
from llmtrace.ops.op import Array, Axes
from llmtrace.tokenizers import load_tokenizer

IN_OUT = ("in", "out")


def load_folder(folder: Path | str) -> GPT:
    """The model in a folder; ModelError says in one line what is missing or wrong."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError(f"there is no model folder {str(folder)!r}; give a folder with config.json and model.safetensors")
    config = read_config(folder / "config.json")
    stored = read_tensors(folder / "model.safetensors")
    weights = gpt_weights(config, stored, str(folder))
    tokenizer = load_tokenizer(folder)
    if tokenizer is not None and len(tokenizer) > config.vocabulary:
        raise ModelError(f"{folder}: the tokenizer has {len(tokenizer)} tokens, but the model only {config.vocabulary}")
    return GPT(config, weights, tokenizer, folder.resolve().name)


def read_config(path: Path) -> GPTConfig:
    """GPT-2's sizes from config.json."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} can't be read: {error}") from error
    if not isinstance(data, dict) or data.get("model_type") != "gpt2":
        kind = data.get("model_type") if isinstance(data, dict) else type(data).__name__
        raise ModelError(f"{path} describes {kind!r}, but only 'gpt2' can be read")
    if data.get("activation_function", "gelu_new") not in {"gelu_new", "gelu_pytorch_tanh"}:
        raise ModelError(f"{path}: the activation must be gelu_new (GELU in its tanh form), not {data['activation_function']!r}")
    try:
        c = GPTConfig(
            vocabulary=_size(data, "vocab_size"),
            context=_size(data, "n_positions"),
            width=_size(data, "n_embd"),
            heads=_size(data, "n_head"),
            blocks=_size(data, "n_layer"),
            hidden=4 * data["n_embd"] if data.get("n_inner") is None else _size(data, "n_inner"),
            epsilon=float(data.get("layer_norm_epsilon", 1e-5)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: {error} is missing or wrong") from error
    if c.width % c.heads:
        raise ModelError(f"{path}: a width of {c.width} can't be split into {c.heads} heads")
    return c


def _size(data: dict[str, Any], name: str) -> int:
    if not isinstance(data[name], int) or data[name] < 1:
        raise ValueError(f"{name} = {data[name]!r}")
    return data[name]


def read_tensors(path: Path) -> dict[str, Array]:
    """All tensors of a safetensors file, float32."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelError(f"{path} can't be read as safetensors: {error}") from error


def gpt_shapes(c: GPTConfig) -> dict[str, tuple[int, ...]]:
    """The tensors of a GPT-2 in Hugging Face's names (without `transformer.`) and their shapes, linear weights [in, out]."""
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (c.vocabulary, c.width), "wpe.weight": (c.context, c.width)}
    for i in range(c.blocks):
        for name, inputs, outputs in (
            ("attn.c_attn", c.width, 3 * c.width),
            ("attn.c_proj", c.width, c.width),
            ("mlp.c_fc", c.width, c.hidden),
            ("mlp.c_proj", c.hidden, c.width),
        ):
            shapes[f"h.{i}.{name}.weight"] = (inputs, outputs)
            shapes[f"h.{i}.{name}.bias"] = (outputs,)
        for name in ("ln_1", "ln_2"):
            shapes[f"h.{i}.{name}.weight"] = shapes[f"h.{i}.{name}.bias"] = (c.width,)
    shapes["ln_f.weight"] = shapes["ln_f.bias"] = (c.width,)
    return shapes


def gpt_weights(c: GPTConfig, stored: dict[str, Array], where: str, out_in: bool = False) -> dict[str, Weight]:
    """Weights by our names, checked. `out_in`: linear weights are stored [out, in], as torch's Linear has them, and turned."""
    tensors = {name.removeprefix("transformer."): array for name, array in stored.items()}
    head = tensors.pop("lm_head.weight", None)
    for name in [n for n in tensors if n.endswith((".attn.bias", ".attn.masked_bias"))]:
        del tensors[name]  # the causal mask, which some files carry; not a parameter
    shapes = gpt_shapes(c)
    if out_in:
        tensors = {n: a.T if a.ndim == 2 and not n.startswith("w") else a for n, a in tensors.items()}
    problems = [f"{name} is missing" for name in shapes if name not in tensors]
    problems += [f"{name} is not part of a GPT-2" for name in tensors if name not in shapes]
    everything = {**tensors, "lm_head.weight": head} if head is not None else tensors
    for name, array in everything.items():
        shape = shapes.get(name, (c.vocabulary, c.width) if name == "lm_head.weight" else array.shape)
        if array.shape != shape:
            problems.append(f"{name} has shape {array.shape}, expected {shape}")
        if array.dtype not in (np.float32, np.float64):
            problems.append(f"{name} is {array.dtype}, expected float32")
        elif not np.isfinite(array).all():
            problems.append(f"{name} holds numbers that are not finite")
    if problems:
        raise ModelError(f"{where}: " + "; ".join(problems))
    return _named(c, tensors, head)


def _named(c: GPTConfig, tensors: dict[str, Array], head: Array | None) -> dict[str, Weight]:
    weights: dict[str, Weight] = {}

    def add(name: str, data: Array, axes: Axes) -> None:
        weights[name] = Weight(name, data, axes)

    def linear(name: str, source: str, part: slice = slice(None)) -> None:
        add(f"{name}.weight", tensors[f"{source}.weight"][:, part], IN_OUT)
        add(f"{name}.bias", tensors[f"{source}.bias"][part], ("out",))

    def norm(name: str, source: str) -> None:
        add(f"{name}.gain", tensors[f"{source}.weight"], ("feature",))
        add(f"{name}.bias", tensors[f"{source}.bias"], ("feature",))

    add("embed.token.weight", tensors["wte.weight"], ("vocabulary", "feature"))
    add("embed.position.weight", tensors["wpe.weight"], ("position", "feature"))
    for i in range(c.blocks):
        for which, name in enumerate("qkv"):
            linear(f"block.{i}.attn.{name}", f"h.{i}.attn.c_attn", slice(which * c.width, (which + 1) * c.width))
        linear(f"block.{i}.attn.out", f"h.{i}.attn.c_proj")
        linear(f"block.{i}.mlp.up", f"h.{i}.mlp.c_fc")
        linear(f"block.{i}.mlp.down", f"h.{i}.mlp.c_proj")
        norm(f"block.{i}.ln_1", f"h.{i}.ln_1")
        norm(f"block.{i}.ln_2", f"h.{i}.ln_2")
    norm("ln_f", "ln_f")
    if head is not None:
        add("logits.weight", head, ("vocabulary", "feature"))
    else:
        weights["logits.weight"] = weights["embed.token.weight"]  # tied: the same numbers read tokens in and score them
    return weights
