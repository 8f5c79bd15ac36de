"""Sizes near the limits, axes of length 0, memory of every kind: computed, or refused with a sentence; no crash and no hang."""

import copy
import signal

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from llmtrace import _kernels
from llmtrace._bpe import MergeTable, PairTable

FAR = 1 << 57
"""An axis so long that nothing can lie along it; beside an axis of length 0 NumPy allows it."""

BYTE_IDS = list(range(256))


@pytest.fixture(autouse=True)
def at_once():
    """A loop over an axis that holds nothing would take years."""

    def late(*_):
        raise TimeoutError("this takes too long")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def empty(*shape):
    return np.empty(shape, np.float32)


def ones(*shape):
    return np.ones(shape, np.float32)


def read_only(array):
    array.flags.writeable = False
    return array


def misaligned(*shape):
    return np.zeros(4 * int(np.prod(shape)) + 1, np.uint8)[1:].view(np.float32).reshape(shape)


def blocks_of(count, width=34):
    """One column of so many blocks, all in the same place."""
    return as_strided(np.zeros(width, np.uint8), (1, count, width), (0, 0, 1))


NOTHING = {
    "a weight without rows": lambda: _kernels.pack(empty(0, FAR)),
    "a weight without columns": lambda: _kernels.pack(empty(FAR, 0)),
    "the same later": lambda: _kernels.matmul(empty(0, FAR), _kernels.pack_later(empty(FAR, 0)), None, empty(0, 0)),
    "columns of no blocks": lambda: _kernels.pack_stored(np.empty((FAR, 0, 34), np.uint8), "Q8_0"),
    "the same, unpacked": lambda: _kernels.unpacked(_kernels.pack_stored(np.empty((FAR, 0, 34), np.uint8), "Q8_0")),
    "the same, widened": lambda: _kernels.widened(_kernels.pack_stored(np.empty((FAR, 0, 34), np.uint8), "Q8_0")),
    "queries of no keys": lambda: _kernels.attention_scores(empty(FAR, 1, 0), empty(FAR, 0, 0), empty(FAR, 1, 0), True),
    "keys of no queries": lambda: _kernels.attention_scores(empty(FAR, 0, 2), empty(FAR, 0, 2), empty(FAR, 0, 0)),
    "a mix without features": lambda: _kernels.attention_mix(
        empty(FAR, 1, 0), empty(FAR, 0, 0), empty(FAR, 1, 0), True
    ),
    "a way back without features": lambda: _kernels.attention_back(
        empty(FAR, 0, 1), empty(FAR, 0, 0), empty(FAR, 1, 0), True
    ),
    "attention without features": lambda: _kernels.attend(
        empty(FAR, 1, 0), empty(FAR, 0, 0), empty(FAR, 0, 0), empty(FAR, 1, 0), full=True
    ),
    "attention of no queries": lambda: _kernels.attend(
        empty(FAR, 0, 2), empty(FAR, 0, 2), empty(FAR, 0, 2), empty(FAR, 0, 2)
    ),
    "heads without features": lambda: _kernels.move_heads(empty(1, FAR, 2, 0), empty(1, 2, 0), True),
    "nothing behind a cache": lambda: _kernels.append(empty(FAR, 0, 0), empty(FAR, 0, 0), 0),
    "a sum of nothing": lambda: _kernels.sum_outer_products(empty(FAR, 0), empty(FAR, 0), None, empty(0, 0)),
    "a sum of no columns": lambda: _kernels.column_sum(empty(FAR, 0), None, None, empty(0)),
    "embeddings of no tokens": lambda: _kernels.embedding_gradient(
        np.empty(0, np.int64), empty(0, FAR), None, empty(0, FAR)
    ),
    "an elementwise one": lambda: _kernels.elementwise("exp", (empty(FAR, 0),), empty(FAR, 0)),
    "all of nothing": lambda: _kernels.sum_all(empty(FAR, 0), None, np.empty((), np.float32)),
    "an array in an arena": lambda: _kernels.Arena().empty((FAR, 0, 3), np.float32),
    "giving back nothing": lambda: _kernels.give_back(empty(FAR, 0)),
}


