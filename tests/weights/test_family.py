"""What a family makes of tensors that a source hands out."""

import numpy as np
import pytest
from helpers.small_models import small_config, small_gpt

from llmtrace.models import GPTConfig
from llmtrace.weights.gpt import GPT2


def columns_first(array):
    return np.asfortranarray(array)


def strided(array):
    return np.repeat(array, 2, axis=0)[::2]


@pytest.mark.parametrize("laid_out", [columns_first, strided])
def test_memory_in_any_order_runs_to_the_same_bits(laid_out):
    model, config = small_gpt(), small_config()
    stored = {name: laid_out(tensor) for name, tensor in GPT2.tensors(config, model.weights).items()}
    again = GPT2.build(config, GPT2.weights(config, stored, "memory"))
    np.testing.assert_array_equal(again.logits([1, 2, 0]).view("u4"), model.logits([1, 2, 0]).view("u4"))


@pytest.mark.parametrize("blocks", [1, 3, 6])
def test_what_blocks_add_begins_smaller_the_more_there_are(blocks):
    """The spread is 0.02, and of what attention and MLP add 0.02 / √(2 · blocks) (Radford et al. 2019, section 2.3)."""
    config = GPTConfig(vocabulary=65, context=16, width=64, heads=4, blocks=blocks, hidden=256)
    for name, weight in GPT2.initial(config, 0).items():
        if weight.data.ndim == 2 and "embed" not in name and name != "logits.weight":
            adds = name.endswith(("attn.out.weight", "mlp.down.weight"))
            spread = 0.02 / np.sqrt(2 * blocks) if adds else 0.02
            assert abs(weight.data.std() / spread - 1) < 0.05, name
