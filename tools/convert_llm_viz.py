"""Makes a model folder from the GPT that llm-viz's authors trained with minGPT to sort letters.

    python tools/convert_llm_viz.py gpt-nano-sort-model.json FOLDER

The folder has Hugging Face's GPT-2 layout (config.json, model.safetensors, tokenizer.json), linear weights turned to
[in, out].
"""

import argparse
import base64
import json
from pathlib import Path

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.storage import save


def read_array(entry: dict[str, object]) -> Array:
    """An array as the file holds it: a shape and base64 of little-endian float32."""
    return np.frombuffer(base64.b64decode(str(entry["data"])), "<f4").reshape(entry["shape"]).copy()  # type: ignore[call-overload]


def convert(source: Path, folder: Path) -> None:
    """Writes the model folder."""
    data = json.loads(source.read_text(encoding="utf-8"))
    sizes = data.pop("config")
    tensors = {name: read_array(entry) for name, entry in data.items() if not name.endswith(".attn.bias")}
    for name in tensors:
        if name.endswith(".weight") and ".c_" in name:
            tensors[name] = tensors[name].T
    config = {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": sizes["vocab_size"],
        "n_positions": sizes["block_size"],
        "n_embd": sizes["n_embd"],
        "n_head": sizes["n_head"],
        "n_layer": sizes["n_layer"],
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": False,
    }
    write_folder(folder, config, tensors, "ABC")


def write_folder(folder: Path, config: dict[str, object], tensors: dict[str, Array], alphabet: str) -> None:
    """A model folder whose tokens are the characters of `alphabet`."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = {
        "version": "1.0",
        "model": {"type": "BPE", "vocab": {letter: i for i, letter in enumerate(alphabet)}, "merges": []},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, indent=2) + "\n", encoding="utf-8")
    save(tensors, folder / "model.safetensors", {"format": "pt"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    convert(arguments.source, arguments.folder)
