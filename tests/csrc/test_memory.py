"""Where runs write: memory that nobody holds any more is used again, and never while somebody does."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtrace import _kernels

LARGE = 5_000_000
"""float32 numbers: 20 MB."""


def place(array):
    return array.__array_interface__["data"][0]


def mapped():
    """How many bytes of addresses this process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def made(*sizes):
    """Arrays of one run that is over."""
    arena = _kernels.Arena()
    arrays = [arena.empty((size,), np.float32) for size in sizes]
    arena.close()
    return arrays


@pytest.mark.parametrize("size", [1000, LARGE, 9 * LARGE])
def test_the_next_run_writes_where_the_last_one_did(size):
    first = made(size)
    where = place(first[0])
    first[0].fill(1)
    del first
    assert place(made(size)[0]) == where


def test_what_is_held_is_not_written():
    kept = made(LARGE, LARGE)
    kept[0].fill(1)
    kept[1].fill(2)
    others = [made(LARGE, 3 * LARGE, 1000) for _ in range(2)]
    for n, arrays in enumerate(others):
        for array in arrays:
            array.fill(10 + n)
    assert (kept[0] == 1).all()
    assert (kept[1] == 2).all()
    assert all((array == 10 + n).all() for n, arrays in enumerate(others) for array in arrays)


def test_one_array_holds_its_block():
    first, second = made(1000, 1000)
    first.fill(1)
    where = place(second)
    del second
    other = made(1000)[0]
    other.fill(2)
    assert place(other) != where
    assert (first == 1).all()


def test_a_small_run_does_not_take_a_large_block():
    large = place(made(9 * LARGE)[0])
    small = made(1000)[0]
    assert not large <= place(small) < large + 36 * LARGE
    assert place(made(9 * LARGE)[0]) == large


def test_idle_memory_is_bounded():
    """Of many more blocks than may lie idle, the system gets the pages and the addresses back."""
    limit = min(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4, 4 << 30)
    before = mapped()
    held = [made(5 * LARGE)[0] for _ in range(limit // (20 * LARGE) + 8)]  # untouched, so they take no memory
    assert mapped() - before > limit
    held[-1].fill(3)
    assert (held[-1] == 3).all()
    del held
    assert mapped() - before <= limit
    assert made(5 * LARGE)[0].size == 5 * LARGE


def test_the_rest_of_a_block_is_used_after_a_larger_array():
    arena = _kernels.Arena()
    first, _large, third = (arena.empty((size,), np.float32) for size in (1024, 2 * LARGE, 1024))
    assert place(third) == place(first) + first.nbytes


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="faults are counted as Linux does it")
@pytest.mark.parametrize("threads", [1, 2])
def test_the_next_run_finds_memory_that_was_touched(threads):
    """Of blocks of the same size, the one that was used in part comes last; so the system has no fresh pages to give. Where
    something has been written, nothing is touched."""
    code = f"""
import resource
import numpy as np
from llmtrace import _kernels

_kernels.set_threads({threads})
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arena = _kernels.Arena()
    arrays = []
    for number in range(80):
        arrays.append(arena.empty((250_000,), np.float32))
        arrays[-1].view(np.uint8).fill(1 + number)
    arena.close()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    assert all((array.view(np.uint8) == 1 + number).all() for number, array in enumerate(arrays))
    del arrays
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = map(int, done.stdout.split())
    assert second < 6 < first


@given(st.lists(st.integers(1, 3 * LARGE), max_size=8))
def test_arrays_of_a_run_do_not_overlap(sizes):
    arena = _kernels.Arena()
    arrays = sorted((arena.empty((size,), np.float32) for size in sizes), key=place)
    assert all(place(one) + one.nbytes <= place(next) for one, next in pairwise(arrays))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_a_small_vector_lies_where_one_as_large_has_died(dtype):
    """But where a block of those of all tests came to its end in between, which can't be twice in a row."""
    assert lies_where_one_has_died(dtype) or lies_where_one_has_died(dtype)


def lies_where_one_has_died(dtype):
    first, second = (_kernels.aligned_empty(5000, dtype) for _ in range(2))
    where = place(first)
    assert where % 64 == 0
    del first
    other, third = _kernels.aligned_empty(9000, dtype), _kernels.aligned_empty(5000, dtype)
    assert len({place(second), place(other), where}) == 3
    return place(third) == where


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 16, 17, 1000, 500_000, 524_287, 524_288, 700_000]), st.integers(0, 5)),
        max_size=60,
    )
)
def test_vectors_do_not_overlap_whenever_others_die(vectors):
    """More of them than fit into a block; each is followed by the death of one, or of none."""
    held = []
    for number, (size, dies) in enumerate(vectors):
        held.append((number, _kernels.aligned_empty(size, np.float32)))
        held[-1][1][:] = number
        del held[dies : dies + 1]
    assert all((array == number).all() for number, array in held)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the address space is limited as Linux does it")
def test_idle_memory_makes_room_for_what_is_needed():
    """A block that fits neither beside the idle one nor into it; and one that never fits is refused."""
    code = f"""
import resource
import numpy as np
from llmtrace import _kernels

LARGE = {LARGE}
_kernels.Arena().empty((9 * LARGE,), np.float32)
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 24), resource.RLIM_INFINITY))
_kernels.Arena().empty((6 * LARGE,), np.float32)[:] = 1
try:
    _kernels.Arena().empty((20 * LARGE,), np.float32)
except MemoryError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stderr, done.stdout) == ("", f"no {4 * 20 * LARGE} bytes of memory could be had\n")
