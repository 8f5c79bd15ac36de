"""Matrix multiplication: the bits of the plain NumPy loop, for every shape, value and layout; and what is refused."""

import mmap
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from helpers.fresh import examples
from helpers.resident import resident
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmtrace._kernels import instruction_sets, matmul, pack, pack_later

QUIET = {"over": "ignore", "under": "ignore", "invalid": "ignore"}
TYPES = [np.float32, np.float64]
SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, -1e-45, 3.4e38, -3.4e38, 1e-310, 1.0, -1.0]


def meaning(x, weight, bias):
    """The definition, in plain NumPy."""
    out = np.zeros((len(x), weight.shape[1]), x.dtype)
    with np.errstate(**QUIET):
        for k in range(len(weight)):
            out += x[:, k, None] * weight[k]
        return out if bias is None else out + bias


def bits(array):
    """The array's bits as integers, every NaN made the same one."""
    one_nan = np.where(np.isnan(array), np.array(np.nan, array.dtype), array)
    return one_nan.view(f"u{array.itemsize}")


def product(x, packed, bias):
    out = np.full((len(x), packed.columns), 77, x.dtype)
    matmul(x, packed, bias, out)
    return out


def numbers(shape, dtype, seed, specials=0):
    rng = np.random.default_rng(seed)
    array = rng.standard_normal(shape).astype(dtype)
    if array.size:
        with np.errstate(**QUIET):
            array.flat[rng.integers(array.size, size=specials)] = rng.choice(SPECIAL, size=specials).astype(dtype)
    return array


def heads(array, sequences, count):
    """[sequences · T, H · D] as [sequences, H, T, D]."""
    positions, width = len(array) // sequences, array.shape[1] // count
    return np.ascontiguousarray(array.reshape(sequences, positions, count, width).transpose(0, 2, 1, 3))


sizes = st.one_of(st.integers(0, 9), st.sampled_from([13, 16, 23, 24, 31, 32, 63, 64, 65, 97, 128, 131]))


@given(
    rows=sizes, depth=sizes, columns=sizes, dtype=st.sampled_from(TYPES), transposed=st.booleans(),
    biased=st.booleans(), specials=st.sampled_from([0, 0, 1, 5, 40]), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=examples(300))
def test_bits(rows, depth, columns, dtype, transposed, biased, specials, seed):
    x, weight = numbers((rows, depth), dtype, seed, specials), numbers((depth, columns), dtype, seed + 1, specials)
    bias = numbers(columns, dtype, seed + 2, specials) if biased else None
    given = np.ascontiguousarray(weight.T) if transposed else weight
    packed, later = pack(given, transposed), pack_later(given, transposed)
    for each in (packed, later, later):
        np.testing.assert_array_equal(bits(product(x, each, bias)), bits(meaning(x, weight, bias)))


@pytest.mark.parametrize("dtype", TYPES)
def test_bits_for_every_number_of_rows_and_of_columns(dtype):
    """Blocks of rows and panels of columns that are full, lack one, and have one too many."""
    x, weight = numbers((300, 3), dtype, 1), numbers((3, 300), dtype, 2)
    expected = bits(meaning(x, weight, None))
    few = pack(weight[:, :5])
    for rows in range(301):
        np.testing.assert_array_equal(bits(product(x[:rows].copy(), few, None)), expected[:rows, :5])
    for columns in range(301):
        packed = pack(weight[:, :columns])
        for rows in (1, 7):
            np.testing.assert_array_equal(bits(product(x[:rows].copy(), packed, None)), expected[:rows, :columns])


@pytest.mark.parametrize("rows", [3, 13, 25])
@pytest.mark.parametrize("depth", [1, 2, 127, 128, 129, 767, 768, 769, 1535, 1536, 1537])
def test_bits_for_every_depth_near_a_segment(rows, depth):
    x, weight, bias = (numbers(s, np.float32, 3) for s in ((rows, depth), (depth, 21), 21))
    for packed in (pack(weight), pack_later(weight)):
        np.testing.assert_array_equal(bits(product(x, packed, bias)), bits(meaning(x, weight, bias)))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("rows", "depth", "columns"), [(1, 768, 2304), (3, 700, 200), (203, 1100, 200), (97, 513, 769)]
)
def test_bits_of_large_ones(rows, depth, columns, dtype):
    x, weight, bias = (numbers(s, dtype, 5) for s in ((rows, depth), (depth, columns), columns))
    np.testing.assert_array_equal(bits(product(x, pack(weight), bias)), bits(meaning(x, weight, bias)))


