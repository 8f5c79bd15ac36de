# Matrix multiplication with a packed weight; the sums are in matmul.h.
import mmap

cdef extern from *:
    """
    typedef struct {
        const char *weight;
        ptrdiff_t depth_stride, column_stride;
        char *panels;
        ptrdiff_t depth, columns, panel, group;
    } pack_job;

    /* Panel p holds, for each k in turn, the weights w[k, p·panel … p·panel + panel − 1], zeros beyond the last column.
     * An item is a group of panels, wide enough to read whole cache lines of a row of w. Strides count bytes: any matrix,
     * transposed or a slice of another, packs. */
    #define PACK(name, real)                                                                                              \
        static void name(const void *job, ptrdiff_t begin, ptrdiff_t end)                                                 \
        {                                                                                                                 \
            const pack_job *p = job;                                                                                      \
            const ptrdiff_t width = p->group * p->panel, stop = end * width < p->columns ? end * width : p->columns;      \
            for (ptrdiff_t group = begin * width; group < stop; group += width)                                           \
                for (ptrdiff_t k = 0; k < p->depth; k++)                                                                  \
                    for (ptrdiff_t first = group; first < group + width && first < stop; first += p->panel) {             \
                        const char *from = p->weight + k * p->depth_stride + first * p->column_stride;                    \
                        real *to = (real *)p->panels + first * p->depth + k * p->panel;                                   \
                        for (ptrdiff_t j = 0; j < p->panel; j++, from += p->column_stride)                                \
                            to[j] = first + j < p->columns ? *(const real *)from : 0;                                     \
                    }                                                                                                     \
        }
    PACK(pack_f32, float)
    PACK(pack_f64, double)
    """
    ctypedef struct pack_job:
        const char *weight
        Py_ssize_t depth_stride
        Py_ssize_t column_stride
        char *panels
        Py_ssize_t depth
        Py_ssize_t columns
        Py_ssize_t panel
        Py_ssize_t group
    void pack_f32(const void *job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil
    void pack_f64(const void *job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil

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


def pack(weight, bint transposed=False):
    """Packs a weight [in, out], or [out, in] where transposed. A weight may have any strides."""
    cdef int kind = real_type(weight, "weight")
    cdef PackedMatrix packed = PackedMatrix.__new__(PackedMatrix)
    cdef Py_ssize_t panel = table.panel_f64 if kind == cnp.NPY_FLOAT64 else table.panel_f32
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
    """Writes the panels of a matrix [in, out] of any strides. One whose columns lie without gaps is turned square by square."""
    cdef pack_job job
    cdef transpose_job turn
    cdef Py_ssize_t itemsize = matrix.itemsize, count
    job.depth, job.columns = matrix.shape
    job.panel = table.panel_f64 if kind == cnp.NPY_FLOAT64 else table.panel_f32
    count = (job.columns + job.panel - 1) // job.panel
    job.weight = <const char *> cnp.PyArray_DATA(<cnp.ndarray> matrix)
    job.depth_stride, job.column_stride = matrix.strides
    job.panels = panels
    if job.depth_stride == itemsize and job.column_stride % itemsize == 0 and job.depth > 1:
        turn.x, turn.out, turn.panel = job.weight, panels, job.panel
        turn.rows, turn.columns, turn.x_stride = job.columns, job.depth, job.column_stride // itemsize
        return run("transpose", kind, &turn, count, 1)
    job.group = (128 + job.panel - 1) // job.panel
    return run_pack(pack_f64 if kind == cnp.NPY_FLOAT64 else pack_f32, &job, (count + job.group - 1) // job.group)


cdef int run_pack(range_fn function, const pack_job *job, Py_ssize_t items) except -1:
    with nogil:
        stopped = pool_run(function, job, items, 1, interrupted)
    return stopped  # −1 with the exception of the signal's handler set


cdef int layout_of(array, matrix_layout *layout, Py_ssize_t *rows, Py_ssize_t *columns, str name) except -1:
    """[rows, columns], or heads [sequences, H, T, D] whose rows are (sequence, position) and columns (head, feature)."""
    cdef Py_ssize_t n, h, t, d
    if array.ndim == 2:
        n, t = array.shape
        layout.positions, layout.sequence_stride, layout.run, layout.head_stride = max(n, 1), n * t, max(t, 1), 0
        rows[0], columns[0] = n, t
    elif array.ndim == 4:
        n, h, t, d = array.shape
        layout.positions, layout.sequence_stride, layout.run, layout.head_stride = max(t, 1), h * t * d, max(d, 1), t * d
        rows[0], columns[0] = n * t, h * d
    else:
        raise ValueError(f"{name} must have 2 axes, or 4 where split into heads, not shape {array.shape}")
    return 0


def matmul(x, PackedMatrix weight not None, bias, out):
    """out = x · weight + bias. x [rows, K] or heads [sequences, H, T, D] with H·D = K; out [rows, N] or heads likewise;
    bias [N] or None."""
    cdef matmul_job job
    cdef Py_ssize_t rows, columns
    job.x = pointer(x, weight.kind, -1, "x")
    job.out = target(out, weight.kind, -1, "out")
    job.bias = NULL if bias is None else pointer(bias, weight.kind, 1, "bias")
    job.panels = cnp.PyArray_DATA(<cnp.ndarray> weight.panels)
    layout_of(x, &job.x_layout, &job.rows, &job.depth, "x")
    layout_of(out, &job.out_layout, &rows, &columns, "out")
    job.columns = weight.columns
    if job.depth != weight.depth:
        raise ValueError(f"x has {job.depth} features, but the weight takes {weight.depth}")
    if rows != job.rows or columns != weight.columns:
        raise ValueError(f"out has {rows} rows of {columns}, expected {job.rows} of {weight.columns}")
    if bias is not None:
        expect_shape(bias, (weight.columns,), "bias")
    if rows:
        run_matmul(&job, weight.kind)


cdef int run_matmul(matmul_job *job, int kind) except -1:
    cdef Py_ssize_t items, grain
    job.row_group = tiling(job.rows, job.columns, job.depth, kind, &items, &grain)
    return run("matmul", kind, job, items, grain)


cdef Py_ssize_t tiling(Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t depth, int kind, Py_ssize_t *items, Py_ssize_t *grain):
    """Blocks of rows as equal as can be, of whole tiles: how many rows each has. An item is one of them and a panel; chunks are
    of at least some microseconds."""
    cdef Py_ssize_t panel = table.panel_f64 if kind == cnp.NPY_FLOAT64 else table.panel_f32
    cdef Py_ssize_t blocks = (rows + ROW_GROUP - 1) // ROW_GROUP, block
    block = ((rows + blocks - 1) // blocks + 11) // 12 * 12
    items[0] = (rows + block - 1) // block * ((columns + panel - 1) // panel)
    grain[0] = (1 << 18) // (max(min(rows, block), 8) * panel * max(depth, 1)) + 1
    return block
