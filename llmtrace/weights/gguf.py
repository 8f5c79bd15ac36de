"""Models in one .gguf file, as llama.cpp has them: its settings and names, said as a config.json would say them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from llmtrace.errors import ModelError
from llmtrace.i18n import N_, _, listed
from llmtrace.models.beginning import beginning_of
from llmtrace.storage.files import open_regular
from llmtrace.storage.gguf import GGUF, MAGIC, open_gguf
from llmtrace.storage.stored import Stored, Transposed
from llmtrace.text import shown
from llmtrace.tokenizers.gguf import read_gguf_tokenizer
from llmtrace.weights.names import Renamed, must_be_whole, together
from llmtrace.weights.source import Opened, Source

LLAMA_NAMES = {
    "token_embd": "embed_tokens",
    "output_norm": "norm",
    "output": "lm_head",
    "blk.{}.attn_norm": "layers.{}.input_layernorm",
    "blk.{}.attn_q": "layers.{}.self_attn.q_proj",
    "blk.{}.attn_k": "layers.{}.self_attn.k_proj",
    "blk.{}.attn_v": "layers.{}.self_attn.v_proj",
    "blk.{}.attn_output": "layers.{}.self_attn.o_proj",
    "blk.{}.ffn_norm": "layers.{}.post_attention_layernorm",
    "blk.{}.ffn_gate": "layers.{}.mlp.gate_proj",
    "blk.{}.ffn_up": "layers.{}.mlp.up_proj",
    "blk.{}.ffn_down": "layers.{}.mlp.down_proj",
}
GPT2_NAMES = {
    "token_embd": "wte",
    "position_embd": "wpe",
    "output_norm": "ln_f",
    "output": "lm_head",
    "blk.{}.attn_norm": "h.{}.ln_1",
    "blk.{}.attn_qkv": "h.{}.attn.c_attn",
    "blk.{}.attn_output": "h.{}.attn.c_proj",
    "blk.{}.ffn_norm": "h.{}.ln_2",
    "blk.{}.ffn_up": "h.{}.mlp.c_fc",
    "blk.{}.ffn_down": "h.{}.mlp.c_proj",
}
EMBEDDING, HEAD = "token_embd.weight", "output.weight"
BLOCK = re.compile(r"(?<=\.)(?:0|[1-9][0-9]{0,5})(?=\.)")
"""The number of the block that a tensor is in, in its name."""
OTHERS = {
    re.compile(r"rope_.*"): N_("angles of positions that are scaled"),
    re.compile(r"blk\.\d+\.(exp_|ffn_.*(exps|shexp|inp)).*"): N_("experts"),
    re.compile(r"blk\.\d+\.attn_[qk]_norm\..*"): N_("norms of queries and keys"),
}
"""What some tensors that are not supported are for, by their names."""
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
    "rope.scaling.attn_factor": (1.0,),
    "attention.causal": (True,),
    "attention.clamp_kqv": (0.0,),
    "attention.max_alibi_bias": (0.0,),
    "attention.sliding_window": (0,),
    "logit_scale": (1.0,),
    "use_parallel_residual": (False,),
}
"""Settings that are read only where they change nothing, and the values with which they do so."""
OF_A_HEAD = ("rope.dimension_count", "attention.value_length")
"""Those that change nothing where they are what a head has features."""


class Architecture(NamedTuple):
    """What llama.cpp calls a kind of model: its names and settings, and those that Hugging Face has for them."""

    names: Mapping[str, str]
    sizes: Mapping[str, str]
    config: Callable[[GGUF], dict[str, Any]]
    """What config.json would say beside the sizes."""
    transposed: re.Pattern[str] = re.compile("(?!)")
    """The tensors (by Hugging Face's names) that it has the other way round."""

    def own(self, name: str) -> str:
        """What llama.cpp calls a tensor that has this name for Hugging Face."""
        return _translated(name, {theirs: ours for ours, theirs in self.names.items()}) or name


def _translated(name: str, words: Mapping[str, str]) -> str | None:
    """The name of a tensor in other words, in which {} stands for the number of its block."""
    stem, _dot, kind = name.rpartition(".")
    block = BLOCK.search(stem)
    found = words.get(BLOCK.sub("{}", stem)) if block or "{}" not in stem else None
    return f"{found.format(block and block[0])}.{kind}" if found and kind in {"weight", "bias"} else None


def _llama(file: GGUF, rotary: str = "interleaved") -> dict[str, Any]:
    biased = "blk.0.attn_q.bias" in file.tensors
    return {"model_type": "llama", "rotary_layout": rotary, "attention_bias": biased, "rope_theta": 10000.0}


def _qwen2(file: GGUF) -> dict[str, Any]:
    return {**_llama(file, "half"), "model_type": "qwen2"}


def _gpt2(file: GGUF) -> dict[str, Any]:
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
        must_be_whole(file.tensors, shown(path))
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
    """The architecture of a file, and what config.json would say of it; ValueError for what is not supported.

    An output that is not stored is the table of tokens, as llama.cpp has it.
    """
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
    head_size = _head_size(own)
    sizes = {ours: _plain(own.pop(theirs)) for theirs, ours in architecture.sizes.items() if theirs in own}
    keys = {ours: f"{name}.{theirs}" for theirs, ours in architecture.sizes.items()}
    _expect_nothing_else(name, own, head_size)
    config = {**architecture.config(file), **sizes}
    if HEAD not in file.tensors:
        config["tie_word_embeddings"] = True
    keys["vocab_size"] = EMBEDDING
    if EMBEDDING in file.tensors:
        config["vocab_size"] = next(iter(file.tensors[EMBEDDING].shape), 0)
        keys["vocab_size"] = _("the length of {name}", name=EMBEDDING)
    return architecture, Renamed(config, lambda ours: keys.get(ours, ours))


def _head_size(own: Mapping[str, Any]) -> int | None:
    """The features of a head; None where the sizes are such that there are none, which is refused where they are checked."""
    width, heads, size = (own.get(key) for key in ("embedding_length", "attention.head_count", "attention.key_length"))
    if size is None and type(width) is type(heads) is int and heads > 0 and not width % heads:
        size = width // heads
    return size if type(size) is int and size > 0 else None


def _expect_nothing_else(architecture: str, own: Mapping[str, Any], head_size: int | None) -> None:
    """ValueError for a setting that changes what the model computes, and is not known here."""
    for key, value in own.items():
        plain = _plain(value)
        if key in HARMLESS or plain in WITHOUT.get(key, ()) or (key in OF_A_HEAD and head_size in (None, plain)):
            continue
        text = _("has the setting {name} = {value}, which is not supported")
        if key in OF_A_HEAD:
            text = _("has the setting {name} = {value}, which is not supported where a head has {size} features")
        name = shown(f"{architecture}.{key}", 80)
        raise ValueError(text.format(name=name, value=shown(repr(value), 60), size=head_size))


def _plain(value: Any) -> Any:
    """A number of 32 bits as people write it: 9.999999747378752e-06 is 1e-05; a list that can be compared."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if type(value) is float and float(np.float32(value)) == value:
        return float(str(np.float32(value)))
    return value


def _renamed(file: GGUF, architecture: Architecture) -> Renamed[Stored]:
    """The tensors by Hugging Face's names; ValueError names what is not known: llama.cpp, too, passes over none."""
    tensors: dict[str, Stored] = {}
    unknown: list[str] = []
    for name, tensor in file.tensors.items():
        full = _translated(name, architecture.names)
        if full is None:
            unknown.append(name)
        else:
            tensors[full] = Transposed(tensor) if architecture.transposed.fullmatch(full) else tensor
    if unknown:
        names = together([partial(_described, name) for name in unknown])
        raise ValueError(_("has tensors that are not supported: {names}", names=names))
    return Renamed(tensors, architecture.own)


def _described(name: str) -> str:
    """The name of a tensor, and what it is for."""
    what = next((what for known, what in OTHERS.items() if known.fullmatch(name)), None)
    return _("{name} ({what})", name=shown(name, 80), what=_(what)) if what else shown(name, 80)


def _ends(settings: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The tokens that end a text: of a text, and of a turn in a chat."""
    found = [settings.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot")]
    ends = tuple(dict.fromkeys(index for index in found if type(index) is int and index >= 0))
    return ends or None
