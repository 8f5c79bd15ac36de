# Matrix multiplication with a packed weight; the sums are in kernels/matmul.h.
import mmap
import weakref

HUGE_PAGE = 2 << 20
SLICE = 16 << 20  # so many bytes are packed before the pages that held them are given back


def aligned_empty(count, dtype):
    """An uninitialised vector that starts on a cache line; a large one lies in huge pages where the system has them, which
    are filled four times as fast and looked up with fewer misses. `count` is a Python integer, which no product overflows."""
    if count * np.dtype(dtype).itemsize > LARGEST:
        raise MemoryError(f"no memory for {count} numbers")
    cdef Py_ssize_t size = count * np.dtype(dtype).itemsize
    if size < HUGE_PAGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return small_array((size + 63) // 64 * 64)[:size].view(dtype)
    try:
        memory = mmap.mmap(-1, size + HUGE_PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"no memory for {count} numbers") from error
    raw = np.frombuffer(memory, np.uint8)
    start = -raw.ctypes.data % HUGE_PAGE
    memory.madvise(mmap.MADV_HUGEPAGE, start, size // HUGE_PAGE * HUGE_PAGE)  # the rest would fill one that is mostly empty
    return raw[start:start + size].view(dtype)


cdef class PackedMatrix:
    """A weight [K, N] for `matmul`, never changed; made by `pack`, `pack_later` or `pack_stored`."""
    cdef readonly object panels  # None until they are laid out
    cdef object source  # the weight [K, N] as it lies in memory, until then
    cdef Py_ssize_t panel  # how many columns a panel has
    cdef bint used
    cdef readonly Py_ssize_t depth, columns
    cdef readonly int kind
    cdef readonly int width  # how it is stored, see widths.pxi; 0: as numbers of the kind
    cdef object follower  # a reference to the weight that was multiplied after it, which it does not keep alive
    cdef object __weakref__

    def packing_bytes(self, rows):
        """How many bytes laying it out will take when it is multiplied by so many rows; 0 where it will lie as it does."""
        return self.source.nbytes if self.source is not None and (self.used or rows > ROW_GROUP) else 0


cdef object latest = None
"""A reference to the weight that was multiplied last."""


cdef PackedMatrix followed_by(PackedMatrix weight):
    """The weight that came after this one when it was last multiplied: a model has one order. None where it is not known."""
    global latest
    cdef PackedMatrix before = None if latest is None else latest()
    reference = weakref.ref(weight)
    if before is not None:
        before.follower = reference
    latest = reference
    return None if weight.follower is None else weight.follower()


cdef Py_ssize_t expect_follower(PackedMatrix weight, kernel_job *job) except -1:
    """Says to a kernel which numbers will probably be needed next, from in[3] on, so that it fetches them into the cache; returns
    how many bytes they are."""
    cdef PackedMatrix after = followed_by(weight)
    job.in_[3] = NULL
    if after is not None and after.panels is not None and after.columns and same_numbers(after, weight):
        job.in_[3] = cnp.PyArray_DATA(<cnp.ndarray> after.panels)
        job.size[9], job.size[10] = after.depth, after.columns
        return after.panels.nbytes
    return 0


cdef bint same_numbers(PackedMatrix a, PackedMatrix b):
    """Whether the numbers of both take the same bytes."""
    return a.kind == b.kind and a.width == b.width and readable(b)


def pack_later(weight, bint transposed=False):
    """A weight [in, out], or [out, in] where transposed, of any strides, that is laid out in panels when it is multiplied for
    the second time, or by many rows. The first time it is multiplied as it lies: no memory, and less time than packing."""
    cdef PackedMatrix packed = PackedMatrix.__new__(PackedMatrix)
    packed.kind = real_type(weight, "weight")
    if weight.ndim != 2:
        raise ValueError(f"weight must have 2 axes, not shape {weight.shape}")
    if not weight.dtype.isnative or not weight.flags.aligned:
        weight = np.array(weight, weight.dtype.newbyteorder("="))
    packed.source = weight.T if transposed else weight
    packed.depth, packed.columns = packed.source.shape
    return packed


def pack(weight, bint transposed=False):
    """Packs a weight [in, out], or [out, in] where transposed. A weight may have any strides."""
    packed = pack_later(weight, transposed)
    lay_out(packed)
    return packed


cdef int lay_out(PackedMatrix packed) except -1:
    """Writes the panels, some at a time; the pages of a mapped file that held these columns are given back."""
    cdef kernel_job job = NO_JOB
    cdef Py_ssize_t panel = table_of(packed.kind).panel, first, width, itemsize, count
    cdef bint alone
    source = packed.source
    if source is None:
        return 0
    itemsize = source.itemsize
    panels = aligned_empty(<object> packed.depth * ((packed.columns + panel - 1) // panel * panel), source.dtype)
    width = max(SLICE // (packed.depth * panel * itemsize), 1) * panel if panels.size else 1
    for first in range(0, packed.columns if panels.size else 0, width):
        columns = source[:, first:first + width]
        job.in_[0] = cnp.PyArray_DATA(<cnp.ndarray> columns)
        job.out = <char *> cnp.PyArray_DATA(<cnp.ndarray> panels) + first * packed.depth * itemsize
        job.size[0], job.size[1] = columns.shape
        job.size[2], job.size[3] = columns.strides
        count = (job.size[1] + panel - 1) // panel
        alone = waiting != NULL and panels.nbytes < HUGE_PAGE  # sooner done than a worker stopped that has begun with what waits
        run_now(KERNELS["pack"], packed.kind, &job, count, count if alone else 1, 0)
        give_back(columns)
    panels.flags.writeable = False
    if packed.source is not None:  # else another thread was faster, and its panels are in use
        packed.panels, packed.source, packed.panel = panels, None, panel
    return 0


cdef bint readable(PackedMatrix packed):
    """Whether the instruction set in use has panels as wide as those of this weight."""
    return packed.panels is None or packed.panel == table_of(packed.kind).panel


cdef int expect_readable(PackedMatrix packed) except -1:
    if not readable(packed):
        raise ValueError(f"the weight was packed for another instruction set than {instruction_set()}")
    return 0


def give_back(cnp.ndarray array not None):
    """Gives the whole pages of an array's memory back to the system where that is a mapped file that nobody writes through: they
    are read again from there when they are needed."""
    cdef char *begin
    cdef char *end
    base = array
    while isinstance(base, np.ndarray) and not base.flags.writeable:
        base = base.base
    base = base.obj if isinstance(base, memoryview) else base
    if not isinstance(base, mmap.mmap) or not hasattr(base, "madvise"):
        return
    memory_of(array, &begin, &end)
    whole = np.frombuffer(base, np.uint8)
    start = <Py_ssize_t> (begin - <char *> cnp.PyArray_DATA(<cnp.ndarray> whole))
    stop = (start + <Py_ssize_t> (end - begin)) // mmap.PAGESIZE * mmap.PAGESIZE
    start = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    if start < stop:
        base.madvise(mmap.MADV_DONTNEED, start, stop - start)


cdef int layout_of(array, Py_ssize_t *rows, Py_ssize_t *columns, Py_ssize_t *split, str name) except -1:
    """[rows, columns], or heads [sequences, H, T, D] whose rows are (sequence, position) and columns (head, feature).
    `split` gets the heads and the positions, both at least 1."""
    if array.ndim == 2:
        rows[0], columns[0] = array.shape
        split[0], split[1] = 1, max(rows[0], 1)
    elif array.ndim == 4:
        n, h, t, d = array.shape
        rows[0], columns[0], split[0], split[1] = n * t, h * d, max(h, 1), max(t, 1)
    else:
        raise ValueError(f"{name} must have 2 axes, or 4 where split into heads, not shape {array.shape}")
    return 0


def matmul(x, PackedMatrix weight not None, bias, out):
    """out = x · weight + bias. x [rows, K] or heads [sequences, H, T, D] with H·D = K; out [rows, N] or heads likewise;
    bias [N] or None."""
    cdef kernel_job job = NO_JOB
    cdef Py_ssize_t rows, columns, items, grain, expected
    job.in_[0] = pointer(x, weight.kind, -1, "x")
    layout_of(x, &job.size[0], &job.size[1], &job.size[4], "x")
    if weight.used or job.size[0] > ROW_GROUP:
        lay_out(weight)
    weight.used = True
    expect_readable(weight)
    packed = weight.source is None
    numbers = weight.panels if packed else weight.source
    job.in_[1] = cnp.PyArray_DATA(<cnp.ndarray?> numbers)
    job.in_[2] = NULL if bias is None else pointer(bias, weight.kind, 1, "bias")
    job.out = target(out, weight.kind, -1, (x, numbers, bias))
    layout_of(out, &rows, &columns, &job.size[6], "out")
    job.size[2] = weight.columns
    if job.size[1] != weight.depth:
        raise ValueError(f"x has {job.size[1]} features, but the weight takes {weight.depth}")
    if rows != job.size[0] or columns != weight.columns:
        raise ValueError(f"out has {rows} rows of {columns}, expected {job.size[0]} of {weight.columns}")
    if bias is not None:
        expect_shape(bias, (weight.columns,), "bias")
    if rows:
        job.size[3] = tiling(rows, columns, weight.depth, weight.kind, &items, &grain)
        job.size[8] = pool_threads()
        job.setting[0] = weight.width
        expected = expect_follower(weight, &job)
        if not packed:
            job.size[9], job.size[10] = numbers.strides
        name = "matmul_widened" if weight.width else "matmul" if packed else "matmul_unpacked"
        run(name, weight.kind, &job, items, grain, expected)
        if waits(&job):
            (<Queue> waiting).held.append(numbers)  # the weight lets go of them when it is packed
        last_run.settled, last_run.weight = packed, <void *> weight


cdef Py_ssize_t tiling(Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t depth, int kind, Py_ssize_t *items, Py_ssize_t *grain):
    """Blocks of rows as equal as can be, of whole tiles: how many rows each has. An item is one of them and a panel; chunks are
    of at least some microseconds."""
    cdef Py_ssize_t panel = table_of(kind).panel
    cdef Py_ssize_t group = min(ROW_GROUP, max(LEAST_GROUP, GROUP_NUMBERS // max(depth, 1)))
    cdef Py_ssize_t blocks = (rows + group - 1) // group, block
    block = ((rows + blocks - 1) // blocks + ROW_MULTIPLE - 1) // ROW_MULTIPLE * ROW_MULTIPLE
    items[0] = (rows + block - 1) // block * ((columns + panel - 1) // panel)
    grain[0] = (1 << 18) // (max(min(rows, block), 8) * panel * max(depth, 1)) + 1
    return block
