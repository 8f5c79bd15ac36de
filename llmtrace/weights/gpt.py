"""The weights of a GPT-2: Hugging Face's names to ours, checked, and back.

Hugging Face stores a linear layer [in, out] (its Conv1D), and queries, keys and values side by side in one (`c_attn`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from llmtrace.arithmetic.bits import same_bits
from llmtrace.arithmetic.types import Array, Axes
from llmtrace.errors import ModelError
from llmtrace.i18n import _
from llmtrace.models import GPTConfig
from llmtrace.ops import Weight
from llmtrace.storage.stored import StoredTensor, all_finite
from llmtrace.text import shown

HEAD = "lm_head.weight"
MASK = re.compile(r"h\.\d+\.attn\.(masked_)?bias")
"""The causal mask, which old files carry; not a parameter."""
NAMED = 8
"""So many problems are named in one error; the others are counted."""
IN_OUT = ("in", "out")
LINEARS = {"attn.out": "attn.c_proj", "mlp.up": "mlp.c_fc", "mlp.down": "mlp.c_proj"}


def gpt_shapes(c: GPTConfig) -> dict[str, tuple[int, ...]]:
    """The tensors of a GPT-2 in Hugging Face's names (without `transformer.`) and their shapes, linear [in, out]."""
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


def gpt_weights(
    c: GPTConfig,
    stored: Mapping[str, Array | StoredTensor],
    where: str,
    out_in: bool = False,
    tied: bool | None = None,
) -> dict[str, Weight]:
    """Weights by our names; one ModelError names every tensor that is missing, unknown or not what it must be.

    `out_in`: linear weights are stored [out, in], as torch's Linear has them, and turned.
    `tied`: whether the output reads the token embedding; None: unless `lm_head.weight` is stored.
    """
    shapes = gpt_shapes(c)
    if HEAD in stored or tied is False:
        shapes[HEAD] = shapes["wte.weight"]
    problems: list[str] = []
    tensors: dict[str, Array] = {}
    for full, tensor in stored.items():
        name = full.removeprefix("transformer.")
        if MASK.fullmatch(name):
            continue
        if name not in shapes:
            problems.append(_("{name} is not part of this GPT-2", name=shown(full, 80)))
        elif name in tensors:
            problems.append(_("{name} is there twice, with transformer. and without", name=name))
        else:
            turned = out_in and len(tensor.shape) == 2 and not name.startswith(("w", "lm"))
            tensors[name] = _read(name, tensor, shapes[name], turned, problems)
    problems[:0] = [_("{name} is missing", name=name) for name in shapes if name not in tensors]
    if len({array.dtype for array in tensors.values()} & {np.dtype(np.float32), np.dtype(np.float64)}) > 1:
        problems.append(_("some tensors are float32, others float64"))
    if not problems and tied and HEAD in tensors and not same_bits(tensors[HEAD], tensors["wte.weight"]):
        problems.append(
            _(
                "tie_word_embeddings is true, but {head} is stored and differs from wte.weight; set it to false"
                " in config.json if the stored one is meant",
                head=HEAD,
            )
        )
    if problems:
        more = _("; and {count} more", count=len(problems) - NAMED) if len(problems) > NAMED else ""
        raise ModelError(f"{where}: " + "; ".join(problems[:NAMED]) + more)
    return _named(c, tensors, tied)


def _read(name: str, tensor: Array | StoredTensor, shape: tuple[int, ...], turned: bool, problems: list[str]) -> Array:
    """The numbers of a tensor; what is wrong with it goes to `problems`."""
    nothing = np.empty(0, np.float32)
    expected = shape[::-1] if turned else shape
    if tensor.shape != expected:
        problems.append(
            _("{name} has shape {shape}, expected {expected}", name=name, shape=tensor.shape, expected=expected)
        )
    if isinstance(tensor, StoredTensor):
        try:
            array = tensor.read() if tensor.shape == expected else nothing
        except ValueError as error:
            problems.append(f"{name} {error}")
            return nothing
    else:
        array = tensor
    if array.dtype not in (np.float32, np.float64):
        problems.append(_("{name} is {dtype}, expected float32", name=name, dtype=array.dtype))
    elif not all_finite(array):
        index = np.unravel_index(int(np.isfinite(array).argmin()), array.shape)
        problems.append(
            _(
                "{name} holds numbers that are not finite, such as {number} at {place}",
                name=name,
                number=array[index],
                place=[int(i) for i in index],
            )
        )
    return array.T if turned else array


def _named(c: GPTConfig, tensors: dict[str, Array], tied: bool | None) -> dict[str, Weight]:
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
        for name, source in LINEARS.items():
            linear(f"block.{i}.{name}", f"h.{i}.{source}")
        norm(f"block.{i}.ln_1", f"h.{i}.ln_1")
        norm(f"block.{i}.ln_2", f"h.{i}.ln_2")
    norm("ln_f", "ln_f")
    head = tensors.get(HEAD)
    if head is None or (tied is not False and same_bits(head, tensors["wte.weight"])):
        weights["logits.weight"] = weights["embed.token.weight"]  # tied: the same numbers read tokens in and score them
    else:
        add("logits.weight", head, ("vocabulary", "feature"))
    return weights


def gpt_tensors(c: GPTConfig, weights: Mapping[str, Weight]) -> dict[str, Array]:
    """The way back: Hugging Face's names and shapes, `lm_head.weight` only where the output has weights of its own."""
    tensors: dict[str, Array] = {}

    def linear(source: str, *names: str) -> None:
        for kind in ("weight", "bias"):
            parts = [weights[f"{name}.{kind}"].data for name in names]
            tensors[f"{source}.{kind}"] = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)

    def norm(source: str, name: str) -> None:
        tensors[f"{source}.weight"] = weights[f"{name}.gain"].data
        tensors[f"{source}.bias"] = weights[f"{name}.bias"].data

    tensors["wte.weight"] = weights["embed.token.weight"].data
    tensors["wpe.weight"] = weights["embed.position.weight"].data
    for i in range(c.blocks):
        linear(f"h.{i}.attn.c_attn", *(f"block.{i}.attn.{name}" for name in "qkv"))
        for name, source in LINEARS.items():
            linear(f"h.{i}.{source}", f"block.{i}.{name}")
        norm(f"h.{i}.ln_1", f"block.{i}.ln_1")
        norm(f"h.{i}.ln_2", f"block.{i}.ln_2")
    norm("ln_f", "ln_f")
    tensors = {f"transformer.{name}": array for name, array in tensors.items()}
    if weights["logits.weight"] is not weights["embed.token.weight"]:
        tensors[HEAD] = weights["logits.weight"].data
    return tensors
