"""Small Llamas with random weights, for tests that need a model and not what it has learned."""

import json

import numpy as np
from safetensors.numpy import save_file

from helpers.small_models import Texts
from llmtrace.models import Llama, LlamaConfig
from llmtrace.weights.llama import LLAMA

CONFIG = {
    "model_type": "llama",
    "vocab_size": 5,
    "max_position_embeddings": 23,
    "hidden_size": 12,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 6,
    "num_hidden_layers": 2,
    "intermediate_size": 20,
    "rms_norm_eps": 1e-5,
    "rope_theta": 100.0,
    "tie_word_embeddings": True,
}


def small_llama_config(**changed):
    """Two blocks of four heads that share two heads of keys and values."""
    sizes = {
        "vocabulary": 5,
        "context": 23,
        "width": 12,
        "heads": 4,
        "kv_heads": 2,
        "head_size": 6,
        "blocks": 2,
        "hidden": 20,
    }
    return LlamaConfig(**{**sizes, "base": 100.0, **changed})


def llama_tensors(config, seed=0):
    """Random weights in Hugging Face's names, without the prefix."""
    rng = np.random.default_rng(seed)
    return {
        name: (rng.standard_normal(shape) * 0.4 + (1.0 if "norm" in name else 0.0)).astype(np.float32)
        for name, shape in LLAMA.shapes(config).items()
    }


def small_llama(texts="ABCDE", seed=0, **changed):
    """A Llama whose tokens are `texts`."""
    config = small_llama_config(vocabulary=len(texts), **changed)
    return Llama(config, LLAMA.weights(config, llama_tensors(config, seed), "random"), Texts(texts), "small llama")


def write_llama(folder, arrays=None, **config):
    """A folder with these tensors and these changes to config.json; None takes an entry away."""
    folder.mkdir(exist_ok=True)
    content = {name: value for name, value in {**CONFIG, **config}.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(content))
    save_file(llama_tensors(small_llama_config()) if arrays is None else arrays, folder / "model.safetensors")
    return folder
