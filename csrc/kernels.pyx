# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, embedsignature=True
"""The compiled operations: each checks what it is given, describes the job, and hands its items to the thread pool.

Arrays are NumPy arrays of float32 or float64 (one type per call), C-contiguous and aligned; results go to `out`, which must not
overlap them. Nothing here allocates what a caller keeps, knows names, or records: that is the business of `llmtrace.ops` and
`llmtrace.trace`. The sums themselves are in kernels/, one header for each inner loop, compiled once per instruction set.
"""
cimport cython
cimport numpy as cnp
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp

import os
import threading

import numpy as np

cnp.import_array()

cdef object INT64 = np.dtype(np.int64)

cdef extern from "inner.h":
    enum: MOST_INPUTS, MOST_SIZES, MOST_SETTINGS, MOST_AXES, ATTENTION_BLOCK, ATTENTION_NUMBERS
    enum: ROW_GROUP, LEAST_GROUP, ROW_MULTIPLE, GROUP_NUMBERS
    enum: KIND_ELEMENTWISE, KIND_ROWS
    ctypedef struct kernel_job:
        const void **in_ "in"
        void *out
        Py_ssize_t *size
        double *setting
    ctypedef void (*range_fn)(const kernel_job *job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil
    ctypedef struct kernel_entry:
        const char *name
        range_fn run
        int kind, inputs, settings, cost
    ctypedef struct inner_table:
        const char *name
        int count
        const kernel_entry *kernels
        Py_ssize_t panel
        const char *(*broken_promise)() noexcept nogil

cdef extern from "pool.h":
    ctypedef struct waiting_job:
        range_fn kernel
        kernel_job job
        Py_ssize_t items, grain, scratch, expected
    ctypedef struct job_series:
        waiting_job *jobs
    void series_ready(job_series *s, Py_ssize_t count) nogil
    void series_stop(job_series *s) nogil
    int series_finish(job_series *s, Py_ssize_t count, int (*interrupted)() noexcept nogil) nogil
    int pool_run(range_fn kernel, const kernel_job *job, Py_ssize_t items, Py_ssize_t grain, Py_ssize_t scratch,
                 int (*interrupted)() noexcept nogil) nogil
    void pool_expect(const void *data, Py_ssize_t bytes) nogil
    void pool_set_threads(int threads) nogil
    int pool_threads() nogil

include "runtime.pxi"
include "checks.pxi"
include "memory.pxi"
include "rows.pxi"
include "sums.pxi"
include "matmul.pxi"
include "widths.pxi"
include "attention.pxi"
include "queue.pxi"
include "repeat.pxi"
