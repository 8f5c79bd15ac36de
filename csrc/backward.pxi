# The operations of the backward pass; their sums are in sums.h, attention_back.h, layer_norm.h, softmax.h, cross_entropy.h.

cdef extern from "inner.h":
    ctypedef struct transpose_job:
        const void *x
        void *out
        Py_ssize_t rows, columns, x_stride, panel
    ctypedef struct outer_sum_job:
        const void *a
        const void *b
        const void *start
        void *out
        Py_ssize_t positions, a_width, b_width, row_group
    ctypedef struct column_sum_job:
        const void *a
        const void *b
        const void *start
        void *out
        Py_ssize_t rows, width
    ctypedef struct embedding_gradient_job:
        const int64_t *ids
        const void *dout
        const void *start
        void *out
        Py_ssize_t positions, rows, width
    ctypedef struct row_squares_job:
        const void *x
        void *out
        Py_ssize_t width
    ctypedef struct total_job:
        const void *x
        const void *start
        void *out
        Py_ssize_t count
    ctypedef struct move_heads_job:
        const void *x
        void *out
        Py_ssize_t heads, positions, width
        int merged
    ctypedef struct attention_back_job:
        const void *pattern
        const void *x
        void *out
        Py_ssize_t queries, keys, width
    ctypedef struct softmax_gradient_job:
        const void *p
        const void *dout
        void *out
        Py_ssize_t width, queries
        int causal
    ctypedef struct layer_norm_gradient_job:
        const void *x
        const void *dout
        const void *gain
        void *out
        Py_ssize_t width
        double epsilon
    ctypedef struct cross_entropy_job:
        const void *x
        const int64_t *target
        const void *dout
        void *out
        Py_ssize_t width


cdef const void *start_of(start, int kind, out) except? NULL:
    """Where sums begin that go on from an earlier total; NULL where there is none."""
    if start is None:
        return NULL
    same_shape(start, out, "start", "out")
    return pointer(start, kind, -1, "start")


cdef const int64_t *ids_below(ids, Py_ssize_t limit, str name) except? NULL:
    """The whole numbers of an array, all from 0 to `limit` − 1, or IndexError."""
    cdef const int64_t *id = <const int64_t *> pointer(ids, cnp.NPY_INT64, -1, name)
    cdef Py_ssize_t i, count = ids.size
    for i in range(count):
        if not 0 <= id[i] < limit:
            raise IndexError(f"{name} has {id[i]} at place {i}, which is not from 0 to {limit - 1}")
    return id


# ---- sums over positions -------------------------------------------------------------------------------------------

def outer_sum(a, b, start, out):
    """out[i, j] = start[i, j] + Σ_r a[r, i]·b[r, j] over all positions r; a [..., A], b [..., B], start [A, B] or None."""
    cdef outer_sum_job job
    cdef int kind = real_type(a, "a")
    cdef Py_ssize_t items, grain
    job.a = pointer(a, kind, -1, "a")
    job.b = pointer(b, kind, -1, "b")
    job.out = target(out, kind, 2, "out")
    job.a_width, job.b_width = last_axis(a, 1, "a"), last_axis(b, 1, "b")
    if a.shape[:a.ndim - 1] != b.shape[:b.ndim - 1]:
        raise ValueError(f"a has shape {a.shape} but b has shape {b.shape}; all but the last axes must be equal")
    expect_shape(out, (job.a_width, job.b_width), "out")
    job.start = start_of(start, kind, out)
    job.positions = leading(a, 1, "a")
    if out.size:
        job.row_group = tiling(job.a_width, job.b_width, job.positions, kind, &items, &grain)
        run("outer_sum", kind, &job, items, grain)


def column_sum(a, b, start, out):
    """out[c] = start[c] + Σ_r a[r, c]·b[r, c] over all positions r, without b Σ_r a[r, c]; a, b [..., C]."""
    cdef column_sum_job job
    cdef int kind = real_type(a, "a")
    job.a = pointer(a, kind, -1, "a")
    job.b = NULL
    if b is not None:
        job.b = pointer(b, kind, -1, "b")
        same_shape(a, b, "a", "b")
    job.out = target(out, kind, 1, "out")
    job.width, job.rows = last_axis(a, 1, "a"), leading(a, 1, "a")
    expect_shape(out, (job.width,), "out")
    job.start = start_of(start, kind, out)
    run("column_sum", kind, &job, job.width, grain_of(job.rows * 2, 64))


