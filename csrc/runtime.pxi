# What every operation needs: which instruction set, which threads, which arithmetic, and how a job is run.

cdef extern from *:
    """
    #define ISA(name, machine, flags, supported) ON_##machine({&inner_##name##_f32, &inner_##name##_f64},)
    typedef struct {
        const inner_table *f32, *f64;
    } table_pair;
    static const table_pair instruction_set_tables[] = {LLMTRACE_ISAS(ISA)};
    #undef ISA
    #define ISA(name, machine, flags, supported) ON_##machine(supported,)
    static int instruction_set_supported(int i)
    {
        const int supported[] = {LLMTRACE_ISAS(ISA)};
        return supported[i];
    }
    #undef ISA
    enum { INSTRUCTION_SETS = sizeof instruction_set_tables / sizeof *instruction_set_tables };
    """
    ctypedef struct table_pair:
        const inner_table *f32
        const inner_table *f64
    const table_pair *instruction_set_tables
    int instruction_set_supported(int i)
    int INSTRUCTION_SETS

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
    ctypedef struct float_state:
        pass
    float_state float_state_enter() nogil
    void float_state_leave(float_state before) nogil

source_hash = LLMTRACE_SOURCE_HASH.decode()
"""A checksum of the files in csrc/ that this module was compiled from."""

build_recipe = LLMTRACE_RECIPE.decode()
"""The same, and one of how they were compiled; setup.py looks for it in the module's file."""


def instruction_sets():
    """The names of the instruction sets that were compiled in and that this processor has, slowest first."""
    return [instruction_set_tables[i].f32.name.decode() for i in range(INSTRUCTION_SETS) if instruction_set_supported(i)]


def instruction_set():
    """The name of the instruction set in use: "baseline", "avx2" or "avx512"."""
    return table_f32.name.decode()


cdef const inner_table *table_f32 = NULL
cdef const inner_table *table_f64 = NULL


def use_instruction_set(str name):
    """Computes with this one of `instruction_sets()` from now on. It never changes a bit of any result; weights that were packed
    for panels of another width are refused."""
    global table_f32, table_f64
    cdef int i
    for i in range(INSTRUCTION_SETS):
        if instruction_set_supported(i) and instruction_set_tables[i].f32.name.decode() == name:
            table_f32, table_f64 = instruction_set_tables[i].f32, instruction_set_tables[i].f64
            return
    raise ValueError(f"there is no instruction set {name!r} here; there are {', '.join(instruction_sets())}")


use_instruction_set(list(instruction_sets()).pop())


cdef inline const inner_table *table_of(int kind) noexcept:
    return table_f64 if kind == cnp.NPY_FLOAT64 else table_f32


KERNELS = {table_f32.kernels[i].name.decode(): i for i in range(table_f32.count)}
"""Every kernel's place in the tables of inner.c, by name."""

ELEMENTWISE = {
    name: (table_f32.kernels[<int> i].inputs, table_f32.kernels[<int> i].settings, table_f32.kernels[<int> i].cost)
    for name, i in KERNELS.items() if table_f32.kernels[<int> i].kind == KIND_ELEMENTWISE
}
"""The kernels that `elementwise` runs: how many inputs and settings each takes, and its cost in additions."""


def set_threads(int count):
    """Compute with `count` threads, the calling one included. The number never changes a bit of any result."""
    if not 1 <= count <= 4096:
        raise ValueError(f"the number of threads must be from 1 to 4096, not {count}")
    pool_set_threads(count)


def get_threads():
    """How many threads compute, the calling one included."""
    return pool_threads()


cdef class FloatState:
    """`with FloatState():` gives Python code the arithmetic of the kernels (nearest rounding, subnormals kept), then puts back
    what was set before."""
    cdef float_state before

    def __enter__(self):
        self.before = float_state_enter()

    def __exit__(self, *error):
        float_state_leave(self.before)


cdef list broken_in(const inner_table *table, str numbers):
    cdef float_state before = float_state_enter()
    cdef const char *operation = table.broken_promise()
    float_state_leave(before)
    return [] if operation == NULL else [(table.name.decode(), numbers, operation.decode())]


def broken_promises():
    """What this build gets wrong because of its compiler's flags: (instruction set, type of numbers, operation) of each."""
    cdef list found = []
    cdef int i
    for i in range(INSTRUCTION_SETS):
        if instruction_set_supported(i):
            found += broken_in(instruction_set_tables[i].f32, "float32") + broken_in(instruction_set_tables[i].f64, "float64")
    return found


# ---- running -------------------------------------------------------------------------------------------------------

cdef int interrupted() noexcept nogil:
    with gil:
        return PyErr_CheckSignals()


cdef extern from *:
    """
    /* What a thread has run last, for those that will run it again (repeat.pxi). */
    typedef struct {
        kernel_job job;
        int kernel, kind;
        ptrdiff_t items, grain;
        int settled;  /* whether the same would be run for any numbers of the same shapes */
        void *weight; /* the PackedMatrix of a product, a borrowed reference */
    } job_run;
    static _Thread_local job_run last_run;
    static _Thread_local void *waiting; /* the Queue in which jobs wait instead, a borrowed reference; NULL: none */
    """
    ctypedef struct job_run:
        kernel_job job
        int kernel, kind
        Py_ssize_t items, grain
        bint settled
        void *weight
    job_run last_run
    void *waiting


cdef kernel_job NO_JOB  # all 0: what a kernel does not use is compared, too, where a step is repeated


cdef int run(str name, int kind, const kernel_job *job, Py_ssize_t items, Py_ssize_t grain, Py_ssize_t expected=0) except -1:
    """Runs a job, or lets it wait. `expected`: how many bytes, from in[3] on, will be needed next."""
    cdef int kernel = KERNELS[name]
    if items <= 0:
        return 0
    if waits(job):
        (<Queue> waiting).add(kernel, kind, job, items, grain, expected)
    else:
        run_now(kernel, kind, job, items, grain, expected)
    last_run.job, last_run.kernel, last_run.kind, last_run.items, last_run.grain = job[0], kernel, kind, items, grain
    last_run.settled, last_run.weight = True, NULL
    return 0


cdef inline bint waits(const kernel_job *job):
    """Whether a job is that of the step which this thread defers."""
    return waiting != NULL and job.out == (<Queue> waiting).place


cdef int run_now(
    int kernel, int kind, const kernel_job *job, Py_ssize_t items, Py_ssize_t grain, Py_ssize_t expected, Py_ssize_t scratch=0
) except -1:
    cdef range_fn function = table_of(kind).kernels[kernel].run
    cdef int stopped
    if waiting != NULL and items > grain:  # a worker that has begun with what waits would keep the others busy
        series_stop((<Queue> waiting).series)
    if expected:
        pool_expect(job.in_[3], expected)
    with nogil:
        stopped = pool_run(function, job, items, grain, scratch, interrupted)
    return done_or_raised(stopped)


cdef int done_or_raised(int stopped) except -1:
    """What `pool_run` gives: 0; −1 with the exception of the signal's handler set; or −2, which becomes one."""
    if stopped == -2:
        raise MemoryError("no memory for what a thread computes on the way")
    return stopped


cdef Py_ssize_t grain_of(Py_ssize_t work_per_item, Py_ssize_t multiple) noexcept:
    """So many items that a chunk is about 2^17 additions, a fraction of a millisecond, rounded up to a multiple."""
    cdef Py_ssize_t grain = 131072 // (work_per_item if work_per_item > 0 else 1) + 1
    return (grain + multiple - 1) // multiple * multiple
