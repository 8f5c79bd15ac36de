"""Model folders in Hugging Face's format, and how they are refused."""

import json

import pytest
from safetensors.numpy import save_file

import llmtrace
from helpers.small_models import small_config, tensors
from llmtrace.errors import ModelError

CONFIG = {"model_type": "gpt2", "vocab_size": 3, "n_positions": 11, "n_embd": 12, "n_head": 3, "n_layer": 2}


def stored(**changed):
    return {**tensors(small_config()), **changed}


def write(folder, arrays=None, **config):
    """A model folder with these tensors and these changes to config.json; None takes an entry away."""
    folder.mkdir(exist_ok=True)
    content = {name: value for name, value in {**CONFIG, **config}.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(content))
    save_file(stored() if arrays is None else arrays, folder / "model.safetensors")
    return folder


def write_shards(folder, arrays, place=lambda i: i % 3):
    """The same in three files and an index."""
    write(folder)
    (folder / "model.safetensors").unlink()
    files = {name: f"model-{place(i) + 1:05}-of-00003.safetensors" for i, name in enumerate(arrays)}
    for file in set(files.values()):
        save_file({name: arrays[name] for name, f in files.items() if f == file}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}))
    return files


def refusal(path):
    """The one line with which a folder is refused."""
    with pytest.raises(ModelError) as caught:
        llmtrace.load(path)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 1500
    return message