@given(
    sequences=st.integers(0, 3), positions=st.integers(0, 9), count=st.integers(1, 4), width=st.integers(1, 17),
    columns=st.integers(1, 80), dtype=st.sampled_from(TYPES), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
@example(sequences=2, positions=50, count=3, width=64, columns=200, dtype=np.float32, seed=0)
@example(sequences=1, positions=1, count=5, width=13, columns=2305, dtype=np.float32, seed=0)
def test_heads_in(sequences, positions, count, width, columns, dtype, seed):
    x = numbers((sequences * positions, count * width), dtype, seed)
    weight, bias = numbers((count * width, columns), dtype, seed + 1), numbers(columns, dtype, seed + 2)
    split = heads(x, sequences, count) if sequences else np.zeros((0, count, positions, width), dtype)
    for packed in (pack(weight), pack_later(weight)):
        out = np.full((len(x), columns), 77, dtype)
        matmul(split, packed, bias, out)
        np.testing.assert_array_equal(bits(out), bits(meaning(x, weight, bias)))


@given(
    sequences=st.integers(1, 3), positions=st.integers(0, 9), count=st.integers(1, 9), width=st.integers(1, 80),
    depth=st.integers(0, 20), biased=st.booleans(), dtype=st.sampled_from(TYPES), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
@example(sequences=2, positions=50, count=3, width=64, depth=700, biased=True, dtype=np.float32, seed=0)
@example(sequences=1, positions=1, count=48, width=48, depth=20, biased=True, dtype=np.float32, seed=0)
def test_heads_out(sequences, positions, count, width, depth, biased, dtype, seed):
    x, weight = numbers((sequences * positions, depth), dtype, seed), numbers((depth, count * width), dtype, seed + 1)
    bias = numbers(count * width, dtype, seed + 2) if biased else None
    for packed in (pack(weight), pack_later(weight)):
        out = np.full((sequences, count, positions, width), 77, dtype)
        matmul(x, packed, bias, out)
        np.testing.assert_array_equal(bits(out), bits(heads(meaning(x, weight, bias), sequences, count)))


@pytest.mark.parametrize("dtype", TYPES)
def test_a_weight_of_any_strides_packs(dtype):
    x, big = numbers((7, 40), dtype, 0), numbers((80, 300), dtype, 1)
    swapped = big[:40].astype(big.dtype.newbyteorder())
    for weight in (big[::2, 100:170], big[::-2, 5:200:3], np.asfortranarray(big)[:40, :70], swapped):
        expected = bits(meaning(x, weight.astype(dtype), None))
        for make in (pack, pack_later):
            np.testing.assert_array_equal(bits(product(x, make(weight), None)), expected)
            np.testing.assert_array_equal(bits(product(x, make(weight.T, transposed=True), None)), expected)


def test_packing_copies():
    weight = numbers((5, 6), np.float32, 0)
    packed, x = pack(weight), numbers((2, 5), np.float32, 1)
    before = product(x, packed, None)
    weight[:] = 0
    np.testing.assert_array_equal(product(x, packed, None), before)
    assert (packed.depth, packed.columns) == (5, 6)
    with pytest.raises(ValueError, match="read-only"):
        packed.panels[0] = 1


def test_a_weight_that_is_used_once_is_not_packed():
    weight = numbers((5, 6), np.float32, 0)
    few, many = numbers((96, 5), np.float32, 1), numbers((97, 5), np.float32, 2)
    once, twice, long = pack_later(weight), pack_later(weight), pack_later(weight)
    for x, packed in ((few, once), (few, twice), (few, twice), (many, long)):
        product(x, packed, None)
    assert [packed.panels is None for packed in (once, twice, long)] == [True, False, False]


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="the system does not say what is in memory")
@pytest.mark.parametrize("transposed", [False, True])
def test_pages_of_a_file_are_given_back_when_packed(tmp_path, transposed):
    weight = numbers((1500, 3000), np.float32, 0)
    (tmp_path / "weights").write_bytes(b"head" + weight.tobytes())
    with (tmp_path / "weights").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    whole = np.frombuffer(mapped, np.uint8)
    inside = whole[4:].view(np.float32).reshape(weight.shape)
    assert (inside == weight).all()
    assert resident(whole.ctypes.data) > 17_000
    pack(inside, transposed)
    assert resident(whole.ctypes.data) < 100
    assert (inside == weight).all()


def test_memory_that_somebody_may_write_to_is_not_given_back(tmp_path):
    (tmp_path / "weights").write_bytes(bytes(1 << 20))
    with (tmp_path / "weights").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    weight = np.frombuffer(mapped, np.float32).reshape(512, 512)
    weight[:] = 1
    pack(weight)
    seen = weight.view()
    seen.flags.writeable = False
    pack(seen)
    assert (weight == 1).all()


def test_a_sum_that_is_reordered_would_be_seen():
    """The other tests could fail: descending k, or two half sums, give other bits."""
    x, weight = numbers((5, 64), np.float32, 0), numbers((64, 70), np.float32, 1)
    true = bits(meaning(x, weight, None))
    halves = meaning(x[:, :32], weight[:32], None) + meaning(x[:, 32:], weight[32:], None)
    assert (bits(meaning(x[:, ::-1], weight[::-1], None)) != true).any()
    assert (bits(halves) != true).any()


FINE = np.zeros((3, 4), np.float32)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": FINE.astype(np.float64)}, TypeError, "x must be float32"),
        ({"x": FINE.astype(np.int32)}, TypeError, "x must be float32"),
        ({"x": FINE.tolist()}, TypeError, "x must be a NumPy array, not list"),
        ({"x": np.zeros((4, 3), np.float32).T}, ValueError, "x must lie in memory without gaps"),
        ({"x": np.zeros((3, 8), np.float32)[:, ::2]}, ValueError, "x must lie in memory without gaps"),
        ({"x": np.zeros((3, 5), np.float32)}, ValueError, "x has 5 features, but the weight takes 4"),
        ({"x": np.zeros(4, np.float32)}, ValueError, "x must have 2 axes"),
        ({"bias": np.zeros(6, np.float32)}, ValueError, r"bias has shape \(6,\), expected \(5,\)"),
        ({"bias": np.zeros((1, 5), np.float32)}, ValueError, "bias must have 1 axes"),
        ({"bias": np.zeros(5)}, TypeError, "bias must be float32"),
        ({"bias": np.zeros(10, np.float32)[::2]}, ValueError, "bias must lie in memory without gaps"),
        ({"out": np.zeros((3, 6), np.float32)}, ValueError, "out has 3 rows of 6, expected 3 of 5"),
        ({"out": np.zeros((2, 5), np.float32)}, ValueError, "out has 2 rows of 5, expected 3 of 5"),
        ({"out": np.zeros((5, 3), np.float32).T}, ValueError, "out must lie in memory without gaps"),
        ({"out": np.zeros((3, 5))}, TypeError, "out must be float32"),
        ({"out": np.broadcast_to(np.float32(0), (3, 5))}, ValueError, "out must lie in memory|read-only"),
        ({"weight": np.zeros((4, 5), np.float32)}, TypeError, "PackedMatrix"),
        ({"weight": None}, TypeError, "weight"),
    ],
)
def test_refused(arguments, error, message):
    fine = {"x": FINE, "weight": pack(np.zeros((4, 5), np.float32)), "bias": None, "out": FINE @ np.ones((4, 5), "f")}
    with pytest.raises(error, match=message):
        matmul(**{**fine, **arguments})


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        (np.zeros((4, 5), np.float16), TypeError, "weight must be float32 or float64, not float16"),
        ([[1.0]], TypeError, "weight must be a NumPy array, not list"),
        (np.zeros(5, np.float32), ValueError, r"weight must have 2 axes, not shape \(5,\)"),
    ],
)
def test_refused_by_pack(weight, error, message):
    with pytest.raises(error, match=message):
        pack(weight)


