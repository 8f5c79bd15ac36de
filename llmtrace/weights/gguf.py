"""Models in one .gguf file, as llama.cpp has them: its settings and names, said as a config.json would say them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.i18n import _, listed
from llmtrace.models.beginning import beginning_of
from llmtrace.storage.files import open_regular
from llmtrace.storage.gguf import GGUF, MAGIC, open_gguf
from llmtrace.storage.stored import Stored, Transposed
from llmtrace.text import shown
from llmtrace.tokenizers.gguf import read_gguf_tokenizer
from llmtrace.weights.source import Opened, Source

NAME = re.compile(r"(?:blk\.(0|[1-9][0-9]{0,5})\.)?([a-z_]+)\.(weight|bias)")
"""The name of a tensor: the block it is in, what it is, and which of its two."""
LLAMA_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "blk.attn_norm": "model.layers.{}.input_layernorm",
    "blk.attn_q": "model.layers.{}.self_attn.q_proj",
    "blk.attn_k": "model.layers.{}.self_attn.k_proj",
    "blk.attn_v": "model.layers.{}.self_attn.v_proj",
    "blk.attn_output": "model.layers.{}.self_attn.o_proj",
    "blk.ffn_norm": "model.layers.{}.post_attention_layernorm",
    "blk.ffn_gate": "model.layers.{}.mlp.gate_proj",
    "blk.ffn_up": "model.layers.{}.mlp.up_proj",
    "blk.ffn_down": "model.layers.{}.mlp.down_proj",
}
GPT2_NAMES = {
    "token_embd": "wte",
    "position_embd": "wpe",
    "output_norm": "ln_f",
    "output": "lm_head",
    "blk.attn_norm": "h.{}.ln_1",
    "blk.attn_qkv": "h.{}.attn.c_attn",
    "blk.attn_output": "h.{}.attn.c_proj",
    "blk.ffn_norm": "h.{}.ln_2",
    "blk.ffn_up": "h.{}.mlp.c_fc",
    "blk.ffn_down": "h.{}.mlp.c_proj",
}
LLAMA_SIZES = {
    "block_count": "num_hidden_layers",
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "rope.freq_base": "rope_theta",
}
GPT2_SIZES = {
    "block_count": "n_layer",
    "context_length": "n_positions",
    "embedding_length": "n_embd",
    "feed_forward_length": "n_inner",
    "attention.head_count": "n_head",
    "attention.layer_norm_epsilon": "layer_norm_epsilon",
}
HARMLESS = ("vocab_size", "tensor_data_layout", "rope.scaling.original_context_length", "rope.scaling.finetuned")
"""Settings of an architecture that change no number."""
WITHOUT: dict[str, tuple[Any, ...]] = {
    "expert_count": (0,),
    "expert_used_count": (0,),
    "rope.scaling.type": ("none", ""),
    "rope.scaling.factor": (0.0, 1.0),
    "rope.scale_linear": (1.0,),
    "attention.causal": (True,),
}
"""Settings that are read only where they change nothing, and the values with which they do so."""


class Architecture(NamedTuple):
    """What llama.cpp calls a kind of model: its names and settings, and those that Hugging Face has for them."""

    names: Mapping[str, str]
    sizes: Mapping[str, str]
    config: Callable[[GGUF, dict[str, Any]], dict[str, Any]]
    """What config.json would say beside the sizes; gets them."""
    transposed: re.Pattern[str] = re.compile("(?!)")
    """The tensors (by Hugging Face's names) that it has the other way round."""


def _llama(file: GGUF, sizes: dict[str, Any], rotary: str = "interleaved") -> dict[str, Any]:
    biased = "blk.0.attn_q.bias" in file.tensors
    more: dict[str, Any] = {"rotary_layout": rotary, "attention_bias": biased, "rope_theta": 10000.0}
    if sizes.get("num_key_value_heads") is None:
        more["num_key_value_heads"] = sizes.get("num_attention_heads")
    return {"model_type": "llama", **more}


def _qwen2(file: GGUF, sizes: dict[str, Any]) -> dict[str, Any]:
    return {**_llama(file, sizes, "half"), "model_type": "qwen2"}


def _gpt2(file: GGUF, sizes: dict[str, Any]) -> dict[str, Any]:
    return {"model_type": "gpt2", "activation_function": "gelu_new"}


ARCHITECTURES = {
    "gpt2": Architecture(
        GPT2_NAMES, GPT2_SIZES, _gpt2, re.compile(r"h\.\d+\.(attn\.c_attn|attn\.c_proj|mlp\.c_fc|mlp\.c_proj)\.weight")
    ),
    "llama": Architecture(LLAMA_NAMES, LLAMA_SIZES, _llama),
    "qwen2": Architecture(LLAMA_NAMES, LLAMA_SIZES, _qwen2),
}


class GGUFFile(Source):
    """A .gguf file."""

    def accepts(self, path: Path) -> bool:
        """By its name, or by its first four bytes."""
        if not path.is_file():
            return False
        if path.suffix == ".gguf":
            return True
        with open_regular(path) as file:
            return file.read(len(MAGIC)) == MAGIC

    def open(self, path: Path) -> Opened:
        """Weights are widened to float32 when they are read."""
        file = open_gguf(path)
        try:
            architecture, config = read_config(file)
            tensors = _renamed(file, architecture)
            tokenizer = read_gguf_tokenizer(file.settings)
            ends = _ends(file.settings)
        except ValueError as error:
            raise ModelError(f"{shown(path)} {error}") from error
        begin = file.settings.get("tokenizer.ggml.bos_token_id", beginning_of(tokenizer))
        begin = begin if type(begin) is int and begin >= 0 else None
        template = file.settings.get("tokenizer.chat_template")
        template = template if isinstance(template, str) else None
        return Opened(path.stem, config, shown(path), tensors, tokenizer, ends, begin, template)

    def tokenizer(self, path: Path) -> Any:
        """The one in its settings."""
        try:
            return read_gguf_tokenizer(open_gguf(path).settings)
        except ValueError as error:
            raise ModelError(f"{shown(path)} {error}") from error


def read_config(file: GGUF) -> tuple[Architecture, dict[str, Any]]:
    """The architecture of a file, and what config.json would say of it; ValueError for what is not supported."""
    settings = file.settings
    name = settings.get("general.architecture")
    if not isinstance(name, str):
        raise ValueError(_("does not say what model it holds: it has no general.architecture"))
    if name not in ARCHITECTURES:
        known = listed(map(repr, ARCHITECTURES))
        raise ValueError(
            _("holds a model of the kind {kind}, but only {known} can be read", kind=shown(repr(name), 60), known=known)
        )
    if settings.get("split.count", 1) not in (0, 1):
        raise ValueError(_("is one part of several: put them together first (llama-gguf-split --merge)"))
    architecture = ARCHITECTURES[name]
    own = {key.removeprefix(f"{name}."): value for key, value in settings.items() if key.startswith(f"{name}.")}
    sizes = {ours: _plain(own.pop(theirs)) for theirs, ours in architecture.sizes.items() if theirs in own}
    _expect_nothing_else(own, sizes)
    config = {**architecture.config(file, sizes), **sizes}
    if "token_embd.weight" in file.tensors:
        config["vocab_size"] = next(iter(file.tensors["token_embd.weight"].shape), 0)
    return architecture, config


def _expect_nothing_else(own: dict[str, Any], sizes: dict[str, Any]) -> None:
    """ValueError for a setting that changes what the model computes, and is not known here."""
    width, heads = sizes.get("hidden_size"), sizes.get("num_attention_heads")
    size = sizes.get("head_dim")
    if size is None and type(width) is type(heads) is int and heads > 0:
        size = width // heads
    same = {"rope.dimension_count": (size,), "attention.value_length": (size,)}
    for key, value in own.items():
        expected = {**WITHOUT, **same}.get(key)
        if key not in HARMLESS and (expected is None or not any(_plain(value) == each for each in expected)):
            raise ValueError(
                _(
                    "has the setting {name} = {value}, which is not supported",
                    name=shown(key, 80),
                    value=shown(repr(value), 60),
                )
            )


def _plain(value: Any) -> Any:
    """A number of 32 bits as people write it: 9.999999747378752e-06 is 1e-05."""
    if type(value) is float and float(np.float32(value)) == value:
        return float(str(np.float32(value)))
    return value


def _renamed(file: GGUF, architecture: Architecture) -> dict[str, Stored]:
    """The tensors by Hugging Face's names; what is not known keeps its own, by which it is refused."""
    tensors: dict[str, Stored] = {}
    for name, tensor in file.tensors.items():
        match = NAME.fullmatch(name)
        known = match and architecture.names.get(("blk." if match[1] else "") + match[2])
        full = f"{known.format(match[1])}.{match[3]}" if match and known else name
        if full in tensors:
            raise ValueError(_("is damaged: the tensor {name} is there twice", name=shown(full, 80)))
        tensors[full] = Transposed(tensor) if architecture.transposed.fullmatch(full) else tensor
    return tensors


def _ends(settings: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The tokens that end a text: of a text, and of a turn in a chat."""
    found = [settings.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot")]
    ends = tuple(dict.fromkeys(index for index in found if type(index) is int and index >= 0))
    return ends or None
