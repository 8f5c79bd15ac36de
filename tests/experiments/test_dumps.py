"""What other programs call the steps of a Llama, and how they lay them out."""

import numpy as np
import pytest
from check_dumps import DOCS, recipes
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt

from llmtrace.experiments import dumps
from llmtrace.experiments.referee import judge

IDS = [0, 4, 2, 3, 1, 1, 2]
HALVES, PAIRS = small_llama().trace(IDS), small_llama(layout="interleaved", qkv_bias=True).trace(IDS)


def apart(x):
    """The first numbers of all pairs, then the second ones: Hugging Face's order."""
    return np.concatenate([x[..., 0::2], x[..., 1::2]], -1)


def beside(x):
    """[head, position, feature] → [position, C]."""
    return np.moveaxis(x, 0, 1).reshape(x.shape[1], -1)


def as_modules(trace):
    """The arrays as the recipe of the docs writes them from `transformers`."""
    order = apart if trace is PAIRS else lambda x: x
    found = {
        "input_ids": np.array(IDS),
        "model.embed_tokens": trace.tensor("embed"),
        "model.norm": trace.tensor("ln_f"),
        "lm_head": trace.tensor("logits"),
    }
    for part in ("cosine", "sine"):
        found[f"model.rotary_emb.{part}"] = np.concatenate([trace.tensor(f"rotary.{part}")] * 2, -1)
    for n in range(2):
        here, there = f"block.{n}", f"model.layers.{n}"
        for letter in "qk":
            found[f"{there}.self_attn.{letter}_proj"] = beside(order(trace.tensor(f"{here}.attn.{letter}")))
        found |= {
            f"{there}.input_layernorm": trace.tensor(f"{here}.ln_1"),
            f"{there}.self_attn.v_proj": beside(trace.tensor(f"{here}.attn.v")),
            f"attentions.{n}": trace.tensor(f"{here}.attn.pattern"),
            f"{there}.self_attn.o_proj.input": beside(trace.tensor(f"{here}.attn.mix")),
            f"{there}.self_attn.o_proj": trace.tensor(f"{here}.attn.out"),
            f"{there}.self_attn": trace.tensor(f"{here}.attn.out"),
            f"{there}.post_attention_layernorm": trace.tensor(f"{here}.ln_2"),
            f"{there}.mlp.gate_proj": trace.tensor(f"{here}.mlp.gate"),
            f"{there}.mlp.act_fn": trace.tensor(f"{here}.mlp.act"),
            f"{there}.mlp.up_proj": trace.tensor(f"{here}.mlp.up"),
            f"{there}.mlp.down_proj.input": trace.tensor(f"{here}.mlp.product"),
            f"{there}.mlp.down_proj": trace.tensor(f"{here}.mlp.down"),
            f"{there}.mlp": trace.tensor(f"{here}.mlp.down"),
            there: trace.tensor(f"{here}.residual_out"),
        }
    return {name: array if array.ndim == 1 else array[None] for name, array in found.items()}


@pytest.mark.parametrize("trace", [HALVES, PAIRS], ids=["halves", "side by side"])
def test_modules_of_a_llama_are_understood(trace):
    arrays = as_modules(trace)
    known, strange, nameless = dumps.understood(trace, arrays)
    assert len(known) == len(arrays) - 4  # attention and MLP as a whole are what their last layers give
    assert all(np.array_equal(known[name], trace.tensor(name)) for name in known)
    assert {each.verdict for each in judge(trace, known).findings} == {"same"}
    assert strange == nameless == []


def test_hooks_where_neurons_have_gates():
    arrays = {
        "hook_embed": HALVES.tensor("embed"),
        "blocks.1.attn.hook_rot_q": np.moveaxis(PAIRS.tensor("block.1.attn.q.rotated"), 0, 1),
        "blocks.1.mlp.hook_pre": HALVES.tensor("block.1.mlp.gate"),
        "blocks.1.mlp.hook_pre_linear": HALVES.tensor("block.1.mlp.up"),
        "blocks.1.mlp.hook_post": HALVES.tensor("block.1.mlp.product"),
    }
    known = dumps.understood(HALVES, arrays).steps
    names = {"embed", "block.1.attn.q.rotated", *(f"block.1.mlp.{part}" for part in ("gate", "up", "product"))}
    assert known.keys() == names
    assert all(np.array_equal(known[n], HALVES.tensor(n)) for n in names - {"block.1.attn.q.rotated"})
    assert np.array_equal(known["block.1.attn.q.rotated"], PAIRS.tensor("block.1.attn.q.rotated"))


def test_what_is_not_understood_is_named():
    trace = small_gpt().trace([0, 1, 2])
    arrays = {
        "transformer.ln_f": trace.tensor("ln_f"),
        "transformer.h.0.attn.c_proj": trace.tensor("block.0.attn.out"),
        "transformer.h.0.attn": trace.tensor("block.0.attn.out") + 1,
        "model.layers.0.mlp.gate_proj": np.zeros((3, 48)),
        "blocks.0.ln1.hook_scale": np.zeros((3, 1)),
        "ln_final.hook_normalized": np.zeros((3, 12)),
        "ln_final.hook_out": trace.tensor("ln_f"),
        "scalar": np.array(1.0),
    }
    found = dumps.understood(trace, arrays)
    assert found.nameless == ["model.layers.0.mlp.gate_proj", "blocks.0.ln1.hook_scale", "scalar"]
    assert found.strange == [
        "'transformer.h.0.attn' has other numbers than 'transformer.h.0.attn.c_proj', and both are block.0.attn.out"
    ]


def test_no_shape_of_a_known_name_is_more_than_named():
    for trace in (HALVES, PAIRS, small_gpt().trace([0, 1])):
        for pattern in [*dumps.KNOWN, *dumps.GATED, dumps.FUSED]:
            for shape in [(), (1,), (3,), (2, 3), (1, 7, 5), (7, 2, 2, 3)]:
                arrays = {pattern.replace("{n}", "0"): np.zeros(shape)}
                assert any(dumps.understood(trace, arrays))


def test_the_page_lists_the_modules_of_both():
    text = DOCS.read_text(encoding="utf-8")
    for pattern in ("embed_tokens", "layers.N.input_layernorm", "layers.N.self_attn.q_proj", "h.N.attn.c_proj.input"):
        assert f"`{pattern}`" in text
        assert pattern.replace("N", "{n}") in dumps.KNOWN
    assert "rotary_emb" in recipes(text)["transformers"]
