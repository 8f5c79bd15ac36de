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
from llmtrace.weights.source import Opened, Source

NAMES = {
    "token_embedding_table": "model.embed_tokens",
    "rms_att_weight": "model.layers.{}.input_layernorm",
    "wq": "model.layers.{}.self_attn.q_proj",
    "wk": "model.layers.{}.self_attn.k_proj",
    "wv": "model.layers.{}.self_attn.v_proj",
    "wo": "model.layers.{}.self_attn.o_proj",
    "rms_ffn_weight": "model.layers.{}.post_attention_layernorm",
    "w1": "model.layers.{}.mlp.gate_proj",
    "w2": "model.layers.{}.mlp.down_proj",
    "w3": "model.layers.{}.mlp.up_proj",
    "rms_final_weight": "model.norm",
    "wcls": "lm_head",
}
"""Without the two tables of cosines and sines, which run.c passes over, too: the angles are computed."""


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
        for full, tensor in stored.items():
            name, _dot, layer = full.partition(".")
            if name in NAMES:
                tensors[f"{NAMES[name].format(layer)}.weight"] = tensor
        tokenizer = tokenizer_beside(path, sizes.vocabulary)
        ends = tuple(index for index in (BEGIN, END) if index < sizes.vocabulary)
        return Opened(path.stem, config_of(sizes), shown(path), tensors, tokenizer, ends or None, BEGIN)


def config_of(sizes: Sizes) -> dict[str, Any]:
    """What config.json would say: the sizes, and what run.c has as constants."""
    return {
        "model_type": "llama",
        "vocab_size": sizes.vocabulary,
        "max_position_embeddings": sizes.seq_len,
        "hidden_size": sizes.dim,
        "intermediate_size": sizes.hidden_dim,
        "num_hidden_layers": sizes.n_layers,
        "num_attention_heads": sizes.n_heads,
        "num_key_value_heads": sizes.n_kv_heads,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "rotary_layout": "interleaved",
        "tie_word_embeddings": sizes.tied,
    }
