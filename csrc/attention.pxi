# Attention, and the way back through it, one head at a time: queries see their own keys and all earlier ones, or, where
# `full`, every key, of which there may be any number.

def attention_scores(q, k, out, bint full=False):
    """q [..., T, D], k [..., S, D], out [..., T, S], S ≥ T unless full; see kernels/scores.h."""
    scores(q, k, out, "q", "k", True, full)


def attention_products(a, b, out, bint full=False):
    """a [..., T, D], b [..., S, D], out [..., T, S], S ≥ T unless full: Σ a·b for the keys that a query sees, else 0."""
    scores(a, b, out, "a", "b", False, full)


cdef int scores(q, k, out, str q_name, str k_name, bint divided, bint full) except -1:
    cdef kernel_job job = NO_JOB
    cdef int kind = real_type(q, q_name)
    leading(q, 2, q_name)
    job.in_[0], job.in_[1] = pointer(q, kind, -1, q_name), stacked(k, kind, q.ndim, k_name, &job.size[3])
    job.out = target(out, kind, q.ndim, (q, k))
    job.size[0], job.size[1], job.size[2] = q.shape[q.ndim - 2], k.shape[k.ndim - 2], q.shape[q.ndim - 1]
    job.size[4] = divided
    job.size[5] = keys_before(&job, full, q_name, k_name)
    expect_shape(k, q.shape[:q.ndim - 2] + (job.size[1], job.size[2]), k_name)
    expect_shape(out, q.shape[:q.ndim - 2] + (job.size[0], job.size[1]), "out")
    return run_blocks("attention_scores", kind, &job, out, job.size[0])


cdef Py_ssize_t keys_before(const kernel_job *job, bint full, str q_name, str k_name) except -1:
    """P: query t sees the keys below P + t + 1. size: T, S."""
    if full:
        return job.size[1]
    enough_keys(job.size[0], job.size[1], q_name, k_name)
    return job.size[1] - job.size[0]


def attention_mix(pattern, v, out, bint full=False):
    """pattern [..., T, S], v [..., S, D], out [..., T, D], S ≥ T unless full; see kernels/mix.h."""
    cdef kernel_job job = NO_JOB
    cdef int kind = real_type(pattern, "pattern")
    leading(pattern, 2, "pattern")
    job.in_[0] = pointer(pattern, kind, -1, "pattern")
    job.in_[1] = stacked(v, kind, pattern.ndim, "v", &job.size[3])
    job.out = target(out, kind, pattern.ndim, (pattern, v))
    job.size[0], job.size[1] = pattern.shape[pattern.ndim - 2], pattern.shape[pattern.ndim - 1]
    job.size[2] = v.shape[v.ndim - 1]
    job.size[4] = keys_before(&job, full, "pattern", "v")
    expect_shape(v, pattern.shape[:pattern.ndim - 2] + (job.size[1], job.size[2]), "v")
    expect_shape(out, pattern.shape[:pattern.ndim - 2] + (job.size[0], job.size[2]), "out")
    run_blocks("attention_mix", kind, &job, out, job.size[0])


def attention_back(pattern, x, out, bint full=False):
    """pattern [..., T, S], x [..., T, D], out [..., S, D], S ≥ T unless full; see kernels/attention_back.h."""
    cdef kernel_job job = NO_JOB
    cdef int kind = real_type(pattern, "pattern")
    leading(pattern, 2, "pattern")
    job.in_[0], job.in_[1] = pointer(pattern, kind, -1, "pattern"), pointer(x, kind, pattern.ndim, "x")
    job.out = target(out, kind, pattern.ndim, (pattern, x))
    job.size[0], job.size[1] = pattern.shape[pattern.ndim - 2], pattern.shape[pattern.ndim - 1]
    job.size[2] = x.shape[x.ndim - 1]
    job.size[3] = keys_before(&job, full, "pattern", "it")
    expect_shape(x, pattern.shape[:pattern.ndim - 2] + (job.size[0], job.size[2]), "x")
    expect_shape(out, pattern.shape[:pattern.ndim - 2] + (job.size[1], job.size[2]), "out")
    run_blocks("attention_back", kind, &job, out, job.size[1])