@pytest.mark.parametrize("compute", NOTHING.values(), ids=NOTHING)
def test_an_axis_beside_one_of_length_0_takes_no_time(compute):
    compute()


WRAPPED = (1 << 64) // (34 * 32) + 1
"""So many blocks of Q8_0 that the bytes of a panel of them are a small number modulo 2^64."""

REFUSED = {
    "panels of 2^64 + 128 bytes": lambda: _kernels.pack(np.broadcast_to(np.float32(1), ((1 << 59) + 1, 1))),
    "the same, transposed": lambda: _kernels.pack(np.broadcast_to(np.float32(1), (1, (1 << 59) + 1)), True),
    "of float64": lambda: _kernels.pack(np.broadcast_to(np.float64(1), ((1 << 59) + 1, 1))),
    "panels of 2^62 bytes": lambda: _kernels.pack(np.broadcast_to(np.float32(1), (1 << 30, 1 << 30))),
    "panels of 2^50 bytes": lambda: _kernels.pack(np.broadcast_to(np.float32(1), (1 << 24, 1 << 24))),
    "blocks of 2^64 bytes": lambda: _kernels.pack_stored(blocks_of(WRAPPED), "Q8_0"),
    "blocks of 2^60 bytes": lambda: _kernels.pack_stored(blocks_of(1 << 55), "Q8_0"),
    "a vector of 2^63 bytes": lambda: _kernels.aligned_empty(1 << 61, np.float32),
    "a vector of 2^64 bytes": lambda: _kernels.aligned_empty(1 << 62, np.float32),
    "an arena of 2^64 bytes": lambda: _kernels.Arena().empty((1 << 31, 1 << 31), np.float32),
    "an arena of 2^64 + 4 bytes": lambda: _kernels.Arena().empty((1 << 62,) * 2, np.float32),
    "a block of 2^64 - 1 bytes": lambda: _kernels.Block((1 << 64) - 1),
    "a negative axis": lambda: _kernels.Arena().empty((-1, 0), np.float32),
    "17 axes": lambda: _kernels.Arena().empty((1,) * 17, np.float32),
    "a matrix that nobody packed": lambda: _kernels.matmul(
        np.empty((1, 0), bool), _kernels.PackedMatrix(), None, np.empty((1, 0), bool)
    ),
    "columns of a matrix that nobody packed": lambda: _kernels.widened_columns(
        _kernels.PackedMatrix(), np.zeros(0, np.int64), empty(0, 0)
    ),
    "ids in a list": lambda: _kernels.widened_columns(
        _kernels.pack_stored(np.zeros((3, 1, 34), np.uint8), "Q8_0"), [0], ones(1, 32)
    ),
    "ids beyond 2^32": lambda: _kernels.widened_columns(
        _kernels.pack_stored(np.zeros((3, 1, 34), np.uint8), "Q8_0"), np.array([(1 << 32) + 1]), ones(1, 32)
    ),
    "ids below 0": lambda: _kernels.embedding_gradient(np.array([-(1 << 63)]), ones(1, 2), None, ones(3, 2)),
    "giving back what is no array": lambda: _kernels.give_back(_kernels.mmap.mmap(-1, 4096)),
    "out read-only": lambda: _kernels.elementwise("exp", (ones(3),), read_only(ones(3))),
    "out misaligned": lambda: _kernels.elementwise("exp", (ones(3),), misaligned(3)),
    "x misaligned": lambda: _kernels.matmul(misaligned(2, 3), _kernels.pack(ones(3, 2)), None, empty(2, 2)),
    "keys misaligned": lambda: _kernels.attention_scores(ones(2, 3, 4), misaligned(2, 5, 4)[:, :3], empty(2, 3, 3)),
    "keys a fraction of a number apart": lambda: _kernels.attention_scores(
        ones(2, 1, 2), as_strided(ones(9), (2, 1, 2), (13, 8, 4)), empty(2, 1, 1)
    ),
    "values misaligned": lambda: _kernels.attend(
        ones(2, 3, 4), ones(2, 3, 4), misaligned(2, 5, 4)[:, :3], empty(2, 3, 4)
    ),
    "a long piece without ids": lambda: MergeTable([-1] * 256, []).encode(bytes(100)),
    "an id beyond 2^31": lambda: MergeTable(BYTE_IDS, [(1, 2, 1 << 31)]),
    "an id beyond 2^64": lambda: MergeTable(BYTE_IDS, [(1, 2, 1 << 64)]),
    "a merge of two": lambda: MergeTable(BYTE_IDS, [(1, 2)]),
    "a count below 0": lambda: PairTable([b"ab"], [-1], BYTE_IDS, 1),
    "a piece that is none": lambda: PairTable([None], [1], BYTE_IDS, 1),
    "a piece of text": lambda: PairTable(["ab"], [1], BYTE_IDS, 1),
}


