import warnings

import numpy as np
import pytest
from gguf import GGMLQuantizationType, dequantize
from helpers.hostile_gguf import gguf, tensor

from llmtrace.storage.blocks import READABLE
from llmtrace.storage.gguf import open_gguf
from llmtrace.storage.quantised import TYPES

QUANTISED = {number: kind for number, kind in TYPES.items() if kind.parts}


def blocks(kind, count, seed=0):
    """Random bytes, whose float16 numbers may be anything."""
    return np.random.default_rng(seed).integers(0, 256, (count, kind.size), np.uint8)


def stored(path, number, data, rows=1):
    kind = TYPES[number]
    shape = (data.size // kind.size * kind.weights // rows, rows)
    path.write_bytes(gguf([], [tensor(shape=shape, kind=number)], data.tobytes()))
    return open_gguf(path).tensors["a"]


def test_which_types_can_be_read():
    assert READABLE == ("F32", "F16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "F64", "BF16")


def test_the_types_are_those_of_their_own_program():
    for number, kind in TYPES.items():
        assert GGMLQuantizationType(number).name == kind.name


@pytest.mark.parametrize("number", QUANTISED, ids=[kind.name for kind in QUANTISED.values()])
def test_the_same_bits(number, tmp_path):
    kind = TYPES[number]
    data = blocks(kind, 3000, number)
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore")
        theirs = dequantize(data, GGMLQuantizationType(number)).ravel()
    ours = stored(tmp_path / "m.gguf", number, data, rows=2).read().ravel()
    nan = np.isnan(theirs)
    assert 0 < nan.mean() < 0.1
    assert (nan == np.isnan(ours)).all()
    assert (ours.view(np.uint32) == theirs.view(np.uint32))[~nan].all()


@pytest.mark.parametrize("number", [0, 1, 28, 30])
def test_numbers_that_are_not_quantised(number, tmp_path):
    numbers = np.array([1.5, -0.0, 65504, 2**-24], np.float32)
    data = {
        0: numbers,
        1: numbers.astype(np.float16),
        28: numbers.astype(float),
        30: numbers.view(np.uint16)[1::2].copy(),
    }
    read = stored(tmp_path / "m.gguf", number, data[number].view(np.uint8).reshape(4, -1)).read()
    expected = dequantize(data[30].view(np.uint8), GGMLQuantizationType(30)) if number == 30 else numbers
    assert read.tobytes() == expected.tobytes()


@pytest.mark.parametrize("number", [n for n, kind in TYPES.items() if kind.name not in READABLE])
def test_the_others_are_refused_by_name(number, tmp_path):
    kind = TYPES[number]
    with pytest.raises(ValueError, match=f"^is {kind.name}, but only F32, F16, Q4_0"):
        stored(tmp_path / "m.gguf", number, blocks(kind, 2)).read()


@pytest.mark.parametrize("number", QUANTISED, ids=[kind.name for kind in QUANTISED.values()])
def test_every_weight_leads_back_to_what_it_was_made_of(number, tmp_path):
    kind = TYPES[number]
    data = blocks(kind, 24, number)
    tensor = stored(tmp_path / "m.gguf", number, data, rows=3)
    weights, kept = tensor.read(), tensor.kept()
    for view, matrix in ((weights, kept), (weights.T, kept.T), (weights.T[:, 1:], kept.T.columns(slice(1, None)))):
        matrix.packed(matrix.turned)
        place = tuple(length // 2 for length in view.shape)
        origin = matrix.origin(place)
        with np.errstate(invalid="ignore"):
            again = origin.scale * origin.q + (0 if origin.minimum is None else origin.minimum)
        assert origin.kind == kind.name
        assert again.dtype == np.float32
        assert np.array_equal(again, view[place], equal_nan=True)
