"""Weights that stay in memory as they are stored: the bits of the same weights as float32, in every product."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.stored_weights import ALL, blocks, widened
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmtrace import _kernels
from llmtrace.storage.quantised import KINDS


def bits(array):
    return np.ascontiguousarray(array).view(np.uint32)


def heads(x, count):
    """[T, H · D] as [1, H, T, D]."""
    return np.ascontiguousarray(x.reshape(len(x), count, x.shape[1] // count).transpose(1, 0, 2))[None]


def products(kind, rows, depth, columns, split, seed):
    """A product with the stored weight and one with its float32 numbers, and whether the ways back agree."""
    stored = blocks(kind, columns, -(-depth // KINDS[kind].weights), seed)
    weight = widened(kind, stored)
    x = np.random.default_rng(seed).standard_normal((rows, weight.shape[1])).astype(np.float32)
    if x.size:
        x.flat[seed % x.size] = np.inf if seed % 7 == 0 else 1e-40
    bias = x[0, 0] * np.arange(columns, dtype=np.float32) if x.size else None
    packed = _kernels.pack_stored(stored, kind)
    own, theirs = (np.full((rows, columns), 77, np.float32) for _each in range(2))
    given = heads(x, split) if weight.shape[1] % split == 0 else x
    _kernels.matmul(given, packed, bias, own)
    _kernels.matmul(x, _kernels.pack(weight, True), bias, theirs)
    back = np.array_equal(_kernels.unpacked(packed), stored)
    return own, theirs, back and np.array_equal(bits(_kernels.widened(packed)), bits(weight))


@pytest.mark.parametrize("kind", ALL)
@given(
    rows=st.sampled_from([0, 1, 1, 1, 2, 5, 7, 97]), depth=st.sampled_from([0, 1, 31, 64, 96, 257, 512, 600]),
    columns=st.sampled_from([0, 1, 13, 64, 65, 130]), split=st.sampled_from([1, 3, 4]), seed=st.integers(0, 999),
)  # fmt: skip
@example(rows=1, depth=64, columns=2305, split=4, seed=0)
@settings(max_examples=15, deadline=None)
def test_the_bits_of_float32_weights(kind, rows, depth, columns, split, seed):
    with np.errstate(all="ignore"):
        own, theirs, back = products(kind, rows, depth, columns, split, seed)
    np.testing.assert_array_equal(own, theirs)
    assert back


def test_every_float16_number():
    """On the instruction set in use; `digests` asks for it on all of them."""
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    found = _kernels.widened(_kernels.pack_stored(every.view(np.uint8).reshape(-1, 1, 2), "F16")).ravel()
    number = ~np.isnan(every)
    np.testing.assert_array_equal(bits(found[number]), bits(every[number].astype(np.float32)))
    assert np.isnan(found[~number]).all()


@pytest.mark.parametrize("kind", ALL)
def test_columns_by_their_numbers(kind):
    stored = blocks(kind, 70, 3)
    ids = np.array([[69, 0], [7, 7]])
    out = np.empty((2, 2, 3 * KINDS[kind].weights), np.float32)
    packed = _kernels.pack_stored(stored, kind)
    _kernels.widened_columns(packed, ids, out)
    np.testing.assert_array_equal(bits(out), bits(widened(kind, stored)[ids]))
    with pytest.raises(IndexError, match="70 at place 1"):
        _kernels.widened_columns(packed, np.array([[1, 70], [7, 7]]), out)


def test_what_is_refused():
    stored = blocks("Q4_1", 3, 2)
    with pytest.raises(KeyError):
        _kernels.pack_stored(stored, "Q2_K")
    with pytest.raises(ValueError, match="a block of Q8_0 is 34 bytes"):
        _kernels.pack_stored(stored, "Q8_0")
    with pytest.raises(TypeError, match="uint8 array of 3 axes"):
        _kernels.pack_stored(stored[0], "Q4_1")
    packed = _kernels.pack_stored(stored, "Q4_1")
    with pytest.raises(ValueError, match="x has 63 features, but the weight takes 64"):
        _kernels.matmul(np.zeros((1, 63), np.float32), packed, None, np.zeros((1, 3), np.float32))
    with pytest.raises(TypeError, match="x must be float32"):
        _kernels.matmul(np.zeros((1, 64)), packed, None, np.zeros((1, 3)))
    with pytest.raises(TypeError, match="not packed as it was stored"):
        _kernels.widened(_kernels.pack(np.zeros((2, 2), np.float32)))
    with pytest.raises(ValueError, match="expected"):
        _kernels.widened_columns(packed, np.array([0]), np.zeros((1, 63), np.float32))


def digests():
    """A checksum of some products of every width, with one thread and with three, on every instruction set."""
    found = []
    for name in _kernels.instruction_sets():
        _kernels.use_instruction_set(name)
        test_every_float16_number()
        for threads in (1, 3):
            _kernels.set_threads(threads)
            sums = [products(kind, rows, 300, 70, 1, 1) for kind in ALL for rows in (1, 50)]
            assert all(np.array_equal(bits(own), bits(theirs)) and back for own, theirs, back in sums)
            found.append(int(sum(int(bits(own).sum(dtype=np.uint64)) for own, _theirs, _back in sums)))
    return found


def test_every_instruction_set_and_number_of_threads():
    """In a process of its own, for what is packed for one instruction set is of no use to another."""
    paths = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(_kernels.__file__).parents[1])])
    run = subprocess.run(
        [sys.executable, __file__], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=True
    )
    found = json.loads(run.stdout)
    assert len(found) == 2 * len(_kernels.instruction_sets())
    assert len({*found}) == 1


if __name__ == "__main__":
    print(json.dumps(digests()))
