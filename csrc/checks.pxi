# What every operation refuses, and how it is said.

cdef int real_type(object array, str name) except -1:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array, not {type(array).__name__}")
    cdef int kind = cnp.PyArray_TYPE(<cnp.ndarray> array)
    if kind != cnp.NPY_FLOAT32 and kind != cnp.NPY_FLOAT64:
        raise TypeError(f"{name} must be float32 or float64, not {array.dtype}")
    return kind


cdef void *pointer(object array, int kind, int ndim, str name) except? NULL:
    """The data of an array of exactly this type (and number of axes, unless −1), or an error that says what is wrong."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array, not {type(array).__name__}")
    cdef cnp.ndarray a = <cnp.ndarray> array
    if cnp.PyArray_TYPE(a) != kind or cnp.PyArray_ISBYTESWAPPED(a):
        wanted = np.dtype(cnp.PyArray_DescrFromType(kind))
        raise TypeError(f"{name} must be {wanted} in this machine's byte order, not {a.dtype!r}")
    if ndim >= 0 and cnp.PyArray_NDIM(a) != ndim:
        raise ValueError(f"{name} must have {ndim} axes, not shape {array.shape}")
    if not cnp.PyArray_IS_C_CONTIGUOUS(a) or not cnp.PyArray_ISALIGNED(a):
        raise ValueError(f"{name} must lie in memory without gaps (C-contiguous, aligned): use np.ascontiguousarray")
    return cnp.PyArray_DATA(a)


cdef void *stacked(object array, int kind, int ndim, str name, Py_ssize_t *stride) except? NULL:
    """Like `pointer`, for blocks [..., rows, width] that lie without gaps inside but one `stride` of elements apart."""
    cdef cnp.ndarray a
    cdef Py_ssize_t item, expected
    cdef int axis
    if not isinstance(array, np.ndarray) or array.ndim < 3 or cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> array) or not array.size:
        data = <Py_ssize_t> pointer(array, kind, ndim, name)
        stride[0] = array.shape[array.ndim - 2] * array.shape[array.ndim - 1] if array.ndim >= 2 else 0
        return <void *> <Py_ssize_t> data
    a = <cnp.ndarray> array
    item = a.itemsize
    pointer(array[(0,) * (array.ndim - 2)], kind, 2, name)
    stride[0] = a.strides[a.ndim - 3] // item
    expected = a.strides[a.ndim - 3]
    if expected % item:
        raise ValueError(f"the blocks of {name} must lie a whole number of elements apart: use np.ascontiguousarray")
    for axis in range(a.ndim - 4, -1, -1):
        expected *= a.shape[axis + 1]
        if a.strides[axis] != expected and a.shape[axis] > 1:
            raise ValueError(f"the blocks of {name} must lie evenly apart: use np.ascontiguousarray")
    if a.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, not shape {array.shape}")
    return cnp.PyArray_DATA(a)


cdef void *target(object array, int kind, int ndim, tuple inputs) except? NULL:
    """The memory of a result: like `pointer`, but it must be writeable, and none of the memory of the inputs (arrays or None)."""
    cdef void *data = pointer(array, kind, ndim, "out")
    cdef char *begin
    cdef char *end
    cdef char *first = <char *> data
    cdef char *last = first + cnp.PyArray_NBYTES(<cnp.ndarray> array)
    if not cnp.PyArray_ISWRITEABLE(<cnp.ndarray> array):
        raise ValueError("out is read-only")
    for x in inputs:
        if x is not None:
            memory_of(<cnp.ndarray?> x, &begin, &end)
            if begin < last and first < end:
                raise ValueError("out lies in the memory of an input; a result needs memory of its own")
    return data


cdef void memory_of(cnp.ndarray a, char **begin, char **end) noexcept:
    """Where the first byte of an array is, and where the one behind its last, whatever its strides."""
    cdef int axis
    cdef Py_ssize_t reach
    begin[0] = end[0] = <char *> cnp.PyArray_DATA(a)
    if cnp.PyArray_SIZE(a) == 0:
        return
    for axis in range(cnp.PyArray_NDIM(a)):
        reach = (cnp.PyArray_DIM(a, axis) - 1) * cnp.PyArray_STRIDE(a, axis)
        if reach < 0:
            begin[0] += reach
        else:
            end[0] += reach
    end[0] += cnp.PyArray_ITEMSIZE(a)


cdef int same_shape(a, b, str a_name, str b_name) except -1:
    if (<object> a).shape != (<object> b).shape:
        raise ValueError(f"{a_name} has shape {a.shape} but {b_name} has shape {b.shape}; they must be equal")
    return 0


cdef int expect_shape(array, tuple shape, str name) except -1:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
    return 0


cdef Py_ssize_t last_axis(array, int axes, str name) except -1:
    """The length of the last axis of an array that must have at least `axes` of them."""
    if array.ndim < axes:
        raise ValueError(f"{name} must have at least {axes} axes, not shape {array.shape}")
    return array.shape[array.ndim - 1]


cdef Py_ssize_t leading(cnp.ndarray array, int last, str name) except -1:
    """How many blocks of the last axes there are: the product of all axes before them."""
    cdef Py_ssize_t count = 1
    cdef int axis
    if cnp.PyArray_NDIM(array) < last:
        raise ValueError(f"{name} must have at least {last} axes, not shape {(<object> array).shape}")
    for axis in range(cnp.PyArray_NDIM(array) - last):
        count *= cnp.PyArray_DIM(array, axis)
    return count


cdef const void *initial_of(initial, int kind, out) except? NULL:
    """Where sums begin that go on from an earlier total; NULL where there is none."""
    if initial is None:
        return NULL
    same_shape(initial, out, "initial", "out")
    return pointer(initial, kind, -1, "initial")


cdef const int64_t *ids_below(ids, Py_ssize_t limit, str name) except? NULL:
    """The whole numbers of an array, all from 0 to `limit` − 1, or IndexError."""
    cdef const int64_t *id = <const int64_t *> pointer(ids, cnp.NPY_INT64, -1, name)
    cdef Py_ssize_t i, count = ids.size
    if waiting != NULL:  # they may be still to come
        (<Queue> waiting).run()
    for i in range(count):
        if not 0 <= id[i] < limit:
            raise IndexError(f"{name} has {id[i]} at place {i}, which is not from 0 to {limit - 1}")
    return id


cdef int enough_keys(Py_ssize_t queries, Py_ssize_t keys, str a_name, str b_name) except -1:
    if queries > keys:
        raise ValueError(f"{a_name} has {queries} queries but {b_name} only {keys} keys; every query needs its own key")
    return 0
