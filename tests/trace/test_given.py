"""What steps take of the weights is looked up once for all tokens, and that changes nothing that can be seen."""

import copy

import numpy as np
import pytest

from llmtrace.errors import ModelError
from llmtrace.models.cache import KVCache
from llmtrace.ops import OPS, Tensor, Weight
from llmtrace.storage.matrix import StoredMatrix
from llmtrace.trace.given import fixed
from llmtrace.trace.run import Run

LINEAR, ADD, NORM = OPS["linear"], OPS["add"], OPS["layer_norm"]
X = Tensor("x", np.arange(6, dtype=np.float32).reshape(1, 6) / 7, ("position", "feature"))


def weights(*names, rows=6):
    """Weights [rows, 6] of these names, all different."""
    return {
        name: Weight(name, np.arange(rows * 6, dtype=np.float32).reshape(rows, 6) + k, ("input", "output"))
        for k, name in enumerate(names)
    }


def test_a_step_of_the_same_name_that_is_asked_for_otherwise_is_another():
    known = weights("a.weight", "b.weight")
    cache = KVCache()
    calls = [
        {"op": LINEAR},
        {"op": LINEAR, "transposed": True},
        {"op": LINEAR, "weights": "b"},
        {"op": ADD, "more": (X,)},
        {"op": LINEAR},
    ]
    for _time in range(2):
        for call in calls:
            given = {**call}
            op, more = given.pop("op"), given.pop("more", ())
            found = Run(known, cache=cache)("a", op, X, *more, **given)
            assert (found.data == Run(known)("a", op, X, *more, **given).data).all()
            assert found.name == "a"


def test_weights_are_looked_up_once():
    asked = []

    class Known(dict):
        def get(self, name):
            asked.append(name)
            return super().get(name)

    known, cache = Known(weights("block.0.a.weight")), KVCache()
    for _token in range(3):
        Run(known, cache=cache).within("block.0")("a", LINEAR, X)
    assert asked == ["block.0.a.weight", "block.0.a.bias"]


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_wrong_is_said_alike(times):
    known, cache = weights("a.weight", rows=6), KVCache()
    short = Tensor("short", X.data[:, :5].copy(), X.axes)
    for _token in range(times - 1):
        Run(known, cache=cache)("a", LINEAR, X)
    with pytest.raises(ValueError, match=r"a = linear\(short \(1, 5\)\)") as first:
        Run(known, cache=cache)("a", LINEAR, short)
    with pytest.raises(ValueError, match="a = linear") as second:
        Run(known)("a", LINEAR, short)
    assert str(first.value) == str(second.value)
    with pytest.raises(ModelError, match="no weight missing"):
        Run(known, cache=cache)("missing", LINEAR, X)


def test_numbers_that_are_made_anew_are_not_kept():
    blocks = np.arange(2 * 6 * 2, dtype=np.uint8).reshape(2, 6, 2)
    stored = StoredMatrix("F16", blocks)
    weight = Weight("w", stored, ("input", "output"))
    assert fixed(ADD, [X, weight], {}) is None
    assert fixed(ADD, [X, None], {}) == [None]


def test_a_copy_of_a_cache_goes_on_with_the_same():

    cache = KVCache()
    Run(weights("a.weight"), cache=cache)("a", LINEAR, X)
    assert copy.copy(cache).given is cache.given
