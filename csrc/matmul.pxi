# Matrix multiplication with a packed weight; the sums are in kernels/matmul.h.
import mmap

HUGE_PAGE = 2 << 20


def aligned_empty(Py_ssize_t count, dtype):
    """An uninitialised vector that starts on a cache line; a large one lies in huge pages where the system has them, which
    are filled four times as fast and looked up with fewer misses."""
    cdef Py_ssize_t size = count * np.dtype(dtype).itemsize
    if size < HUGE_PAGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        raw = np.empty(size + 64, np.uint8)
        start = -raw.ctypes.data % 64
    else:
        memory = mmap.mmap(-1, size + HUGE_PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        raw = np.frombuffer(memory, np.uint8)
        start = -raw.ctypes.data % HUGE_PAGE
        memory.madvise(mmap.MADV_HUGEPAGE)
    return raw[start:start + size].view(dtype)


cdef class PackedMatrix:
    """A weight [K, N] laid out in panels for `matmul`; made once by `pack` and never changed."""
    cdef readonly object panels
    cdef readonly Py_ssize_t depth, columns
    cdef readonly int kind
    cdef readonly int width  # how it is stored, see widths.pxi; 0: as numbers of the kind


def pack(weight, bint transposed=False):
    """Packs a weight [in, out], or [out, in] where transposed. A weight may have any strides."""
    cdef int kind = real_type(weight, "weight")
    cdef PackedMatrix packed = PackedMatrix.__new__(PackedMatrix)
    cdef Py_ssize_t panel = table_of(kind).panel
    if weight.ndim != 2:
        raise ValueError(f"weight must have 2 axes, not shape {weight.shape}")
    if not weight.dtype.isnative or not weight.flags.aligned:
        weight = np.array(weight, weight.dtype.newbyteorder("="))
    matrix = weight.T if transposed else weight
    packed.depth, packed.columns = matrix.shape
    packed.kind = kind
    packed.panels = aligned_empty((packed.columns + panel - 1) // panel * packed.depth * panel, matrix.dtype)
    pack_into(matrix, kind, <char *> cnp.PyArray_DATA(<cnp.ndarray> packed.panels))
    packed.panels.flags.writeable = False
    return packed


cdef int pack_into(matrix, int kind, char *panels) except -1:
    """Writes the panels of a matrix [in, out] of any strides. One whose columns lie without gaps is transposed by squares."""
    cdef kernel_job job
    cdef Py_ssize_t itemsize = matrix.itemsize, panel = table_of(kind).panel, count, depth_stride, column_stride
    job.in_[0], job.out = cnp.PyArray_DATA(<cnp.ndarray> matrix), panels
    job.size[0], job.size[1] = matrix.shape
    depth_stride, column_stride = matrix.strides
    count = (job.size[1] + panel - 1) // panel
    if depth_stride == itemsize and column_stride % itemsize == 0 and job.size[0] > 1:
        job.size[2] = column_stride // itemsize
        return run("pack_transposed", kind, &job, count, 1)
    job.size[2] = (128 + panel - 1) // panel
    job.size[3], job.size[4] = depth_stride, column_stride
    return run("pack", kind, &job, (count + job.size[2] - 1) // job.size[2], 1)


cdef int layout_of(array, Py_ssize_t *rows, Py_ssize_t *columns, Py_ssize_t *split, str name) except -1:
    """[rows, columns], or heads [sequences, H, T, D] whose rows are (sequence, position) and columns (head, feature).
    `split` gets the heads and the positions, both at least 1."""
    if array.ndim == 2:
        rows[0], columns[0] = array.shape
        split[0], split[1] = 1, max(rows[0], 1)
    elif array.ndim == 4:
        n, h, t, d = array.shape
        rows[0], columns[0], split[0], split[1] = n * t, h * d, max(h, 1), max(t, 1)
    else:
        raise ValueError(f"{name} must have 2 axes, or 4 where split into heads, not shape {array.shape}")
    return 0


def matmul(x, PackedMatrix weight not None, bias, out):
    """out = x · weight + bias. x [rows, K] or heads [sequences, H, T, D] with H·D = K; out [rows, N] or heads likewise;
    bias [N] or None."""
    cdef kernel_job job
    cdef Py_ssize_t rows, columns, items, grain
    job.in_[0], job.in_[1] = pointer(x, weight.kind, -1, "x"), cnp.PyArray_DATA(<cnp.ndarray> weight.panels)
    job.in_[2] = NULL if bias is None else pointer(bias, weight.kind, 1, "bias")
    job.out = target(out, weight.kind, -1, (x, weight.panels, bias))
    layout_of(x, &job.size[0], &job.size[1], &job.size[4], "x")
    layout_of(out, &rows, &columns, &job.size[6], "out")
    job.size[2] = weight.columns
    if job.size[1] != weight.depth:
        raise ValueError(f"x has {job.size[1]} features, but the weight takes {weight.depth}")
    if rows != job.size[0] or columns != weight.columns:
        raise ValueError(f"out has {rows} rows of {columns}, expected {job.size[0]} of {weight.columns}")
    if bias is not None:
        expect_shape(bias, (weight.columns,), "bias")
    if rows:
        job.size[3] = tiling(rows, columns, weight.depth, weight.kind, &items, &grain)
        job.size[8] = grain if grain > 1 else pool_threads()
        job.setting[0] = weight.width
        run("matmul_widened" if weight.width else "matmul", weight.kind, &job, items, grain)


cdef Py_ssize_t tiling(Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t depth, int kind, Py_ssize_t *items, Py_ssize_t *grain):
    """Blocks of rows as equal as can be, of whole tiles: how many rows each has. An item is one of them and a panel; chunks are
    of at least some microseconds."""
    cdef Py_ssize_t panel = table_of(kind).panel
    cdef Py_ssize_t blocks = (rows + ROW_GROUP - 1) // ROW_GROUP, block
    block = ((rows + blocks - 1) // blocks + ROW_MULTIPLE - 1) // ROW_MULTIPLE * ROW_MULTIPLE
    items[0] = (rows + block - 1) // block * ((columns + panel - 1) // panel)
    grain[0] = (1 << 18) // (max(min(rows, block), 8) * panel * max(depth, 1)) + 1
    return block