DIGEST = """
import hashlib, numpy, sys
from llmtrace import _kernels
rng, digest = numpy.random.default_rng(0), hashlib.sha256()
for dtype in (numpy.float32, numpy.float64):
    for rows, depth, columns in ((1, 70, 200), (5, 600, 3), (101, 130, 131)):
        x, weight = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, depth), (depth, columns)))
        out = numpy.empty((rows, columns), dtype)
        _kernels.matmul(x, _kernels.pack(weight), None, out)
        digest.update(out)
print(_kernels.instruction_set(), digest.hexdigest())
"""


def test_every_instruction_set_gives_the_same_bits():
    command, digests = [sys.executable, "-c", DIGEST], set()
    for name in instruction_sets():
        run = subprocess.run(
            command, env={**os.environ, "LLMTRACE_ISA": name}, capture_output=True, text=True, timeout=60
        )
        used, digest = run.stdout.split()
        assert used == name
        digests.add(digest)
    assert len(digests) == 1


def test_the_weight_that_comes_next_is_fetched_but_not_kept_alive():
    """Whatever is multiplied next, of whatever sizes, or gone meanwhile: the bits are those of the weight alone."""
    x, alone = np.ones((13, 5), np.float32), []
    weights = [np.arange(5 * n, dtype=np.float32).reshape(5, n) for n in (700, 1, 65)]
    packed = [pack(weight) for weight in weights]
    for _ in range(3):
        outs = [np.empty((13, weight.shape[1]), np.float32) for weight in weights]
        for one, out in zip(packed, outs, strict=True):
            matmul(x, one, None, out)
        assert [out.tobytes() for out in outs] == (alone := alone or [out.tobytes() for out in outs])
    gone = [weakref.ref(one) for one in packed[1:]]
    del packed[1:], one
    assert [each() for each in gone] == [None, None]
    matmul(x, packed[0], None, outs[0])
    assert outs[0].tobytes() == alone[0]
