"""Small GPTs with random weights, for tests that need a model and not what it has learned."""

import json

import numpy as np
from safetensors.numpy import save_file

from llmtrace.models import GPT, GPTConfig, Transformer, TransformerConfig
from llmtrace.ops import Weight, by_name
from llmtrace.rng import derive, normal
from llmtrace.weights.gpt import GPT2
from llmtrace.weights.transformer import TRANSFORMER

ADDRESSES = [
    "embed[position=1, feature=2]",
    "embed.token[position=1, feature=2]",
    "block.0.ln_1[position=3, feature=5]",
    "block.0.attn.q[head=1, position=2, feature=3]",
    "block.1.attn.scores[head=2, query=4, key=1]",
    "block.1.attn.scores[head=2, query=1, key=4]",
    "block.1.attn.pattern[head=0, query=4, key=2]",
    "block.1.attn.pattern[head=0, query=2, key=4]",
    "block.0.attn.mix[head=1, position=3, feature=0]",
    "block.0.attn.out[position=3, feature=1]",
    "block.0.mlp.act[position=2, feature=9]",
    "block.1.residual_out[position=0, feature=0]",
    "ln_f[position=5, feature=11]",
    "logits[position=5, vocabulary=0]",
    "probabilities[position=5, vocabulary=2]",
    "next_token[position=5]",
    "tokens[position=0]",
    "block.0.mlp.up.weight[in=3, out=7]",
]
"""Numbers of `small_gpt().trace("CBABBC")`, one of every kind."""


class Texts:
    """A tokenizer whose tokens are any texts; a prompt is one character per token, or anything for the first one."""

    def __init__(self, texts):
        self.texts = list(texts)

    def encode(self, text):
        return [self.texts.index(character) if character in self.texts else 0 for character in text]

    def token(self, index):
        return self.texts[index]


def tensors(config, seed=0):
    """Random weights in Hugging Face's names."""
    rng = np.random.default_rng(seed)
    return {
        name: (
            rng.standard_normal(shape) * 0.3 + (1.0 if name.endswith(("ln_1.weight", "ln_2.weight")) else 0.0)
        ).astype(np.float32)
        for name, shape in GPT2.shapes(config).items()
    }


def small_config(vocabulary=3, blocks=2, width=12, heads=3, context=11, epsilon=1e-5):
    return GPTConfig(vocabulary, context, width, heads, blocks, 4 * width, epsilon=epsilon)


def small_gpt(texts="ABC", seed=0, **sizes):
    """A GPT whose tokens are `texts`."""
    config = small_config(vocabulary=len(texts), **sizes)
    return GPT(config, GPT2.weights(config, tensors(config, seed), "random"), Texts(texts), "small")


def long_trace():
    """70 tokens, some of full width, some hostile; 6 blocks."""
    model = small_gpt(texts=["中文", "cat", "\x1b[31m", "[bold]", " dog"], context=80, blocks=6)
    return model.trace([i % 5 for i in range(70)])


def write_folder(folder, texts="ABC", **sizes):
    """The same as a folder on disk, as `llmtrace trace --model` reads it."""
    config = small_config(vocabulary=len(texts), **sizes)
    sizes = {"vocab_size": config.vocabulary, "n_positions": config.context, "n_embd": config.width}
    sizes |= {"n_head": config.heads, "n_layer": config.blocks}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2", **sizes}))
    vocabulary = {text: index for index, text in enumerate(texts)}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE", "vocab": vocabulary, "merges": []}}))
    save_file(tensors(config), folder / "model.safetensors")
    return folder


def small_transformer(config=None, tokenizer=None, seed=3):
    """A Transformer whose biases and gains are not 0 and 1."""
    config = config or TransformerConfig(vocabulary=12, context=9, width=8, heads=2, blocks=2, hidden=16, start=1)
    weights = TRANSFORMER.initial(config, seed)
    own = {
        name: Weight(name, (w.data + 0.1 * normal(derive(seed, name), w.data.shape)).astype("f"), w.axes)
        for name, w in by_name(weights.values()).items()
    }
    return Transformer(config, {name: own[w.name] for name, w in weights.items()}, tokenizer)