def embedding_gradient(ids, dout, start, out):
    """out[v] = start[v] + Σ dout[r] over the positions r with ids[r] = v; ids int64, dout [..., C], out [V, C]."""
    cdef embedding_gradient_job job
    cdef int kind = real_type(dout, "dout")
    job.dout = pointer(dout, kind, -1, "dout")
    job.out = target(out, kind, 2, "out")
    job.positions = ids.size
    job.rows, job.width = out.shape
    job.start = start_of(start, kind, out)
    expect_shape(dout, ids.shape + (job.width,), "dout")
    job.ids = ids_below(ids, job.rows, "ids")
    run("embedding_gradient", kind, &job, job.width, grain_of((job.positions + job.rows) * 2, 64))


def total(x, start, out):
    """out[()] = start + Σ of all x, in the order in which they lie in memory."""
    cdef total_job job
    cdef int kind = real_type(x, "x")
    job.x = pointer(x, kind, -1, "x")
    job.out = target(out, kind, 0, "out")
    job.start = start_of(start, kind, out)
    job.count = x.size
    run("total", kind, &job, 1, 1)


# ---- rows ----------------------------------------------------------------------------------------------------------

def row_squares(x, out):
    """out[...] = Σ x[..., :]²."""
    cdef row_squares_job job
    cdef int kind = real_type(x, "x")
    job.x = pointer(x, kind, -1, "x")
    job.out = target(out, kind, -1, "out")
    job.width = last_axis(x, 1, "x")
    expect_shape(out, x.shape[:x.ndim - 1], "out")
    run("row_squares", kind, &job, out.size, grain_of(job.width, 8))


