"""The Transformer of the paper on disk: a config.json of our own, with the tensors named and laid out as PyTorch's
`nn.Transformer` has them, so that its `load_state_dict` takes them; the table of tokens is `embed.weight`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from llmtrace.i18n import _
from llmtrace.models import Transformer, TransformerConfig
from llmtrace.weights.config import written
from llmtrace.weights.family import Entry, Family, Tied

SIZES = {
    "vocab_size": ("vocabulary", 1, 1 << 31),
    "max_position_embeddings": ("context", 1, 1 << 20),
    "d_model": ("width", 1, 1 << 31),
    "nhead": ("heads", 1, 1 << 31),
    "num_layers": ("blocks", 1, 10_000),
    "dim_feedforward": ("hidden", 1, 1 << 33),
    "decoder_start_token_id": ("start", 0, 1 << 31),
}
"""Name in the file → our name, the least and what is beyond all sense."""


def read_config(data: Mapping[str, Any], problems: list[str]) -> TransformerConfig:
    """The sizes."""
    sizes = {ours: _size(data, name, least, most, problems) for name, (ours, least, most) in SIZES.items()}
    if sizes["width"] % sizes["heads"] and not problems:
        problems.append(_("a width of {width} can't be split into {heads} heads", **sizes))
    if sizes["start"] >= sizes["vocabulary"] and not problems:
        problems.append(
            _(
                "there is no token {start} (decoder_start_token_id): the vocabulary has {vocabulary}",
                start=sizes["start"],
                vocabulary=sizes["vocabulary"],
            )
        )
    epsilon = data.get("layer_norm_eps", 1e-5)
    if not (type(epsilon) in (int, float) and 0 < epsilon <= 1 and np.float32(epsilon) > 0):
        problems.append(_("layer_norm_eps must be a number above 0, at most 1, not {value}", value=written(epsilon)))
        epsilon = 1e-5
    if problems:
        return TransformerConfig(1, 1, 1, 1, 1, 1, 0)
    return TransformerConfig(**sizes, epsilon=float(epsilon))


def _size(data: Mapping[str, Any], name: str, least: int, most: int, problems: list[str]) -> int:
    value = data.get(name)
    if value is None:
        problems.append(_("{name} is missing", name=name))
    elif type(value) is not int or not least <= value <= most:
        problems.append(
            _(
                "{name} must be a whole number from {least} to {most:,}, not {value}",
                name=name,
                least=least,
                most=most,
                value=written(value),
            )
        )
    else:
        return value
    return 1


def config_json(c: TransformerConfig, tied: bool) -> dict[str, Any]:
    """What config.json says of a model."""
    return {
        "architectures": ["Transformer"],
        "model_type": "transformer",
        **{name: getattr(c, ours) for name, (ours, _least, _most) in SIZES.items()},
        "layer_norm_eps": c.epsilon,
        "tie_word_embeddings": tied,
        "torch_dtype": "float32",
    }


def table(c: TransformerConfig) -> Iterator[Entry]:
    """Every tensor of a Transformer of these sizes."""
    yield Entry(
        "embed.weight", (c.vocabulary, c.width), ("embed.token.weight",), ("vocabulary", "feature"), std=c.width**-0.5
    )
    for i in range(c.blocks):
        yield from _layer(c, f"encoder.layers.{i}", f"encoder.block.{i}", {"self_attn": "attn"})
    for i in range(c.blocks):
        attentions = {"self_attn": "attn", "multihead_attn": "cross"}
        yield from _layer(c, f"decoder.layers.{i}", f"decoder.block.{i}", attentions)


def _layer(c: TransformerConfig, stored: str, block: str, attentions: Mapping[str, str]) -> Iterator[Entry]:
    for there, here in attentions.items():
        names = [f"{block}.{here}.{part}" for part in "qkv"]
        yield from _linear(f"{stored}.{there}.in_proj_", c.width, 3 * c.width, *names)
        yield from _linear(f"{stored}.{there}.out_proj.", c.width, c.width, f"{block}.{here}.out")
    yield from _linear(f"{stored}.linear1.", c.width, c.hidden, f"{block}.mlp.up")
    yield from _linear(f"{stored}.linear2.", c.hidden, c.width, f"{block}.mlp.down")
    for n in range(1, len(attentions) + 2):
        yield Entry(f"{stored}.norm{n}.weight", (c.width,), (f"{block}.ln_{n}.gain",), ("feature",), "one")
        yield Entry(f"{stored}.norm{n}.bias", (c.width,), (f"{block}.ln_{n}.bias",), ("feature",), "zero")


def _linear(stored: str, inputs: int, outputs: int, *names: str) -> Iterator[Entry]:
    weights, biases = (tuple(f"{name}.{kind}" for name in names) for kind in ("weight", "bias"))
    yield Entry(f"{stored}weight", (inputs, outputs), weights, ("in", "out"), transposed=True, std=inputs**-0.5)
    yield Entry(f"{stored}bias", (outputs,), biases, ("out",), "zero")


TRANSFORMER = Family(
    "transformer",
    "Transformer",
    "Transformer",
    Transformer,
    TransformerConfig,
    read_config,
    config_json,
    table,
    Tied("logits.weight", "logits.weight", "embed.weight", "embed.token.weight"),
)
