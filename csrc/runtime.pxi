# What every operation needs: which instruction set, which threads, and the checks of arrays.
import os

cdef extern from *:
    """
    #if defined(LLMTRACE_X86)
    #define INNER_SUPPORTED_AVX2 __builtin_cpu_supports("avx2")
    #define INNER_SUPPORTED_AVX512 (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && \
                                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    static const inner_table *inner_tables[] = {&inner_baseline, &inner_avx2, &inner_avx512};
    static int inner_supported(int i) { return i == 0 || (i == 1 && INNER_SUPPORTED_AVX2) || (i == 2 && INNER_SUPPORTED_AVX512); }
    #define INNER_COUNT 3
    #else
    static const inner_table *inner_tables[] = {&inner_baseline};
    static int inner_supported(int i) { return i == 0; }
    #define INNER_COUNT 1
    #endif
    """
    const inner_table **inner_tables
    int inner_supported(int i)
    int INNER_COUNT

cdef extern from *:
    """
    #define K(name) {#name, 0, 0, 0},
    #define E(name, inputs, settings, cost) {#name, inputs, settings, cost},
    static const struct {
        const char *name;
        int inputs, settings, cost;
    } kernel_list[] = {LLMTRACE_KERNELS(K) LLMTRACE_ELEMENTWISE(E)};
    #undef K
    #undef E
    """
    struct kernel_entry:
        const char *name
        int inputs, settings, cost
    const kernel_entry *kernel_list
    int KERNEL_COUNT

cdef extern from *:
    """
    #ifndef LLMTRACE_SOURCE_HASH
    #define LLMTRACE_SOURCE_HASH ""
    #define LLMTRACE_RECIPE ""
    #endif
    """
    const char *LLMTRACE_SOURCE_HASH
    const char *LLMTRACE_RECIPE

cdef extern from "Python.h":
    int PyErr_CheckSignals() noexcept  # leaves its exception set, for `run` to pass on

cdef extern from "float_state.h":
    float_state float_state_enter() nogil
    void float_state_leave(float_state before) nogil

source_hash = LLMTRACE_SOURCE_HASH.decode()
"""A checksum of the files in csrc/ that this module was compiled from."""

build_recipe = LLMTRACE_RECIPE.decode()
"""The same, and one of how they were compiled; setup.py looks for it in the module's file."""

KERNELS = {kernel_list[i].name.decode(): i for i in range(KERNEL_COUNT)}
"""Every kernel's place in the tables of inner.c, by name."""

ELEMENTWISE = {
    kernel_list[i].name.decode(): (kernel_list[i].inputs, kernel_list[i].settings, kernel_list[i].cost)
    for i in range(KERNEL_COUNT) if kernel_list[i].cost
}
"""The kernels that `elementwise` runs: how many inputs and settings each takes, and its cost in additions."""

cdef const inner_table *table


def instruction_sets():
    """The names of the instruction sets that were compiled in and that this processor has, slowest first."""
    return [inner_tables[i].name.decode() for i in range(INNER_COUNT) if inner_supported(i)]


cdef const inner_table *choose_table() except NULL:
    cdef int i, best = 0
    wanted = os.environ.get("LLMTRACE_ISA", "")
    for i in range(INNER_COUNT):
        if inner_supported(i):
            best = i
            if inner_tables[i].name.decode() == wanted:
                return inner_tables[i]
    if wanted:
        known = ", ".join(instruction_sets())
        raise ImportError(f"LLMTRACE_ISA={wanted!r} can't be used here; choose one of {known}, or unset it")
    return inner_tables[best]


table = choose_table()


def instruction_set():
    """The name of the instruction set in use: "baseline", "avx2" or "avx512"."""
    return table.name.decode()


def set_threads(int count):
    """Compute with `count` threads, the calling one included. The number never changes a bit of any result."""
    if not 1 <= count <= 4096:
        raise ValueError(f"the number of threads must be from 1 to 4096, not {count}")
    pool_set_threads(count)


def get_threads():
    """How many threads compute, the calling one included."""
    return pool_threads()


def threads_from_environment():
    """LLMTRACE_NUM_THREADS, or 0 where it is unset or empty."""
    text = os.environ.get("LLMTRACE_NUM_THREADS", "")
    if text and not (text.isascii() and text.isdigit() and 1 <= int(text) <= 4096):
        raise ImportError(
            f"LLMTRACE_NUM_THREADS={text!r} is not a number of threads: give a whole number from 1 to 4096, or unset it"
        )
    return int(text or 0)


if threads_from_environment():
    set_threads(threads_from_environment())


cdef class FloatState:
    """`with FloatState():` gives Python code the arithmetic of the kernels (nearest rounding, subnormals kept), then puts back
    what was set before."""
    cdef float_state before

    def __enter__(self):
        self.before = float_state_enter()

    def __exit__(self, *error):
        float_state_leave(self.before)


# ---- running -------------------------------------------------------------------------------------------------------

cdef int interrupted() noexcept nogil:
    with gil:
        return PyErr_CheckSignals()


