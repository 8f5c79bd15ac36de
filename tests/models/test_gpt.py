"""A GPT trained by others (minGPT, sorts letters), against the activations that an independent implementation recorded."""

import itertools
import json

import convert_llm_viz
import numpy as np
import pytest

import llmtrace


@pytest.fixture(scope="module")
def model(golden, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt-nano-sort")
    convert_llm_viz.convert(golden / "gpt-nano-sort" / "gpt-nano-sort-model.json", folder)
    return llmtrace.load(folder)


@pytest.fixture(scope="module")
def partials(golden):
    data = json.loads((golden / "gpt-nano-sort" / "gpt-nano-sort-t0-partials.json").read_text())
    del data["config"]
    return {name: convert_llm_viz.read_array(entry) for name, entry in data.items()}


@pytest.fixture(scope="module")
def trace(model, partials):
    return model.trace(partials["idx"].astype(int))


RECORDED = {
    "tok_emb": "embed.token",
    "x": "embed",
    "ln1": "block.0.ln_1",
    "q": "block.0.attn.q",
    "k": "block.0.attn.k",
    "v": "block.0.attn.v",
    "att": "block.0.attn.scores",
    "attSm": "block.0.attn.pattern",
    "yProj": "block.0.attn.out",
    "attnResid": "block.0.residual_mid",
    "ln2": "block.0.ln_2",
    "fc": "block.0.mlp.up",
    "gelu": "block.0.mlp.act",
    "mlp": "block.0.mlp.down",
    "mlpResid": "block.0.residual_out",
    "block0": "block.0.residual_out",
    "block1": "block.1.residual_out",
    "block2": "block.2.residual_out",
    "ln_f": "ln_f",
    "lm_head": "logits",
    "probs": "probabilities",
}


def distance(ours, theirs):
    assert ours.shape == theirs.shape
    masked = np.isneginf(theirs)
    assert np.array_equal(masked, np.isneginf(ours))
    return np.abs(np.where(masked, 0, ours) - np.where(masked, 0, theirs)).max()


@pytest.mark.parametrize(("theirs", "ours"), RECORDED.items())
def test_every_recorded_activation(trace, partials, theirs, ours):
    assert distance(trace[ours].output, partials[theirs]) <= 5e-6


def test_the_activations_that_are_laid_out_otherwise(trace, partials):
    position = trace["embed.position"].output
    assert distance(position, np.broadcast_to(partials["pos_emb"], position.shape)) <= 5e-6
    sequences, heads, positions, features = trace["block.0.attn.mix"].output.shape
    mix = np.moveaxis(trace["block.0.attn.mix"].output, 1, 2).reshape(sequences, positions, heads * features)
    assert distance(mix, partials["y"]) <= 5e-6
    qkv = [np.moveaxis(trace[f"block.0.attn.{n}"].output, 1, 2).reshape(mix.shape) for n in "qkv"]
    assert distance(np.concatenate(qkv, axis=-1), partials["qkv"]) <= 5e-6


def test_no_recorded_activation_is_left_out(partials):
    assert set(partials) - set(RECORDED) == {"idx", "pos_emb", "qkv", "y"}


def test_it_sorts(model):
    prompts = list(itertools.product("ABC", repeat=6))[::7]
    texts = ["".join(prompt) for prompt in prompts]
    for _ in range(5):
        best = model.logits(texts)[:, -1].argmax(-1)
        texts = [text + model.token_text(int(i)) for text, i in zip(texts, best, strict=True)]
    right = sum(text[6:] == "".join(sorted(text[:6]))[:5] for text in texts)
    assert right >= 0.99 * len(texts)
