"""A matrix that stays as it is stored: its numbers, whichever way it is asked for them, and before and after it is packed."""

import copy
import mmap
import pickle
from pathlib import Path

import numpy as np
import pytest
from helpers.resident import resident
from helpers.stored_weights import ALL, matrix

from llmtrace.storage.matrix import StoredMatrix


def same(found, expected):
    assert found.dtype == np.float32
    np.testing.assert_array_equal(
        np.ascontiguousarray(found).view(np.uint32), np.ascontiguousarray(expected).view(np.uint32)
    )


def ways(kind):
    """The same matrix fresh, packed, turned, and turned and packed; with its numbers."""
    for turned in (False, True):
        for packed in (None, False, True):
            stored, numbers = matrix(kind, 70, 96)
            stored, numbers = (stored.T, numbers.T) if turned else (stored, numbers)
            if packed is not None:
                stored.packed(packed)
            yield stored, numbers


@pytest.mark.parametrize("kind", ALL)
def test_its_numbers(kind):
    for stored, numbers in ways(kind):
        assert stored.shape == numbers.shape
        same(stored.read(), numbers)
        assert not stored.read().flags.writeable
        for index in [(3, 5), (np.array([1, 2, 1]), 7), (4, np.arange(9)), (np.array([[1], [0]]), np.array([[3, 2]]))]:
            same(np.asarray(stored.elements(index)), numbers[index])
        same(copy.deepcopy(stored).read(), numbers)
        again = pickle.loads(pickle.dumps(stored))
        assert (again.kind, again.shape) == (stored.kind, stored.shape)
        same(again.read(), numbers)
        same(stored.T.read(), numbers.T)


@pytest.mark.parametrize("kind", ALL)
def test_some_of_its_columns(kind):
    for stored, numbers in ways(kind):
        part = stored.columns(slice(3, 40))
        same(part.read() if isinstance(part, StoredMatrix) else part, numbers[:, 3:40])
    assert isinstance(matrix(kind, 8, 96)[0].T.columns(slice(1, 3)), StoredMatrix)


@pytest.mark.parametrize("kind", ALL)
def test_it_is_packed_once_and_takes_the_bytes_of_the_file(kind):
    stored, _numbers = matrix(kind, 128 * 12, 256)
    size = stored.blocks().nbytes
    packed = stored.packed(True)
    assert packed is stored.packed(True)
    assert stored.packed(False) is None
    assert size <= packed.panels.nbytes <= size * 1.05


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="the system does not say what is in memory")
def test_pages_of_a_file_are_given_back_when_it_is_packed(tmp_path):
    numbers = np.ones((1500, 3000), np.float16)
    (tmp_path / "weights").write_bytes(numbers.tobytes())
    with (tmp_path / "weights").open("rb") as file:
        whole = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    stored = StoredMatrix("F16", whole.reshape(1500, 3000, 2))
    assert stored.is_finite()
    assert resident(whole.ctypes.data) > 8_000
    stored.packed()
    assert resident(whole.ctypes.data) < 100


@pytest.mark.parametrize("kind", ["F16", "BF16"])
def test_reading_it_does_not_settle_which_way_it_is_multiplied(kind):
    """Otherwise looking at a weight, as its checksum does, would cost a second, wide copy."""
    for transposed in (False, True):
        stored, numbers = matrix(kind, 40, 70)
        same(stored.read(), numbers)
        same(stored.elements((np.array([3, 1]), 2)), numbers[[3, 1], 2])
        assert stored.packed(transposed).width


@pytest.mark.parametrize("kind", ALL)
def test_whether_its_numbers_are_finite_and_the_same(kind):
    stored, numbers = matrix(kind, 40, 256)
    other, _numbers = matrix(kind, 40, 256, seed=1)
    assert np.isfinite(numbers).all()
    assert stored.is_finite()
    assert stored.same_as(matrix(kind, 40, 256)[0])
    assert not stored.same_as(other)
    assert not stored.same_as(stored.T)
    for value in (np.inf, -np.inf, np.nan):
        blocks = stored.blocks().copy()
        bits = np.float16(value).view(np.uint16) if kind != "BF16" else np.float32(value).view(np.uint32) >> 16
        blocks[17, -1, -2 if kind == "Q6_K" else 0 :][:2] = np.uint16(bits).reshape(1).view(np.uint8)
        broken = StoredMatrix(kind, blocks)
        assert not broken.is_finite()
        assert not np.isfinite(broken.read()).all()
