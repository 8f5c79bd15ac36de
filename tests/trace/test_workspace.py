"""Memory that is written again and again, as large as the largest piece needed."""

import numpy as np

from llmtrace.trace.workspace import Workspace


def test_the_second_piece_lies_where_the_first_lay():
    workspace = Workspace()
    sizes = [((3, 5), np.float32), ((7,), np.float64), ((0, 2), np.float32), ((2, 2), np.float32)]
    places = []
    for _ in range(3):
        workspace.again()
        arrays = [workspace.empty(shape, dtype) for shape, dtype in sizes]
        for value, array in enumerate(arrays):
            array.fill(value)
        assert [(a.shape, a.dtype) for a in arrays] == [(shape, np.dtype(dtype)) for shape, dtype in sizes]
        assert all((array == value).all() for value, array in enumerate(arrays))
        places.append([array.ctypes.data for array in arrays if array.size])
    assert places[1] == places[2]
    assert not any(place % 64 for place in places[1])


def test_what_is_larger_than_all_before_has_memory_of_its_own():
    workspace = Workspace()
    workspace.empty((8,), np.float32)
    workspace.again()
    small, large = workspace.empty((8,), np.float32), workspace.empty((1000,), np.float32)
    small.fill(1)
    large.fill(2)
    assert (small == 1).all()
