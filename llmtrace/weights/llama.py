"""Llama in Hugging Face's files, and those that are computed as it is: Mistral without a sliding window, Qwen2, SmolLM2.

Hugging Face stores a linear layer [out, in] (torch's Linear). Its weights are for rotary positions by halves; a configuration
with `rotary_layout: "interleaved"`, which other formats hand over, is for pairs that lie side by side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from llmtrace.i18n import N_, _
from llmtrace.models.llama import LAYOUTS, Llama, LlamaConfig
from llmtrace.weights.config import agreed, checked_number, must_split, number_in, size_in, written
from llmtrace.weights.family import Entry, Family, Initial, Tied
from llmtrace.weights.names import own_name

SIZES = {
    "vocab_size": ("vocabulary", 1 << 31),
    "max_position_embeddings": ("context", 1 << 31),
    "hidden_size": ("width", 1 << 31),
    "num_attention_heads": ("heads", 1 << 31),
    "num_hidden_layers": ("blocks", 10_000),
    "intermediate_size": ("hidden", 1 << 33),
}
"""Name in the file → our name, and what is beyond all sense: a wrong digit must not list a billion tensors."""
FIXED: dict[str, tuple[Any, str]] = {
    "mlp_bias": (False, N_("the layers of the MLP would have biases")),
    "use_sliding_window": (False, N_("tokens would not see those far before them")),
    "is_causal": (True, N_("tokens would see those behind them")),
}
"""Switches that change the forward: the only value that can be computed here, and what the other one would do."""
WINDOW = 4096
"""Of a Mistral whose file does not say that it has none."""
ROTARY = ("rope_parameters", "rope_scaling")
"""Where newer files say how positions turn; what older ones say of it stands beside these."""


def read_config(data: Mapping[str, Any], problems: list[str]) -> LlamaConfig:
    """The sizes of a Llama."""
    bias = _flag(data, "attention_bias", problems)
    return _read(data, problems, qkv_bias=bias, out_bias=bias)


def read_mistral(data: Mapping[str, Any], problems: list[str]) -> LlamaConfig:
    """The sizes of a Mistral, whose window, if it has one, must be as long as its context."""
    config = _read(data, problems)
    window = data.get("sliding_window", WINDOW)
    if window is not None and not (type(window) is int and window >= config.context):
        text = _("sliding_window must be null, not {found}: tokens would not see those far before them")
        absent = _("absent, which means {window}", window=WINDOW)
        problems.append(text.format(found=written(window) if "sliding_window" in data else absent))
    return config


def read_qwen2(data: Mapping[str, Any], problems: list[str]) -> LlamaConfig:
    """The sizes of a Qwen2, whose queries, keys and values have biases."""
    return _read(data, problems, qkv_bias=True)


def _read(data: Mapping[str, Any], problems: list[str], **biases: bool) -> LlamaConfig:
    sizes: dict[str, Any] = {ours: size_in(data, name, limit, problems) for name, (ours, limit) in SIZES.items()}
    own: dict[str, Any] = {"heads": sizes["heads"], "width": sizes["width"]}
    own["kv_heads"] = _size_or(data, "num_key_value_heads", own["heads"], problems)
    own["head_size"] = _size_or(data, "head_dim", own["width"] // own["heads"], problems)
    if data.get("head_dim") is None:
        must_split(data, ("hidden_size", own["width"]), ("num_attention_heads", own["heads"]), problems)
    if not problems:
        _expect_even(data, own["heads"], own["kv_heads"], own["head_size"], problems)
    if data.get("hidden_act", "silu") not in ("silu", "swish"):
        problems.append(_("hidden_act must be silu, not {found}", found=written(data["hidden_act"])))
    for name, (expected, meaning) in FIXED.items():
        if data.get(name, expected) is not expected:
            text = _("{name} must be {expected}, not {found}: {meaning}")
            problems.append(
                text.format(name=name, expected=written(expected), found=written(data[name]), meaning=_(meaning))
            )
    layout = data.get("rotary_layout", "half")
    if layout not in [*LAYOUTS]:
        names = _(" or ").join(LAYOUTS)
        problems.append(_("rotary_layout must be {names}, not {found}", names=names, found=written(layout)))
    if problems:  # the sizes are not used then
        return LlamaConfig(1, 1, 2, 1, 1, 2, 1, 1)
    epsilon = number_in(data, "rms_norm_eps", 1e-6, 1, problems)
    return LlamaConfig(**sizes | own, epsilon=epsilon, base=_base(data, problems), layout=layout, **biases)


def _expect_even(data: Mapping[str, Any], heads: int, kv_heads: int, size: int, problems: list[str]) -> None:
    """Adds to `problems` what can't be shared by heads, or turned in pairs."""
    names = {name: own_name(data, name) for name in ("num_attention_heads", "num_key_value_heads", "head_dim")}
    if heads % kv_heads:
        text = _("{heads} heads ({name}) can't share {kv_heads} of keys and values ({kv_name}) evenly")
        name, kv_name = names["num_attention_heads"], names["num_key_value_heads"]
        problems.append(text.format(heads=heads, name=name, kv_heads=kv_heads, kv_name=kv_name))
    if size % 2:
        said = data.get("head_dim") is not None
        name = names["head_dim"] if said else f"{own_name(data, 'hidden_size')} / {names['num_attention_heads']}"
        text = _("a head of {size} features ({name}) can't be turned in pairs: their number must be even")
        problems.append(text.format(size=size, name=name))