cdef int run_blocks(str name, int kind, const kernel_job *job, out, Py_ssize_t rows) except -1:
    """An item is some of the rows of one head."""
    if not out.size:
        return 0
    return run(name, kind, job, leading(out, 2, "out") * ((rows + ATTENTION_BLOCK - 1) // ATTENTION_BLOCK), 1)


def attend(q, k, v, out, Py_ssize_t copies=1, factor=1.0, bint full=False, Queue queue=None):
    """q [..., H, T, D], k and v [..., H / copies, S, D], out [..., H, T, D], S ≥ T unless full: what attention_mix makes of
    the causal softmax of attention_scores · factor, now, or when a queue has run; see kernels/attend.h. So many heads that
    follow each other as there are copies share one of k and v."""
    cdef kernel_job job = NO_JOB
    cdef int kind = real_type(q, "q")
    cdef Py_ssize_t heads = leading(q, 2, "q"), seen, block, items, grain, scratch
    job.in_[0] = pointer(q, kind, -1, "q")
    job.in_[1] = stacked(k, kind, q.ndim, "k", &job.size[3])
    job.in_[2] = stacked(v, kind, q.ndim, "v", &job.size[4])
    job.out = target(out, kind, q.ndim, (q, k, v))
    shape = q.shape
    job.size[0], job.size[1], job.size[2] = shape[len(shape) - 2], k.shape[k.ndim - 2], shape[len(shape) - 1]
    job.size[5] = keys_before(&job, full, "q", "k")
    job.size[6] = copies
    above = shape[:len(shape) - 2]
    if copies != 1:
        if copies < 1 or len(above) < 1 or above[len(above) - 1] % copies:
            raise ValueError(f"q has shape {shape}, whose heads can't share keys and values by {copies}")
        above = (*above[:len(above) - 1], above[len(above) - 1] // copies)
    expect_shape(k, above + (job.size[1], job.size[2]), "k")
    expect_shape(v, k.shape, "v")
    expect_shape(out, shape, "out")
    if not out.size:
        return
    if job.size[0] == 1:  # a single query sees all keys: those that share a head are rows below each other
        job.size[0], job.size[5], job.size[6], heads = copies, job.size[1], 1, heads // copies
    seen = max(job.size[1], 1)
    block = job.size[7] = min(job.size[0], ATTENTION_BLOCK, max(ATTENTION_NUMBERS // seen, ROW_MULTIPLE))
    job.setting[0] = factor
    items = heads * ((job.size[0] + block - 1) // block)
    grain = grain_of(block * seen * (job.size[2] + 8), 1)
    scratch = 2 * block * seen * cnp.PyArray_ITEMSIZE(<cnp.ndarray> q)
    if queue is None:
        run_now(KERNELS["attend"], kind, &job, items, grain, 0, scratch)
    else:
        for x in (q, k, v, out):
            queue.hold(x)
        queue.add(KERNELS["attend"], kind, &job, items, grain, 0, scratch)
        queue.ready()


def move_heads(x, out, bint merged):
    """x [..., H, T, D] → out [..., T, H·D] where merged, else the other way round."""
    cdef kernel_job job = NO_JOB
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


def append(new, cache, Py_ssize_t length, Queue queue=None):
    """Writes new [..., T, D] behind the first `length` positions of a cache [..., capacity, D]: now, or when a queue has run."""
    cdef kernel_job job = NO_JOB
    cdef int kind = real_type(new, "new")
    cdef Py_ssize_t blocks = leading(new, 2, "new"), positions = new.shape[new.ndim - 2], width = new.shape[new.ndim - 1]
    cdef Py_ssize_t capacity, grain = grain_of(positions * width, 1)
    job.in_[0] = pointer(new, kind, -1, "new")
    job.out = target(cache, kind, new.ndim, (new,))
    capacity = cache.shape[new.ndim - 2]
    expect_shape(cache, new.shape[:new.ndim - 2] + (capacity, width), "the cache")
    if not 0 <= length <= capacity - positions:
        raise ValueError(f"a cache for {capacity} positions has no room for {positions} behind {length}")
    job.out = <char *> job.out + length * width * cnp.PyArray_ITEMSIZE(<cnp.ndarray> new)
    job.size[0], job.size[1] = positions * width, capacity * width
    if queue is None or not new.size:
        run("append", kind, &job, blocks if new.size else 0, grain)
    else:
        queue.hold(new)
        queue.hold(cache)
        queue.add(KERNELS["append"], kind, &job, blocks, grain, 0)
        queue.ready()
