# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, embedsignature=True
"""The compiled operations: each checks what it is given, describes the job, and hands its items to the thread pool.

Arrays are NumPy arrays of float32 or float64 (one type per call), C-contiguous and aligned; results go to `out`.
Nothing here allocates what a caller keeps, knows names, or records: that is the business of `llmtrace.ops` and `llmtrace.trace`.
The sums themselves are in the headers beside this file, one for each inner loop, compiled once per instruction set.
"""
cimport cython
cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t

import numpy as np

cnp.import_array()

cdef extern from "inner.h":
    ctypedef void (*range_fn)(const void *job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil
    ctypedef struct inner_table:
        const char *name
        range_fn *f32
        range_fn *f64
        Py_ssize_t panel_f32
        Py_ssize_t panel_f64
    ctypedef struct elementwise_job:
        const void **in_ "in"
        void *out
        double *setting
    ctypedef struct dropout_job:
        const void *x
        void *out
        uint64_t seed
        uint64_t first
        double rate
        double factor
    ctypedef struct embedding_job:
        const int64_t *ids
        const void *table
        void *out
        Py_ssize_t width
    ctypedef struct layer_norm_job:
        const void *x
        const void *gain
        const void *bias
        void *out
        Py_ssize_t width
        double epsilon
    ctypedef struct softmax_job:
        const void *x
        void *out
        Py_ssize_t width
        Py_ssize_t queries
        int causal
    ctypedef struct argmax_job:
        const void *x
        int64_t *out
        Py_ssize_t width
    ctypedef struct matrix_layout:
        Py_ssize_t positions
        Py_ssize_t sequence_stride
        Py_ssize_t run
        Py_ssize_t head_stride
    ctypedef struct matmul_job:
        const void *x
        const void *panels
        const void *bias
        void *out
        Py_ssize_t rows
        Py_ssize_t depth
        Py_ssize_t columns
        matrix_layout x_layout
        matrix_layout out_layout
        Py_ssize_t row_group
    ctypedef struct attention_scores_job:
        const void *q
        const void *k
        void *out
        Py_ssize_t queries
        Py_ssize_t keys
        Py_ssize_t width
        Py_ssize_t key_stride
        int divided
    ctypedef struct attention_mix_job:
        const void *pattern
        const void *v
        void *out
        Py_ssize_t queries
        Py_ssize_t keys
        Py_ssize_t width
        Py_ssize_t value_stride
    const Py_ssize_t ROW_GROUP
    const Py_ssize_t MOST_INPUTS, MOST_SETTINGS

cdef extern from "pool.h":
    int pool_run(range_fn kernel, const void *job, Py_ssize_t items, Py_ssize_t grain, int (*interrupted)() noexcept nogil) nogil
    void pool_set_threads(int threads) nogil
    int pool_threads() nogil

cdef extern from "float_state.h":
    ctypedef struct float_state:
        pass

include "runtime.pxi"
include "memory.pxi"


# ---- one operation per element -------------------------------------------------------------------------------------

def elementwise(str name, tuple inputs, out, *settings):
    """out[i] = name(inputs[0][i], inputs[1][i], …; settings), for a name in `ELEMENTWISE`; all of one shape and type. Settings
    are rounded to that type first."""
    cdef elementwise_job job
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
    job.out = target(out, kind, -1, "out")
    run(name, kind, &job, out.size, 65536 // wanted[2])


def dropout(x, double rate, double factor, uint64_t seed, uint64_t first, out):
    """out[i] = 0 where the random number of the place first + i is below `rate`, else x[i] · factor; see llmtrace/rng.py."""
    cdef dropout_job job
    cdef int kind = real_type(x, "x")
    job.x = pointer(x, kind, -1, "x")
    job.out = target(out, kind, -1, "out")
    same_shape(x, out, "x", "out")
    job.seed, job.first, job.rate, job.factor = seed, first, rate, factor
    run("dropout", kind, &job, x.size, 16384)


# ---- rows ----------------------------------------------------------------------------------------------------------

def embedding(ids, table, out):
    """out[..., :] = table[ids[...], :]; ids int64, table [V, C]."""
    cdef embedding_job job
    cdef int kind = real_type(table, "table")
    cdef const int64_t *id = <const int64_t *> pointer(ids, cnp.NPY_INT64, -1, "ids")
    cdef Py_ssize_t i, vocabulary, count = ids.size
    job.ids = id
    job.table = pointer(table, kind, 2, "table")
    job.out = target(out, kind, -1, "out")
    vocabulary, job.width = table.shape
    expect_shape(out, ids.shape + (job.width,), "out")
    for i in range(count):
        if not 0 <= id[i] < vocabulary:
            raise IndexError(f"id {id[i]} at place {i} is outside the table of {vocabulary} rows")
    run("embedding", kind, &job, count, 64)


def layer_norm(x, gain, bias, double epsilon, out):
    """x, out [..., C]; gain, bias [C]."""
    cdef layer_norm_job job
    cdef int kind = real_type(x, "x")
    job.x = pointer(x, kind, -1, "x")
    job.gain = pointer(gain, kind, 1, "gain")
    job.bias = pointer(bias, kind, 1, "bias")
    job.out = target(out, kind, -1, "out")
    job.width = last_axis(x, 1, "x")
    job.epsilon = epsilon
    same_shape(x, out, "x", "out")
    expect_shape(gain, (job.width,), "gain")
    expect_shape(bias, (job.width,), "bias")
    run("layer_norm", kind, &job, x.size // job.width if job.width else 0, grain_of(job.width * 8, 8))


def softmax(x, out, bint causal=False):
    """Along the last axis of x; causal: x [..., T, S], query t keeps the keys 0 … S − T + t and the others become 0."""
    cdef softmax_job job
    cdef int kind = real_type(x, "x")
    job.x = pointer(x, kind, -1, "x")
    job.out = target(out, kind, -1, "out")
    same_shape(x, out, "x", "out")
    job.width = last_axis(x, 2 if causal else 1, "x")
    job.queries = x.shape[x.ndim - 2] if causal else 1
    job.causal = causal
    if causal and job.queries > job.width:
        raise ValueError(f"x has {job.queries} queries but only {job.width} keys; every query needs its own key")
    run("softmax", kind, &job, x.size // job.width if job.width else 0, grain_of(job.width * 16, 8))


def argmax(x, out):
    """out[...] = the index of the largest of x[..., :], the first of equals; out int64."""
    cdef argmax_job job
    cdef int kind = real_type(x, "x")
    job.x = pointer(x, kind, -1, "x")
    job.out = <int64_t *> target(out, cnp.NPY_INT64, -1, "out")
    job.width = last_axis(x, 1, "x")
    if job.width == 0:
        raise ValueError("x has no entries along its last axis, so none is the largest")
    expect_shape(out, x.shape[:x.ndim - 1], "out")
    run("argmax", kind, &job, x.size // job.width, grain_of(job.width, 1))


# ---- attention -----------------------------------------------------------------------------------------------------

def attention_scores(q, k, out):
    """q [..., T, D], k [..., S, D], out [..., T, S], S ≥ T; see attention.h."""
    cdef attention_scores_job job
    cdef int kind = real_type(q, "q")
    cdef Py_ssize_t heads = leading(q, 2, "q")
    job.q = pointer(q, kind, -1, "q")
    job.k = stacked(k, kind, q.ndim, "k", &job.key_stride)
    job.out = target(out, kind, q.ndim, "out")
    job.queries, job.width, job.divided = q.shape[q.ndim - 2], q.shape[q.ndim - 1], True
    job.keys = k.shape[k.ndim - 2]
    enough_keys(job.queries, job.keys, "q", "k")
    expect_shape(k, q.shape[:q.ndim - 2] + (job.keys, job.width), "k")
    expect_shape(out, q.shape[:q.ndim - 2] + (job.queries, job.keys), "out")
    run("attention_scores", kind, &job, heads * ((job.queries + 63) // 64), 1)


def attention_mix(pattern, v, out):
    """pattern [..., T, S], v [..., S, D], out [..., T, D], S ≥ T; see attention.h."""
    cdef attention_mix_job job
    cdef int kind = real_type(pattern, "pattern")
    cdef Py_ssize_t heads = leading(pattern, 2, "pattern")
    job.pattern = pointer(pattern, kind, -1, "pattern")
    job.v = stacked(v, kind, pattern.ndim, "v", &job.value_stride)
    job.out = target(out, kind, pattern.ndim, "out")
    job.queries, job.keys = pattern.shape[pattern.ndim - 2], pattern.shape[pattern.ndim - 1]
    job.width = v.shape[v.ndim - 1]
    enough_keys(job.queries, job.keys, "pattern", "v")
    expect_shape(v, pattern.shape[:pattern.ndim - 2] + (job.keys, job.width), "v")
    expect_shape(out, pattern.shape[:pattern.ndim - 2] + (job.queries, job.width), "out")
    run("attention_mix", kind, &job, heads * ((job.queries + 63) // 64), 1)


cdef int enough_keys(Py_ssize_t queries, Py_ssize_t keys, str a_name, str b_name) except -1:
    if queries > keys:
        raise ValueError(f"{a_name} has {queries} queries but {b_name} only {keys} keys; every query needs its own key")
    return 0


include "backward.pxi"
include "matmul.pxi"
