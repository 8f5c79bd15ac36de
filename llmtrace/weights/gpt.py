"""GPT-2 in Hugging Face's files: its config.json, read with all that would change the mathematics, and the names of its tensors.

Hugging Face stores a linear layer [in, out] (its Conv1D), and queries, keys and values side by side in one (`c_attn`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmtrace.i18n import N_, _
from llmtrace.models import GPT, GPTConfig
from llmtrace.models.gpt import ACTIVATIONS
from llmtrace.weights.config import must_split, number_in, size_in, written
from llmtrace.weights.family import Entry, Family, Initial, Tied

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
    "n_positions": ("max_position_embeddings",),
    "n_embd": ("hidden_size",),
    "n_head": ("num_attention_heads",),
    "n_layer": ("num_hidden_layers",),
}
"""Other names that transformers has for them."""
OLD_CONTEXT = "n_ctx"
"""What counts where n_positions is absent, and nowhere else: transformers passes it over."""
FIXED = {
    "add_cross_attention": (False, N_("blocks would also attend to an encoder")),
    "is_causal": (True, N_("tokens would see those behind them")),
}
"""Switches that change the forward: the only value that can be computed here, and what the other one would do."""
SWITCHES = {
    "scale_attn_weights": ("divided_by_root", True),
    "scale_attn_by_inverse_layer_idx": ("divided_by_layer", False),
}
"""Name in the file → our name, and what counts where the file does not say."""
ELSEWHERE = "reorder_and_upcast_attn"
"""How attention is kept within the range of 16-bit numbers; in float32 it is the same sum and the same division."""
SAME = {
    "gelu_pytorch_tanh": "gelu_new",
    "gelu_fast": "gelu_new",
    "gelu_accurate": "gelu_new",
    "gelu_python": "gelu",
    "swish": "silu",
}
"""Other names that transformers has for activation functions."""
GPT2_END = 50256


def read_config(data: Mapping[str, Any], problems: list[str]) -> GPTConfig | None:
    """The sizes, or None where something is wrong."""
    given = SIZES if data.get("n_inner") is not None else {n: size for n, size in SIZES.items() if n != "n_inner"}
    aliases: dict[str, tuple[str, ...]] = dict(ALIASES)
    if all(data.get(name) is None for name in ("n_positions", *ALIASES["n_positions"])):
        aliases["n_positions"] = (OLD_CONTEXT,)
    sizes: dict[str, Any] = {
        ours: size_in(data, name, limit, problems, aliases.get(name, ())) for name, (ours, limit) in given.items()
    }
    sizes.setdefault("hidden", 4 * sizes["width"])
    must_split(data, ("n_embd", sizes["width"]), ("n_head", sizes["heads"]), problems)
    epsilon = number_in(data, "layer_norm_epsilon", 1e-5, 1, problems)
    activation = data.get("activation_function", "gelu_new")
    activation = SAME.get(activation, activation) if isinstance(activation, str) else activation
    if activation not in (*ACTIVATIONS,):
        names = _(" or ").join(ACTIVATIONS)
        problems.append(_("activation_function must be {names}, not {found}", names=names, found=written(activation)))
    switches = {ours: data.get(name, usual) for name, (ours, usual) in SWITCHES.items()}
    said = {name: switches[ours] for name, (ours, _usual) in SWITCHES.items()} | {ELSEWHERE: data.get(ELSEWHERE, False)}
    problems += [
        _("{name} must be true or false, not {found}", name=name, found=written(value))
        for name, value in said.items()
        if not isinstance(value, bool)
    ]
    for name, (expected, meaning) in FIXED.items():
        if data.get(name, expected) is not expected:
            problems.append(
                _(
                    "{name} must be {expected}, not {found}: {meaning}",
                    name=name,
                    expected=written(expected),
                    found=written(data[name]),
                    meaning=_(meaning),
                )
            )
    return None if problems else GPTConfig(**sizes, epsilon=epsilon, activation=activation, **switches)


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
        "activation_function": c.activation,
        **{name: getattr(c, ours) for name, (ours, usual) in SWITCHES.items() if getattr(c, ours) is not usual},
        "layer_norm_epsilon": c.epsilon,
        "tie_word_embeddings": tied,
        "torch_dtype": "float32",
    }


def table(c: GPTConfig) -> Iterator[Entry]:
    """Every tensor of a GPT-2 of these sizes."""

    def linear(stored: str, inputs: int, outputs: int, *names: str, initial: Initial = "normal") -> Iterator[Entry]:
        weights, biases = (tuple(f"{name}.{kind}" for name in names) for kind in ("weight", "bias"))
        yield Entry(f"{stored}.weight", (inputs, outputs), weights, ("in", "out"), initial, 2 * c.blocks)
        yield Entry(f"{stored}.bias", (outputs,), biases, ("out",), "zero")

    def norm(name: str, stored: str) -> Iterator[Entry]:
        yield Entry(f"{stored}.weight", (c.width,), (f"{name}.gain",), ("feature",), "one")
        yield Entry(f"{stored}.bias", (c.width,), (f"{name}.bias",), ("feature",), "zero")

    yield Entry("wte.weight", (c.vocabulary, c.width), ("embed.token.weight",), ("vocabulary", "feature"))
    yield Entry("wpe.weight", (c.context, c.width), ("embed.position.weight",), ("position", "feature"))
    for i in range(c.blocks):
        h, block = f"h.{i}", f"block.{i}"
        yield from linear(f"{h}.attn.c_attn", c.width, 3 * c.width, *(f"{block}.attn.{name}" for name in "qkv"))
        yield from linear(f"{h}.attn.c_proj", c.width, c.width, f"{block}.attn.out", initial="residual")
        yield from linear(f"{h}.mlp.c_fc", c.width, c.hidden, f"{block}.mlp.up")
        yield from linear(f"{h}.mlp.c_proj", c.hidden, c.width, f"{block}.mlp.down", initial="residual")
        yield from norm(f"{block}.ln_1", f"{h}.ln_1")
        yield from norm(f"{block}.ln_2", f"{h}.ln_2")
    yield from norm("ln_f", "ln_f")


GPT2 = Family(
    "gpt2",
    "GPT-2",
    "GPT2",
    GPT,
    GPTConfig,
    read_config,
    config_json,
    table,
    Tied("lm_head.weight", "logits.weight", "wte.weight", "embed.token.weight"),
    prefix="transformer.",
    ignored=re.compile(r"h\.\d+\.attn\.(masked_)?bias"),  # the causal mask, which old files carry
)
