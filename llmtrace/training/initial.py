"""The weights that a training begins with: random, the same for the same seed on every machine."""

from __future__ import annotations

import math

import numpy as np

from llmtrace.arithmetic.types import Array
from llmtrace.models import GPTConfig
from llmtrace.ops import Weight
from llmtrace.rng import derive, normal
from llmtrace.weights.gpt import gpt_shapes, gpt_weights

SPREAD = 0.02


def initial_gpt(config: GPTConfig, seed: int) -> dict[str, Weight]:
    """As GPT-2 begins (Radford et al. 2019, section 2.3): weights spread by 0.02 about 0, those that write into the residual
    stream by 0.02 / √(2 · blocks); gains 1, biases 0.
    """
    tensors: dict[str, Array] = {}
    for name, shape in gpt_shapes(config).items():
        if len(shape) == 1:
            value = 1.0 if ".ln_" in f".{name}" and name.endswith("weight") else 0.0
            tensors[name] = np.full(shape, value, np.float32)
        else:
            spread = SPREAD / math.sqrt(2 * config.blocks) if name.endswith("c_proj.weight") else SPREAD
            tensors[name] = (normal(derive(seed, "weight", name), shape) * spread).astype(np.float32)
    return gpt_weights(config, tensors, "initial weights", tied=True)
