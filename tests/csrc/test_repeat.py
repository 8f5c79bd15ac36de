"""Inputs of a step that come again, and such as are others."""

import numpy as np
import pytest

from llmtrace._kernels import Given
from llmtrace.ops import Tensor


def tensor(name="x", shape=(2, 3), axes=("position", "feature"), dtype=np.float32):
    return Tensor(name, np.zeros(shape, dtype), axes)


def test_inputs_that_come_again():
    given = Given((tensor(), tensor("y", (4,), ("feature",))))
    again = (Tensor("x", np.ones((2, 3), np.float32), ("position", "feature")), tensor("y", (4,), ("feature",)))
    assert given.same(again)
    assert given.same(again, shapes=False)
    assert Given(()).same(())


OTHERS = {
    "name": (tensor("z"),),
    "shape": (tensor(shape=(2, 4)),),
    "as many numbers": (tensor(shape=(3, 2)),),
    "fewer axes": (tensor(shape=(2,)),),
    "type": (tensor(dtype=np.float64),),
    "names of axes": (tensor(axes=("position", "token")),),
    "one more": (tensor(), tensor()),
    "none": (),
}


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
def test_others(others):
    assert not Given((tensor(),)).same(others)
    assert Given(others).same(others)


def test_only_names():
    given = Given((tensor(),))
    assert given.same((tensor(shape=(7, 7)),), shapes=False)
    assert not given.same((tensor("z"),), shapes=False)
    assert not given.same((tensor(axes=("position", "token")),), shapes=False)


def test_more_inputs_than_a_kernel_takes_are_never_the_same():
    many = tuple(tensor(str(i)) for i in range(9))
    assert not Given(many).same(many)
    deep = (tensor(shape=(1,) * 9, axes=tuple("abcdefghi")),)
    assert not Given(deep).same(deep)