def normalise(x, double epsilon, out):
    """x, out [..., C]: layer norm without gain and bias."""
    cdef layer_norm_job job
    cdef int kind = real_type(x, "x")
    job.x = pointer(x, kind, -1, "x")
    job.gain = job.bias = NULL
    job.out = target(out, kind, -1, "out")
    job.width, job.epsilon = last_axis(x, 1, "x"), epsilon
    same_shape(x, out, "x", "out")
    run("layer_norm", kind, &job, x.size // job.width if job.width else 0, grain_of(job.width * 8, 8))


def layer_norm_gradient(x, dout, gain, double epsilon, out):
    """x, dout, out [..., C]; gain [C]."""
    cdef layer_norm_gradient_job job
    cdef int kind = real_type(x, "x")
    job.x = pointer(x, kind, -1, "x")
    job.dout = pointer(dout, kind, -1, "dout")
    job.gain = pointer(gain, kind, 1, "gain")
    job.out = target(out, kind, -1, "out")
    job.width, job.epsilon = last_axis(x, 1, "x"), epsilon
    same_shape(x, dout, "x", "dout")
    same_shape(x, out, "x", "out")
    expect_shape(gain, (job.width,), "gain")
    run("layer_norm_gradient", kind, &job, x.size // job.width if job.width else 0, grain_of(job.width * 16, 8))


def softmax_gradient(p, dout, out, bint causal=False):
    """p, dout, out [..., N]; causal: [..., T, S], query t keeps the keys 0 … S − T + t and the others become 0."""
    cdef softmax_gradient_job job
    cdef int kind = real_type(p, "p")
    job.p = pointer(p, kind, -1, "p")
    job.dout = pointer(dout, kind, -1, "dout")
    job.out = target(out, kind, -1, "out")
    same_shape(p, dout, "p", "dout")
    same_shape(p, out, "p", "out")
    job.width, job.causal = last_axis(p, 2 if causal else 1, "p"), causal
    job.queries = p.shape[p.ndim - 2] if causal else 1
    enough_keys(job.queries if causal else 0, job.width, "p", "it")
    run("softmax_gradient", kind, &job, p.size // job.width if job.width else 0, grain_of(job.width * 4, 8))


def cross_entropy(x, target_ids, dout, out):
    """x [..., V], target int64 [...], and either no dout and out [...]: the loss, or dout [...] and out [..., V]: the gradient"""
    cdef cross_entropy_job job
    cdef int kind = real_type(x, "x")
    job.x = pointer(x, kind, -1, "x")
    job.dout = NULL if dout is None else pointer(dout, kind, -1, "dout")
    job.out = target(out, kind, -1, "out")
    job.width = last_axis(x, 1, "x")
    same_shape(out if dout is None else x, out, "out" if dout is None else "x", "out")
    for array, name in ((target_ids, "target"), (out if dout is None else dout, "out" if dout is None else "dout")):
        if array.shape != x.shape[:x.ndim - 1]:
            raise ValueError(f"{name} has shape {array.shape}, expected {x.shape[:x.ndim - 1]}: one for every row of x")
    job.target = ids_below(target_ids, job.width, "target")
    run("cross_entropy_gradient" if job.dout else "cross_entropy", kind, &job, target_ids.size, grain_of(job.width * 16, 8))


# ---- attention -----------------------------------------------------------------------------------------------------

def attention_products(a, b, out):
    """a [..., T, D], b [..., S, D], out [..., T, S], S ≥ T: Σ a·b for the keys that a query sees, else 0; see attention.h."""
    cdef attention_scores_job job
    cdef int kind = real_type(a, "a")
    cdef Py_ssize_t heads = leading(a, 2, "a")
    job.q = pointer(a, kind, -1, "a")
    job.k = stacked(b, kind, a.ndim, "b", &job.key_stride)
    job.out = target(out, kind, a.ndim, "out")
    job.queries, job.width, job.divided = a.shape[a.ndim - 2], a.shape[a.ndim - 1], False
    job.keys = b.shape[b.ndim - 2]
    enough_keys(job.queries, job.keys, "a", "b")
    expect_shape(b, a.shape[:a.ndim - 2] + (job.keys, job.width), "b")
    expect_shape(out, a.shape[:a.ndim - 2] + (job.queries, job.keys), "out")
    run("attention_scores", kind, &job, heads * ((job.queries + 63) // 64), 1)


def attention_back(pattern, x, out):
    """pattern [..., T, S], x [..., T, D], out [..., S, D], S ≥ T; see attention_back.h."""
    cdef attention_back_job job
    cdef int kind = real_type(pattern, "pattern")
    cdef Py_ssize_t heads = leading(pattern, 2, "pattern")
    job.pattern = pointer(pattern, kind, -1, "pattern")
    job.x = pointer(x, kind, pattern.ndim, "x")
    job.out = target(out, kind, pattern.ndim, "out")
    job.queries, job.keys = pattern.shape[pattern.ndim - 2], pattern.shape[pattern.ndim - 1]
    job.width = x.shape[x.ndim - 1]
    enough_keys(job.queries, job.keys, "pattern", "it")
    expect_shape(x, pattern.shape[:pattern.ndim - 2] + (job.queries, job.width), "x")
    expect_shape(out, pattern.shape[:pattern.ndim - 2] + (job.keys, job.width), "out")
    run("attention_back", kind, &job, heads * ((job.keys + 63) // 64), 1)


def move_heads(x, out, bint merged):
    """x [..., H, T, D] → out [..., T, H·D] where merged, else the other way round."""
    cdef move_heads_job job
    cdef int kind = real_type(x, "x")
    job.x = pointer(x, kind, -1, "x")
    job.out = target(out, kind, -1, "out")
    apart = x if merged else out
    beside = out if merged else x
    leading(apart, 3, "x")
    shape = apart.shape
    job.heads, job.positions, job.width = shape[len(shape) - 3], shape[len(shape) - 2], shape[len(shape) - 1]
    job.merged = merged
    expect_shape(beside, shape[:len(shape) - 3] + (job.positions, job.heads * job.width), "x" if apart is out else "out")
    run("move_heads", kind, &job, leading(beside, 1, "x") if out.size else 0, grain_of(job.heads * job.width, 1))