def _size_or(data: Mapping[str, Any], name: str, usual: int, problems: list[str]) -> int:
    return usual if data.get(name) is None else size_in(data, name, 1 << 31, problems)


def _flag(data: Mapping[str, Any], name: str, problems: list[str]) -> bool:
    value = data.get(name, False)
    if not isinstance(value, bool):
        problems.append(_("{name} must be true or false, not {found}", name=name, found=written(value)))
    return value is True


def _base(data: Mapping[str, Any], problems: list[str]) -> float:
    """The base of the angles, wherever it stands; kinds of scaled angles are refused by name."""
    places: dict[str, Mapping[str, Any]] = {"": data}
    for name in ROTARY:
        inside = data.get(name)
        if inside is None:
            continue
        kind = inside
        if isinstance(inside, dict):
            places[f"{name}."] = inside
            wrong = len(problems)
            there, kind = agreed({f"{name}.{key}": inside.get(key) for key in ("rope_type", "type")}, problems)
            if len(problems) > wrong:
                return 1e4
            kind = kind if there else "default"
        if kind != "default":
            text = _("{name}: angles of positions scaled in the way {found} can't be computed")
            problems.append(text.format(name=name, found=written(kind)))
            return 1e4

    def found(name: str, usual: float) -> tuple[str, Any]:
        stated = {own_name(data, place + name): inside.get(name) for place, inside in places.items()}
        there, value = agreed(stated, problems)
        return (there, value) if there else (name, usual)

    name, part = found("partial_rotary_factor", 1)
    if part != 1:
        problems.append(_("{name} must be 1, not {found}", name=name, found=written(part)))
    return checked_number(*found("rope_theta", 1e4), 1e4, 1e30, problems)


def config_json(c: LlamaConfig, tied: bool) -> dict[str, Any]:
    """What config.json says of a model. One with biases of queries, keys and values alone is a Qwen2."""
    qwen = c.qkv_bias and not c.out_bias
    return {
        "architectures": ["Qwen2ForCausalLM" if qwen else "LlamaForCausalLM"],
        "model_type": "qwen2" if qwen else "llama",
        **{name: getattr(c, ours) for name, (ours, _limit) in SIZES.items()},
        "num_key_value_heads": c.kv_heads,
        "head_dim": c.head_size,
        "hidden_act": "silu",
        **({"attention_bias": True} if c.out_bias else {}),
        "rms_norm_eps": c.epsilon,
        "rope_theta": c.base,
        **({"rotary_layout": c.layout} if c.layout != "half" else {}),
        "tie_word_embeddings": tied,
        "torch_dtype": "float32",
    }


def table(c: LlamaConfig) -> Iterator[Entry]:
    """Every tensor of a Llama of these sizes."""
    queries, keys = c.heads * c.head_size, c.kv_heads * c.head_size

    def linear(stored: str, inputs: int, outputs: int, name: str, initial: Initial = "normal") -> Entry:
        axes = ("in", "out")
        weights = (f"{name}.weight",)
        return Entry(f"{stored}.weight", (inputs, outputs), weights, axes, initial, 2 * c.blocks, transposed=True)

    def norm(stored: str, name: str) -> Entry:
        return Entry(f"{stored}.weight", (c.width,), (f"{name}.gain",), ("feature",), "one")

    yield Entry("embed_tokens.weight", (c.vocabulary, c.width), ("embed.token.weight",), ("vocabulary", "feature"))
    for i in range(c.blocks):
        layer, block = f"layers.{i}", f"block.{i}"
        for name, outputs in (("q", queries), ("k", keys), ("v", keys)):
            stored = f"{layer}.self_attn.{name}_proj"
            yield linear(stored, c.width, outputs, f"{block}.attn.{name}")
            if c.qkv_bias:
                yield Entry(f"{stored}.bias", (outputs,), (f"{block}.attn.{name}.bias",), ("out",), "zero")
        yield linear(f"{layer}.self_attn.o_proj", queries, c.width, f"{block}.attn.out", "residual")
        if c.out_bias:
            yield Entry(f"{layer}.self_attn.o_proj.bias", (c.width,), (f"{block}.attn.out.bias",), ("out",), "zero")
        yield linear(f"{layer}.mlp.gate_proj", c.width, c.hidden, f"{block}.mlp.gate")
        yield linear(f"{layer}.mlp.up_proj", c.width, c.hidden, f"{block}.mlp.up")
        yield linear(f"{layer}.mlp.down_proj", c.hidden, c.width, f"{block}.mlp.down", "residual")
        yield norm(f"{layer}.input_layernorm", f"{block}.ln_1")
        yield norm(f"{layer}.post_attention_layernorm", f"{block}.ln_2")
    yield norm("norm", "ln_f")


def _family(
    name: str, title: str, architectures: str, read: Callable[[Mapping[str, Any], list[str]], LlamaConfig]
) -> Family:
    """One of the kin, which differ in what their config.json says."""
    return Family(
        name,
        title,
        architectures,
        Llama,
        LlamaConfig,
        read,
        config_json,
        table,
        Tied("lm_head.weight", "logits.weight", "embed_tokens.weight", "embed.token.weight", usual=False),
        prefix="model.",
        ignored=re.compile(r"(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq"),  # the angles, which old files carry
    )


LLAMA = _family("llama", "Llama", "Llama", read_config)
MISTRAL = _family("mistral", "Mistral", "Mistral", read_mistral)
QWEN2 = _family("qwen2", "Qwen2", "Qwen2", read_qwen2)
