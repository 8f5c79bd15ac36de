"""config.json of a GPT-2, as Hugging Face has it: read with all that would change the mathematics, and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.i18n import N_, _
from llmtrace.models import GPTConfig
from llmtrace.storage.files import read_json
from llmtrace.text import shown

SIZES = {
    "vocab_size": ("vocabulary", 1 << 31),
    "n_positions": ("context", 1 << 31),
    "n_embd": ("width", 1 << 31),
    "n_head": ("heads", 1 << 31),
    "n_layer": ("blocks", 10_000),
    "n_inner": ("hidden", 1 << 33),
}
"""Name in the file → our name, and what is beyond all sense: a wrong digit must not list a billion tensors."""
ALIASES = {
    "n_positions": ("max_position_embeddings", "n_ctx"),
    "n_embd": ("hidden_size",),
    "n_head": ("num_attention_heads",),
    "n_layer": ("num_hidden_layers",),
}
"""Other names that transformers has for them. n_ctx counts only where n_positions is absent, as there."""
FIXED = {
    "scale_attn_weights": (True, N_("scores would not be divided by √D")),
    "scale_attn_by_inverse_layer_idx": (False, N_("scores would also be divided by the number of the layer")),
    "reorder_and_upcast_attn": (False, N_("attention would be computed in another order")),
    "add_cross_attention": (False, N_("blocks would also attend to an encoder")),
}
"""Switches that change the forward: the only value that can be computed here, and what the other one would do."""
ACTIVATIONS = ("gelu_new", "gelu_pytorch_tanh")
GPT2_END = 50256


def read_config(path: Path) -> GPTConfig:
    """GPT-2's sizes from config.json."""
    return read_settings(path)[0]


def read_settings(path: Path) -> tuple[GPTConfig, bool | None]:
    """The sizes, and whether the output is tied to the token embedding: None where the file does not say."""
    data = read_json(path)
    where = shown(path)
    if not isinstance(data, dict):
        raise ModelError(_("{where} does not describe a model: it is not a JSON object", where=where))
    _must_be_gpt2(data, where)
    problems: list[str] = []
    given = SIZES if data.get("n_inner") is not None else {n: size for n, size in SIZES.items() if n != "n_inner"}
    sizes = {ours: _size(data, name, limit, problems) for name, (ours, limit) in given.items()}
    sizes.setdefault("hidden", 4 * sizes["width"])
    if sizes["width"] % sizes["heads"] and not problems:
        problems.append(
            _(
                "a width (n_embd) of {width} can't be split into {heads} heads (n_head)",
                width=sizes["width"],
                heads=sizes["heads"],
            )
        )
    epsilon = _epsilon(data, problems)
    activation = data.get("activation_function", ACTIVATIONS[0])
    if activation not in ACTIVATIONS:
        names = _(" or ").join(ACTIVATIONS)
        problems.append(
            _(
                "activation_function must be {names} (GELU in its tanh form), not {found}",
                names=names,
                found=_said(activation),
            )
        )
    for name, (expected, meaning) in FIXED.items():
        if data.get(name, expected) is not expected:
            problems.append(
                _(
                    "{name} must be {expected}, not {found}: {meaning}",
                    name=name,
                    expected=_said(expected),
                    found=_said(data[name]),
                    meaning=_(meaning),
                )
            )
    tied = data.get("tie_word_embeddings")
    if tied is not None and not isinstance(tied, bool):
        problems.append(_("tie_word_embeddings must be true or false, not {found}", found=_said(tied)))
    if data.get("quantization_config") is not None:
        problems.append(_("quantization_config: quantised weights can't be read"))
    if problems:
        raise ModelError(f"{where}: {'; '.join(problems)}")
    return GPTConfig(**sizes, epsilon=epsilon), tied


def _must_be_gpt2(data: dict[str, Any], where: str) -> None:
    kind, architectures = data.get("model_type"), data.get("architectures")
    if kind is None and isinstance(architectures, list):  # files of 2019 have no model_type yet
        kind = "gpt2" if any(str(name).startswith("GPT2") for name in architectures) else None
    if kind is None:
        raise ModelError(_("{where} does not say what model it describes: it has no model_type", where=where))
    if kind != "gpt2":
        raise ModelError(_("{where} describes {kind}, but only 'gpt2' can be read", where=where, kind=_said(kind)))
    code = data.get("auto_map")
    if isinstance(code, dict) and any(str(name).startswith("AutoModel") for name in code):
        raise ModelError(
            _(
                "{where} describes a GPT-2 with code of its own (auto_map); only the plain GPT-2 can be read",
                where=where,
            )
        )


def _size(data: dict[str, Any], name: str, limit: int, problems: list[str]) -> int:
    found = next((n for n in (name, *ALIASES.get(name, ())) if data.get(n) is not None), None)
    if found is None:
        problems.append(_("{name} is missing", name=name))
        return 1
    value = data[found]
    if type(value) is not int or not 1 <= value <= limit:  # a bool is no size, though Python counts with it
        problems.append(
            _(
                "{found} must be a whole number from 1 to {limit:,}, not {value}",
                found=found,
                limit=limit,
                value=_said(value),
            )
        )
        return 1
    return value


def _epsilon(data: dict[str, Any], problems: list[str]) -> float:
    value = data.get("layer_norm_epsilon", 1e-5)
    if type(value) in (int, float) and 0 < value <= 1 and np.float32(value) > 0:
        return float(value)
    problems.append(_("layer_norm_epsilon must be a number above 0, at most 1, not {value}", value=_said(value)))
    return 1e-5


def _said(value: Any) -> str:
    """A value as config.json has it."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else shown(repr(value), 60)


def config_json(c: GPTConfig, tied: bool) -> dict[str, Any]:
    """What config.json says of a model."""
    sizes = {name: getattr(c, ours) for name, (ours, _limit) in SIZES.items()}
    # Left out, they are GPT-2's <|endoftext|> to transformers, which warns where there is no such token.
    ends = {} if c.vocabulary > GPT2_END else {"bos_token_id": None, "eos_token_id": None}
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        **sizes,
        **ends,
        "activation_function": ACTIVATIONS[0],
        "layer_norm_epsilon": c.epsilon,
        "tie_word_embeddings": tied,
        "torch_dtype": "float32",
    }
