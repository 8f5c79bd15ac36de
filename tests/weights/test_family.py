"""What a family makes of tensors that a source hands out."""

import numpy as np
import pytest
from helpers.small_models import small_config, small_gpt

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
