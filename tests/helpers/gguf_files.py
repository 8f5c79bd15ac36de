"""GGUF files, written by the package that llama.cpp's own converters use, and by hand."""

import struct

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, quantize

from helpers.small_models import small_config, tensors

GPT2_NAMES = {
    "wte": "token_embd",
    "wpe": "position_embd",
    "ln_f": "output_norm",
    "ln_1": "attn_norm",
    "ln_2": "ffn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}


def gpt2_name(name):
    """What llama.cpp calls a tensor of Hugging Face's GPT-2."""
    name = name.removeprefix("transformer.")
    stem, kind = name.rsplit(".", 1)
    block = ""
    if stem.startswith("h."):
        _h, number, stem = stem.split(".", 2)
        block = f"blk.{number}."
    return f"{block}{GPT2_NAMES[stem]}.{kind}"


def write_gpt2(path, config=None, arrays=None, kind=None, settings=(), end=None):
    """A small GPT-2 as llama.cpp's converter writes it; `kind`: the type of its matrices; `end`: the vocabulary's settings."""
    config = config or small_config()
    writer = GGUFWriter(path, "gpt2")
    writer.add_block_count(config.blocks)
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_feed_forward_length(config.hidden)
    writer.add_head_count(config.heads)
    writer.add_layer_norm_eps(config.epsilon)
    for name, value in settings:
        {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}[type(value)](name, value)
    if end:
        end(writer)
    for name, array in (arrays or tensors(config)).items():
        array = np.ascontiguousarray(array.T if "c_" in name and array.ndim == 2 else array)
        if kind and array.ndim == 2 and array.shape[1] % 32 == 0:
            raw = quantize(array, GGMLQuantizationType[kind])
            writer.add_tensor(gpt2_name(name), raw, raw_dtype=GGMLQuantizationType[kind])
        else:
            writer.add_tensor(gpt2_name(name), array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def text(content):
    """A text as the format has it."""
    content = content.encode() if isinstance(content, str) else content
    return struct.pack("<Q", len(content)) + content
