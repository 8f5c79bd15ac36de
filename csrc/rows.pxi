# Operations per element and per row.

def elementwise(str name, tuple inputs, out, *settings):
    """out[i] = name(inputs[0][i], inputs[1][i], …; settings), for a name in `ELEMENTWISE`; all of one shape and type. Settings
    are rounded to that type first."""
    cdef kernel_job job
    cdef int kind, k
    wanted = ELEMENTWISE[name]
    if (len(inputs), len(settings)) != wanted[:2]:
        raise TypeError(f"{name} takes {wanted[0]} inputs and {wanted[1]} settings, not {len(inputs)} and {len(settings)}")
    kind = real_type(inputs[0], "the first input")
    for k in range(MOST_INPUTS):
        job.in_[k] = pointer(inputs[k], kind, -1, f"input {k + 1}") if k < len(inputs) else NULL
        if k < len(inputs):
            same_shape(inputs[k], out, f"input {k + 1}", "out")
    for k in range(MOST_SETTINGS):
        job.setting[k] = settings[k] if k < len(settings) else 0
    job.out = target(out, kind, -1, inputs)
    run(name, kind, &job, out.size, 65536 // wanted[2])


def dropout(x, double rate, double factor, uint64_t seed, uint64_t first, out):
    """out[i] = 0 where the random number of the place first + i is below `rate`, else x[i] · factor; see llmtrace/rng.py."""
    cdef kernel_job job
    cdef int kind = real_type(x, "x")
    job.in_[0] = pointer(x, kind, -1, "x")
    job.out = target(out, kind, -1, (x,))
    same_shape(x, out, "x", "out")
    job.setting[0], job.setting[1], job.setting[2], job.setting[3] = rate, factor, <double> seed, <double> first
    run("dropout", kind, &job, x.size, 16384)


# ---- rows ----------------------------------------------------------------------------------------------------------

def embedding(ids, table, out):
    """out[..., :] = table[ids[...], :]; ids int64, table [V, C]."""
    cdef kernel_job job
    cdef int kind = real_type(table, "table")
    cdef const int64_t *id = <const int64_t *> pointer(ids, cnp.NPY_INT64, -1, "ids")
    cdef Py_ssize_t i, vocabulary, count = ids.size
    job.in_[0], job.in_[1] = id, pointer(table, kind, 2, "table")
    job.out = target(out, kind, -1, (ids, table))
    vocabulary, job.size[1] = table.shape
    expect_shape(out, ids.shape + (job.size[1],), "out")
    for i in range(count):
        if not 0 <= id[i] < vocabulary:
            raise IndexError(f"id {id[i]} at place {i} is outside the table of {vocabulary} rows")
    run("embedding", kind, &job, count, 64)


cdef int run_rows(str name, int kind, kernel_job *job, x, Py_ssize_t width, int cost) except -1:
    run(name, kind, job, x.size // width if width else 0, grain_of(width * cost, 8))


def layer_norm(x, gain, bias, double epsilon, out):
    """x, out [..., C]; gain, bias [C]."""
    cdef kernel_job job
    cdef int kind = real_type(x, "x")
    job.in_[0], job.in_[1] = pointer(x, kind, -1, "x"), pointer(gain, kind, 1, "gain")
    job.in_[2] = pointer(bias, kind, 1, "bias")
    job.out = target(out, kind, -1, (x, gain, bias))
    job.size[0], job.setting[0] = last_axis(x, 1, "x"), epsilon
    same_shape(x, out, "x", "out")
    expect_shape(gain, (job.size[0],), "gain")
    expect_shape(bias, (job.size[0],), "bias")
    run_rows("layer_norm", kind, &job, x, job.size[0], 8)


def normalise(x, double epsilon, out):
    """x, out [..., C]: layer norm without gain and bias."""
    cdef kernel_job job
    cdef int kind = real_type(x, "x")
    job.in_[0], job.in_[1] = pointer(x, kind, -1, "x"), NULL
    job.out = target(out, kind, -1, (x,))
    job.size[0], job.setting[0] = last_axis(x, 1, "x"), epsilon
    same_shape(x, out, "x", "out")
    run_rows("layer_norm", kind, &job, x, job.size[0], 8)


def layer_norm_gradient(x, dout, gain, double epsilon, out):
    """x, dout, out [..., C]; gain [C]."""
    cdef kernel_job job
    cdef int kind = real_type(x, "x")
    job.in_[0], job.in_[1] = pointer(x, kind, -1, "x"), pointer(dout, kind, -1, "dout")
    job.in_[2] = pointer(gain, kind, 1, "gain")
    job.out = target(out, kind, -1, (x, dout, gain))
    job.size[0], job.setting[0] = last_axis(x, 1, "x"), epsilon
    same_shape(x, dout, "x", "dout")
    same_shape(x, out, "x", "out")
    expect_shape(gain, (job.size[0],), "gain")
    run_rows("layer_norm_gradient", kind, &job, x, job.size[0], 16)


cdef Py_ssize_t masked_sizes(x, kernel_job *job, bint causal, str name) except -1:
    """Sets the sizes of a job of softmax and returns the width of a row."""
    cdef Py_ssize_t width = last_axis(x, 2 if causal else 1, name)
    job.size[0], job.size[1] = width, -1
    if causal:
        enough_keys(x.shape[x.ndim - 2], width, name, "it")
        job.size[0] = x.shape[x.ndim - 2]
        job.size[1] = width - job.size[0]
    return width


def softmax(x, out, bint causal=False):
    """Along the last axis of x; causal: x [..., T, S], query t keeps the keys 0 … S − T + t and the others become 0."""
    cdef kernel_job job
    cdef int kind = real_type(x, "x")
    job.in_[0] = pointer(x, kind, -1, "x")
    job.out = target(out, kind, -1, (x,))
    same_shape(x, out, "x", "out")
    width = masked_sizes(x, &job, causal, "x")
    run_rows("softmax", kind, &job, x, width, 16)


def softmax_gradient(p, dout, out, bint causal=False):
    """p, dout, out [..., N]; causal: [..., T, S], query t keeps the keys 0 … S − T + t and the others become 0."""
    cdef kernel_job job
    cdef int kind = real_type(p, "p")
    job.in_[0], job.in_[1] = pointer(p, kind, -1, "p"), pointer(dout, kind, -1, "dout")
    job.out = target(out, kind, -1, (p, dout))
    same_shape(p, dout, "p", "dout")
    same_shape(p, out, "p", "out")
    width = masked_sizes(p, &job, causal, "p")
    run_rows("softmax_gradient", kind, &job, p, width, 4)


def argmax(x, out):
    """out[...] = the index of the largest of x[..., :], the first of equals; out int64."""
    cdef kernel_job job
    cdef int kind = real_type(x, "x")
    job.in_[0] = pointer(x, kind, -1, "x")
    job.out = target(out, cnp.NPY_INT64, -1, (x,))
    job.size[0] = last_axis(x, 1, "x")
    if job.size[0] == 0:
        raise ValueError("x has no entries along its last axis, so none is the largest")
    expect_shape(out, x.shape[:x.ndim - 1], "out")
    run("argmax", kind, &job, x.size // job.size[0], grain_of(job.size[0], 1))


def row_squares(x, out):
    """out[...] = Σ x[..., :]²."""
    cdef kernel_job job
    cdef int kind = real_type(x, "x")
    job.in_[0] = pointer(x, kind, -1, "x")
    job.out = target(out, kind, -1, (x,))
    job.size[0] = last_axis(x, 1, "x")
    expect_shape(out, x.shape[:x.ndim - 1], "out")
    run("row_squares", kind, &job, out.size, grain_of(job.size[0], 8))


def cross_entropy(x, target_ids, dout, out):
    """x [..., V], target int64 [...], and either no dout and out [...]: the loss, or dout [...] and out [..., V]: the gradient"""
    cdef kernel_job job
    cdef int kind = real_type(x, "x")
    job.in_[0] = pointer(x, kind, -1, "x")
    job.in_[2] = NULL if dout is None else pointer(dout, kind, -1, "dout")
    job.size[0] = last_axis(x, 1, "x")
    same_shape(out if dout is None else x, out, "out" if dout is None else "x", "out")
    for array, name in ((target_ids, "target"), (out if dout is None else dout, "out" if dout is None else "dout")):
        if array.shape != x.shape[:x.ndim - 1]:
            raise ValueError(f"{name} has shape {array.shape}, expected {x.shape[:x.ndim - 1]}: one for every row of x")
    job.in_[1] = ids_below(target_ids, job.size[0], "target")
    job.out = target(out, kind, -1, (x, target_ids, dout))
    run("cross_entropy_gradient" if job.in_[2] else "cross_entropy", kind, &job, target_ids.size, grain_of(job.size[0] * 16, 8))


def move_heads(x, out, bint merged):
    """x [..., H, T, D] → out [..., T, H·D] where merged, else the other way round."""
    cdef kernel_job job
    cdef int kind = real_type(x, "x")
    job.in_[0] = pointer(x, kind, -1, "x")
    job.out = target(out, kind, -1, (x,))
    apart = x if merged else out
    beside = out if merged else x
    leading(apart, 3, "x")
    shape = apart.shape
    job.size[0], job.size[1], job.size[2] = shape[len(shape) - 3], shape[len(shape) - 2], shape[len(shape) - 1]
    expect_shape(beside, shape[:len(shape) - 3] + (job.size[1], job.size[0] * job.size[2]), "x" if apart is out else "out")
    items = leading(beside, 1, "x") if out.size else 0
    run("merge_heads" if merged else "split_heads", kind, &job, items, grain_of(job.size[0] * job.size[2], 1))
