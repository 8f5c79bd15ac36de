# Matrix multiplication with a packed weight.

cdef class PackedMatrix:
    """A weight [K, N] laid out in panels for `matmul`; made once by `pack` and never changed."""
    cdef readonly object panels
    cdef readonly Py_ssize_t depth, columns
    cdef readonly int kind


def pack(weight, bint transposed=False):
    """Packs a weight [in, out], or [out, in] where transposed."""
    cdef int kind = real_type(weight, "weight")
    cdef PackedMatrix packed = PackedMatrix.__new__(PackedMatrix)
    cdef Py_ssize_t panel = table.panel_f64 if kind == cnp.NPY_FLOAT64 else table.panel_f32
    if weight.ndim != 2:
        raise ValueError(f"weight must have 2 axes, not shape {weight.shape}")
    matrix = weight.T if transposed else weight
    packed.depth, packed.columns = matrix.shape
    packed.kind = kind
    panels = np.zeros(((packed.columns + panel - 1) // panel, packed.depth, panel), weight.dtype)
    for p in range(panels.shape[0]):
        part = matrix[:, p * panel:(p + 1) * panel]
        panels[p, :, :part.shape[1]] = part
    packed.panels = panels
    return packed


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


def matmul(x, PackedMatrix weight, bias, out):
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
    run(KERNEL_matmul, weight.kind, &job, job.rows * job.columns, 64)