@pytest.mark.parametrize("compute", REFUSED.values(), ids=REFUSED)
def test_what_no_memory_holds_is_refused(compute):
    with pytest.raises((ValueError, TypeError, MemoryError, OverflowError, IndexError, KeyError)):
        compute()


def overlapping(shift):
    memory = np.arange(40, dtype=np.float32)
    return memory[:20], memory[shift : shift + 20]


@pytest.mark.parametrize("shift", [0, 1, 19])
def test_a_result_in_the_memory_of_an_input_is_refused(shift):
    x, out = overlapping(shift)
    with pytest.raises(ValueError, match="memory of its own"):
        _kernels.elementwise("exp", (x,), out)
    _kernels.elementwise("exp", (x,), overlapping(20)[1])


@pytest.mark.parametrize(
    "order", ["reversed", "every third", "transposed", "read-only", "misaligned", "swapped", "one number"]
)
def test_a_weight_may_lie_in_any_way(order):
    rng = np.random.default_rng(0)
    base = rng.standard_normal((99, 101)).astype(np.float32)
    weight = {
        "reversed": base[::-1, ::-1],
        "every third": base[::3, 1::3],
        "transposed": base.T,
        "read-only": read_only(base.copy()),
        "misaligned": misaligned(7, 5),
        "swapped": base.astype(">f4"),
        "one number": np.broadcast_to(np.float32(3), (70, 33)),
    }[order]
    x, out = rng.standard_normal((9, len(weight))).astype(np.float32), empty(9, weight.shape[1])
    again = out.copy()
    _kernels.matmul(x, _kernels.pack(weight), None, out)
    for _ in range(2):
        later = _kernels.pack_later(weight)
        for row in range(9):
            _kernels.matmul(x[row : row + 1], later, None, again[row : row + 1])
    assert out.tobytes() == again.tobytes()
    np.testing.assert_allclose(out, x.astype("f8") @ weight.astype("f8"), rtol=1e-3, atol=1e-3)


def test_a_copied_matrix_computes_the_same():
    packed = _kernels.pack(ones(5, 3))
    first, second = empty(2, 3), empty(2, 3)
    _kernels.matmul(ones(2, 5), packed, None, first)
    _kernels.matmul(ones(2, 5), copy.deepcopy(packed), None, second)
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("size", [0, 1, 2, 31, 32, 33, 1000])
def test_pieces_of_every_length(size):
    table = MergeTable(BYTE_IDS, [(97, 97, 256), (256, 256, 257)])
    ids, merges = table.record(b"a" * size)
    assert sum({97: 1, 256: 2, 257: 4}[i] for i in ids) == size
    assert len(merges) == size - len(ids)
    learned = PairTable([b"a" * size, b""], [1, (1 << 64) - 1], BYTE_IDS, 1).learn(3)
    assert learned[:1] == ([(97, 97, size - 1)] if size > 1 else [])
