"""What is computed again of a step is what the whole step would be."""

import numpy as np
import pytest
from helpers.fresh import SEED, examples

from llmtrace.arithmetic.bits import same_bits
from llmtrace.experiments.again import Operand, again
from llmtrace.ops import OPS
from llmtrace.ops.shapes import parse
from llmtrace.rng import derive
from llmtrace.testing.sampling import sample

OF_TRAININGS = {"multiply_scalar", "broadcast", "embedding_gradient", "sum_all"}
"""They have operands or results without any axis, or of other places; what is edited are runs."""


@pytest.mark.parametrize("name", sorted(OPS.keys() - OF_TRAININGS))
def test_what_is_done_again_is_the_whole(name):
    """Whichever numbers of whichever operands are others than before: all bits are those of the step done as a whole."""
    for seed in range(examples(10)):
        expect_the_whole(OPS[name], derive(SEED, name, seed))


def expect_the_whole(op, seed):
    old, rng = sample(op, seed, np.float32, special=False), np.random.default_rng(seed)
    before, changed = old.call(op.forward), {}
    for name, tensor in old.tensors.items():
        if tensor is not None and tensor.dtype.kind == "f":
            places = rng.random(tensor.shape) < rng.choice([0.0, 0.1, 0.5])
            changed[name] = np.where(places, tensor + np.float32(1), tensor)
    if not np.ndim(before):
        return
    new = old.having(**changed)
    operands = []
    for name, tensor in new.tensors.items():
        places = None if tensor is None else tensor != old.tensors[name]
        operands.append(
            None if tensor is None else Operand(tensor, parse(op.shapes[name]), places if places.any() else None, None)
        )
    if any(x is not None and x.changed is not None for x in operands):
        assert same_bits(again(op, operands, new.settings, before).data, new.call(op.forward))
