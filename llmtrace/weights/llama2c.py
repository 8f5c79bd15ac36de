"""Models in one .bin file, as llama2.c has them: a Llama whose pairs of rotary features lie side by side."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from llmtrace.storage.files import open_regular
from llmtrace.storage.foreign import HEAD, kind_of_file
from llmtrace.storage.llama2c import Sizes, fits, open_llama2c
from llmtrace.storage.stored import Stored
from llmtrace.text import shown
from llmtrace.tokenizers.llama2c import BEGIN, END, tokenizer_beside
from llmtrace.weights.names import Renamed
from llmtrace.weights.source import Opened, Source

NAMES = {
    "token_embedding_table": "embed_tokens",
    "rms_att_weight": "layers.{}.input_layernorm",
    "wq": "layers.{}.self_attn.q_proj",
    "wk": "layers.{}.self_attn.k_proj",
    "wv": "layers.{}.self_attn.v_proj",
    "wo": "layers.{}.self_attn.o_proj",
    "rms_ffn_weight": "layers.{}.post_attention_layernorm",
    "w1": "layers.{}.mlp.gate_proj",
    "w2": "layers.{}.mlp.down_proj",
    "w3": "layers.{}.mlp.up_proj",
    "rms_final_weight": "norm",
    "wcls": "lm_head",
}
"""Without the two tables of cosines and sines, which run.c passes over, too: the angles are computed."""


SIZES = {
    "vocab_size": "vocab_size",
    "max_position_embeddings": "seq_len",
    "hidden_size": "dim",
    "intermediate_size": "hidden_dim",
    "num_hidden_layers": "n_layers",
    "num_attention_heads": "n_heads",
    "num_key_value_heads": "n_kv_heads",
}


class Llama2CFile(Source):
    """A .bin file, with or without a tokenizer beside it."""

    def accepts(self, path: Path) -> bool:
        """By its name, unless it is something else that has that name, as PyTorch's files do."""
        if path.suffix != ".bin" or not path.is_file():
            return False
        with open_regular(path) as file:
            return fits(file.read(HEAD), os.fstat(file.fileno()).st_size) or kind_of_file(file) is None

    def open(self, path: Path) -> Opened:
        """Every number is read when its tensor is needed."""
        sizes, stored = open_llama2c(path)
        tensors: dict[str, Stored] = {}
        own: dict[str, str] = dict(SIZES)
        for full, tensor in stored.items():
            name, _dot, layer = full.partition(".")
            if name in NAMES:
                ours = f"{NAMES[name].format(layer)}.weight"
                tensors[ours], own[ours] = tensor, full
        tokenizer = tokenizer_beside(path, sizes.vocabulary)
        ends = tuple(index for index in (BEGIN, END) if index < sizes.vocabulary)

        def own_of(name: str) -> str:
            return own.get(name, name)

        config, held = Renamed(config_of(sizes), own_of), Renamed(tensors, own_of)
        return Opened(path.stem, config, shown(path), held, tokenizer, ends or None, BEGIN)


def config_of(sizes: Sizes) -> dict[str, Any]:
    """What config.json would say: the sizes, and what run.c has as constants."""
    return {
        "model_type": "llama",
        **{ours: getattr(sizes, theirs) for ours, theirs in SIZES.items()},
        "vocab_size": sizes.vocabulary,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "rotary_layout": "interleaved",
        "tie_word_embeddings": sizes.tied,
    }
