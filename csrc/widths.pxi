# Weights that stay in memory as they are stored; what is done with them is in kernels/matmul_widened.h.

cdef extern from "widths.h":
    ctypedef struct stored_width:
        const char *name
        int weights
        int bytes
    const stored_width *stored_widths
    int STORED_WIDTHS

WIDTHS = {stored_widths[i].name.decode(): i for i in range(1, STORED_WIDTHS)}
"""The kinds of stored weights that can be multiplied as they are, and the number of each."""


def pack_stored(blocks, str width not None):
    """Packs a weight [in, out] from its blocks [out, blocks of in, bytes], which may lie in memory with any strides but those of
    the bytes."""
    cdef PackedMatrix packed = PackedMatrix.__new__(PackedMatrix)
    cdef kernel_job job = NO_JOB
    cdef Py_ssize_t panel = table_f32.panel, count
    packed.kind, packed.width, packed.panel = cnp.NPY_FLOAT32, WIDTHS[width], panel
    cdef const stored_width *w = &stored_widths[packed.width]
    if not isinstance(blocks, np.ndarray) or blocks.dtype != np.uint8 or blocks.ndim != 3:
        raise TypeError(f"blocks must be a uint8 array of 3 axes, not {type(blocks).__name__}")
    if blocks.shape[2] != w.bytes or (blocks.size and blocks.strides[2] != 1):
        raise ValueError(f"a block of {width} is {w.bytes} bytes side by side, not {blocks.shape[2]}")
    packed.columns, packed.depth = blocks.shape[0], blocks.shape[1] * w.weights
    count = (packed.columns + panel - 1) // panel
    packed.panels = aligned_empty(count * panel * blocks.shape[1] * w.bytes, np.uint8)
    job.in_[0], job.out = cnp.PyArray_DATA(<cnp.ndarray> blocks), cnp.PyArray_DATA(<cnp.ndarray> packed.panels)
    job.size[0], job.size[1], job.size[2], job.size[3] = packed.depth, packed.columns, blocks.strides[0], blocks.strides[1]
    job.setting[0] = packed.width
    run_now(KERNELS["pack_stored"], cnp.NPY_FLOAT32, &job, count if packed.panels.size else 0, 1, 0)
    packed.panels.flags.writeable = False
    return packed


cdef int from_panels(str kernel, PackedMatrix packed, ids, out, Py_ssize_t items, Py_ssize_t skipped=0) except -1:
    """Runs a kernel on the panels behind some that are skipped."""
    cdef const stored_width *w = &stored_widths[packed.width]
    cdef Py_ssize_t skipped_bytes
    cdef kernel_job job = NO_JOB
    if not packed.width:
        raise TypeError("the weight is not packed as it was stored")
    expect_readable(packed)
    skipped_bytes = skipped * packed.panel * (packed.depth // w.weights) * w.bytes
    job.in_[0] = <char *> cnp.PyArray_DATA(<cnp.ndarray> packed.panels) + skipped_bytes
    job.in_[1] = NULL if ids is None else ids_below(ids, packed.columns, "ids")
    job.out = cnp.PyArray_DATA(<cnp.ndarray> out)
    job.size[0], job.size[1], job.setting[0] = packed.depth, packed.columns - skipped * packed.panel, packed.width
    run(kernel, cnp.NPY_FLOAT32, &job, items if out.size else 0, 1)
    last_run.settled = ids is None
    return 0


def unpacked(PackedMatrix packed not None):
    """The blocks [out, blocks of in, bytes] that `pack_stored` was given."""
    cdef const stored_width *w = &stored_widths[packed.width]
    out = np.empty((packed.columns, packed.depth // w.weights, w.bytes), np.uint8)
    from_panels("unpack_stored", packed, None, out, (packed.columns + table_f32.panel - 1) // table_f32.panel)
    return out


def unpacked_column(PackedMatrix packed not None, Py_ssize_t column):
    """The blocks [blocks of in, bytes] of one column, from 0."""
    cdef const stored_width *w = &stored_widths[packed.width]
    cdef Py_ssize_t panel = column // packed.panel
    if not 0 <= column < packed.columns:
        raise IndexError(f"the weight has no column {column}")
    out = np.empty((min(packed.panel, packed.columns - panel * packed.panel), packed.depth // w.weights, w.bytes), np.uint8)
    from_panels("unpack_stored", packed, None, out, 1, panel)
    return out[column % packed.panel]


def widened(PackedMatrix packed not None):
    """The weight [out, in] as float32."""
    out = aligned_empty(packed.columns * packed.depth, np.float32).reshape(packed.columns, packed.depth)
    from_panels("widen_panels", packed, None, out, (packed.columns + table_f32.panel - 1) // table_f32.panel)
    return out


def widened_columns(PackedMatrix packed not None, ids, out):
    """out[i, :] = column ids[i] of a weight [in, out], as float32."""
    target(out, cnp.NPY_FLOAT32, -1, (packed.panels, ids))
    if out.shape != (*ids.shape, packed.depth):
        raise ValueError(f"out has shape {out.shape}, expected {(*ids.shape, packed.depth)}")
    from_panels("widen_columns", packed, ids, out, ids.size)