cdef int run(str name, int kind, const void *job, Py_ssize_t items, Py_ssize_t grain) except -1:
    cdef int kernel = KERNELS[name]
    cdef range_fn function = table.f64[kernel] if kind == cnp.NPY_FLOAT64 else table.f32[kernel]
    cdef int stopped
    if items <= 0:
        return 0
    with nogil:
        stopped = pool_run(function, job, items, grain, interrupted)
    return stopped  # −1 with the exception of the signal's handler set


cdef Py_ssize_t grain_of(Py_ssize_t work_per_item, Py_ssize_t multiple) noexcept:
    """So many items that a chunk is about 2^17 additions, a fraction of a millisecond, rounded up to a multiple."""
    cdef Py_ssize_t grain = 131072 // (work_per_item if work_per_item > 0 else 1) + 1
    return (grain + multiple - 1) // multiple * multiple


# ---- checks: what is refused, and how it is said -------------------------------------------------------------------

cdef int real_type(object array, str name) except -1:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array, not {type(array).__name__}")
    cdef int kind = cnp.PyArray_TYPE(<cnp.ndarray> array)
    if kind != cnp.NPY_FLOAT32 and kind != cnp.NPY_FLOAT64:
        raise TypeError(f"{name} must be float32 or float64, not {array.dtype}")
    return kind


cdef void *pointer(object array, int kind, int ndim, str name) except? NULL:
    """The data of an array of exactly this type (and number of axes, unless −1), or an error that says what is wrong."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array, not {type(array).__name__}")
    cdef cnp.ndarray a = <cnp.ndarray> array
    if cnp.PyArray_TYPE(a) != kind or cnp.PyArray_ISBYTESWAPPED(a):
        wanted = np.dtype(cnp.PyArray_DescrFromType(kind))
        raise TypeError(f"{name} must be {wanted} in this machine's byte order, not {a.dtype!r}")
    if ndim >= 0 and cnp.PyArray_NDIM(a) != ndim:
        raise ValueError(f"{name} must have {ndim} axes, not shape {array.shape}")
    if not cnp.PyArray_IS_C_CONTIGUOUS(a) or not cnp.PyArray_ISALIGNED(a):
        raise ValueError(f"{name} must lie in memory without gaps (C-contiguous, aligned): use np.ascontiguousarray")
    return cnp.PyArray_DATA(a)


cdef void *stacked(object array, int kind, int ndim, str name, Py_ssize_t *stride) except? NULL:
    """Like `pointer`, for blocks [..., rows, width] that lie without gaps inside but one `stride` of elements apart."""
    cdef cnp.ndarray a
    cdef Py_ssize_t item, expected
    cdef int axis
    if not isinstance(array, np.ndarray) or array.ndim < 3 or cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> array) or not array.size:
        data = <Py_ssize_t> pointer(array, kind, ndim, name)
        stride[0] = array.shape[array.ndim - 2] * array.shape[array.ndim - 1] if array.ndim >= 2 else 0
        return <void *> <Py_ssize_t> data
    a = <cnp.ndarray> array
    item = a.itemsize
    pointer(array[(0,) * (array.ndim - 2)], kind, 2, name)
    stride[0] = a.strides[a.ndim - 3] // item
    expected = a.strides[a.ndim - 3]
    if expected % item:
        raise ValueError(f"the blocks of {name} must lie a whole number of elements apart: use np.ascontiguousarray")
    for axis in range(a.ndim - 4, -1, -1):
        expected *= a.shape[axis + 1]
        if a.strides[axis] != expected and a.shape[axis] > 1:
            raise ValueError(f"the blocks of {name} must lie evenly apart: use np.ascontiguousarray")
    if a.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, not shape {array.shape}")
    return cnp.PyArray_DATA(a)


cdef void *target(object array, int kind, int ndim, str name) except? NULL:
    cdef void *data = pointer(array, kind, ndim, name)
    if not cnp.PyArray_ISWRITEABLE(<cnp.ndarray> array):
        raise ValueError(f"{name} is read-only")
    return data


cdef int same_shape(a, b, str a_name, str b_name) except -1:
    if (<object> a).shape != (<object> b).shape:
        raise ValueError(f"{a_name} has shape {a.shape} but {b_name} has shape {b.shape}; they must be equal")
    return 0


cdef int expect_shape(array, tuple shape, str name) except -1:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
    return 0


cdef Py_ssize_t last_axis(array, int axes, str name) except -1:
    """The length of the last axis of an array that must have at least `axes` of them."""
    if array.ndim < axes:
        raise ValueError(f"{name} must have at least {axes} axes, not shape {array.shape}")
    return array.shape[array.ndim - 1]


cdef Py_ssize_t leading(array, int last, str name) except -1:
    """How many blocks of the last axes there are: the product of all axes before them."""
    cdef Py_ssize_t count = 1
    if array.ndim < last:
        raise ValueError(f"{name} must have at least {last} axes, not shape {array.shape}")
    for size in array.shape[:array.ndim - last]:
        count *= size
    return count
