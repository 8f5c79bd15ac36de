# Sums over all positions. They begin at `initial`, an earlier total, or at 0 where it is None.

def column_sum(a, b, initial, out):
    """out[c] = initial[c] + Σ_r a[r, c]·b[r, c] over all positions r, without b Σ_r a[r, c]; a, b [..., C]."""
    cdef kernel_job job = NO_JOB
    cdef int kind = real_type(a, "a")
    job.in_[0], job.in_[1] = pointer(a, kind, -1, "a"), NULL
    if b is not None:
        job.in_[1] = pointer(b, kind, -1, "b")
        same_shape(a, b, "a", "b")
    job.size[0], job.size[1] = leading(a, 1, "a"), last_axis(a, 1, "a")
    expect_shape(out, (job.size[1],), "out")
    job.in_[2] = initial_of(initial, kind, out)
    job.out = target(out, kind, 1, (a, b, initial))
    run("column_sum", kind, &job, job.size[1], grain_of(job.size[0] * 2, 64))


def embedding_gradient(ids, dout, initial, out):
    """out[v] = initial[v] + Σ dout[r] over the positions r with ids[r] = v; ids int64, dout [..., C], out [V, C]."""
    cdef kernel_job job = NO_JOB
    cdef int kind = real_type(dout, "dout")
    job.in_[1] = pointer(dout, kind, -1, "dout")
    pointer(out, kind, 2, "out")
    job.size[0] = ids.size
    job.size[1], job.size[2] = out.shape
    job.in_[2] = initial_of(initial, kind, out)
    expect_shape(dout, ids.shape + (job.size[2],), "dout")
    job.in_[0] = ids_below(ids, job.size[1], "ids")
    job.out = target(out, kind, 2, (ids, dout, initial))
    run("embedding_gradient", kind, &job, job.size[2] if out.size else 0, grain_of((job.size[0] + job.size[1]) * 2, 64))


def sum_all(x, initial, out):
    """out[()] = initial + Σ of all x, in the order in which they lie in memory."""
    cdef kernel_job job = NO_JOB
    cdef int kind = real_type(x, "x")
    job.in_[0], job.in_[1] = pointer(x, kind, -1, "x"), initial_of(initial, kind, out)
    job.out = target(out, kind, 0, (x, initial))
    job.size[0] = x.size
    run("sum_all", kind, &job, 1, 1)


def sum_outer_products(a, b, initial, out):
    """out[i, j] = initial[i, j] + Σ_r a[r, i]·b[r, j] over all positions r; a [..., A], b [..., B], initial [A, B] or None."""
    cdef kernel_job job = NO_JOB
    cdef int kind = real_type(a, "a")
    cdef Py_ssize_t items, grain
    job.in_[0], job.in_[1] = pointer(a, kind, -1, "a"), pointer(b, kind, -1, "b")
    job.size[0], job.size[1], job.size[2] = leading(a, 1, "a"), last_axis(a, 1, "a"), last_axis(b, 1, "b")
    if a.shape[:a.ndim - 1] != b.shape[:b.ndim - 1]:
        raise ValueError(f"a has shape {a.shape} but b has shape {b.shape}; all but the last axes must be equal")
    expect_shape(out, (job.size[1], job.size[2]), "out")
    job.in_[2] = initial_of(initial, kind, out)
    job.out = target(out, kind, 2, (a, b, initial))
    if out.size:
        job.size[3] = tiling(job.size[1], job.size[2], job.size[0], kind, &items, &grain)
        run("sum_outer_products", kind, &job, items, grain)
