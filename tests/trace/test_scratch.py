"""A trace whose numbers lie in a mapped file is the same trace, and leaves nothing behind."""

import mmap
import os
from pathlib import Path

import numpy as np
import pytest
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt

from llmtrace.errors import DoesNotFitError, ModelError, TraceFileError
from llmtrace.models import KVCache, memory
from llmtrace.trace.scratch import CHUNK, Scratch


@pytest.mark.parametrize("make", [small_gpt, small_llama])
@pytest.mark.parametrize("prompt", [[0, 2, 1], [[0, 1, 2], [2, 2, 0]]], ids=["one text", "a batch"])
def test_the_same_bits_as_in_memory(tmp_path, make, prompt):
    model, caches = make(), (KVCache(), KVCache())
    for _ in range(2):  # the second time after what the cache has
        mapped = model.trace(prompt, caches[0], scratch=tmp_path)
        usual = model.trace(prompt, caches[1], keep="all")
        assert mapped.kept() == usual.kept()
        for name in usual.kept():
            assert mapped.tensor(name).tobytes() == usual.tensor(name).tobytes(), name
    assert not list(tmp_path.iterdir())


def test_it_is_saved_and_explained_as_any(tmp_path):
    model = small_gpt()
    mapped, usual = model.trace([0, 2, 1], scratch=tmp_path), model.trace([0, 2, 1])
    mapped.save(tmp_path / "mapped.trace")
    usual.save(tmp_path / "usual.trace")
    assert (tmp_path / "mapped.trace").read_bytes() == (tmp_path / "usual.trace").read_bytes()
    assert str(mapped.explain("logits[-1, 2]", depth=3)) == str(usual.explain("logits[-1, 2]", depth=3))


def test_what_would_not_fit_on_the_disk_is_refused_with_the_longest_that_would(tmp_path, monkeypatch):
    model = small_gpt()
    monkeypatch.setattr(memory, "free_disk", lambda folder: model.trace_bytes(3) + 8)
    model.trace([0, 2, 1], scratch=tmp_path)
    with pytest.raises(DoesNotFitError, match="the longest prompt that fits has 3 tokens"):
        model.trace([0, 2, 1, 1], scratch=tmp_path)


def test_a_disk_that_is_full_meanwhile(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(DoesNotFitError, match="can't hold the numbers of the trace: No space left on device"):
        small_gpt().trace([0, 2, 1], scratch=tmp_path)


def test_systems_that_reserve_nothing(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    test_the_same_bits_as_in_memory(tmp_path, small_gpt, [0, 2, 1])


def test_what_can_not_be(tmp_path):
    with pytest.raises(TraceFileError, match="no file can be made in"):
        small_gpt().trace([0, 2, 1], scratch=tmp_path / "absent")
    with pytest.raises(ModelError, match="nothing is written there"):
        small_gpt().trace([0, 2, 1], scratch=tmp_path, keep="residual")


def test_more_than_was_expected_and_arrays_that_outlive_it(tmp_path):
    scratch = Scratch(tmp_path, 100)
    arrays = [scratch.empty((n, 3), np.float32) for n in (1, 0, 5, 1000, 2)]
    arrays.append(scratch.empty((CHUNK + 1,), np.uint8))
    scratch.close()
    for value, array in enumerate(arrays):
        assert not array.ctypes.data % 64
        array.fill(value)
    assert all((array == value).all() for value, array in enumerate(arrays))
    if Path("/proc/self/maps").exists():
        assert str(tmp_path) in Path("/proc/self/maps").read_text()
        del array, arrays, scratch
        assert str(tmp_path) not in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize("pages", [1, 2, 5])
def test_what_fits_exactly_takes_no_more(tmp_path, pages):
    size = pages * mmap.ALLOCATIONGRANULARITY
    for parts in (1, 2, 4):
        scratch = Scratch(tmp_path, size)
        for _ in range(parts):
            scratch.empty((size // parts // 4,), np.float32)[:] = 1
        assert scratch.size == size
        scratch.close()
