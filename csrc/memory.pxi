# Memory for what a run computes. Fresh pages of 4 KiB are slow to fill, so it comes in large blocks of huge pages, which are
# handed out piece by piece; a piece whose array nobody holds any more is handed out again within the same run.

cdef extern from *:
    """
    #include <sys/mman.h>
    #include <unistd.h>
    #ifndef MAP_ANONYMOUS
    #define MAP_ANONYMOUS MAP_ANON
    #endif
    #define BLOCK ((size_t)1 << 25)
    #define SMALL_BLOCK ((size_t)1 << 22) /* of vectors that may live long: so much stays while one of them lives */
    #define HUGE_PAGE ((size_t)1 << 21)
    #define SMALLEST_PAGE 4096
    #define LARGEST ((size_t)1 << 60)
    #define MOST_TOUCHED (2 * BLOCK) /* the largest array; it takes up to 0.2 s, in which no other Python thread runs */

    /* A mapping; only its first `touched` bytes have been written to, so that the system has given memory for them. */
    typedef struct {
        char *data;
        size_t size, touched;
    } memory_block;

    /* Blocks that no array lies in, the oldest first. They stay mapped, because memory that has been written once is far faster
     * to write again; of more than KEPT bytes, the system may take the pages whenever it needs them (MADV_FREE). Callers hold
     * the GIL. */
    #define SPARES 128
    #define KEPT (2 * BLOCK)
    static memory_block spares[SPARES];
    static int spare_count;
    static size_t spare_bytes;

    /* How many bytes may lie idle: a quarter of the memory, at most 4 GiB. */
    static size_t spare_limit(void)
    {
        static size_t limit;
        if (!limit) {
            const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
            const size_t quarter = pages > 0 && size > 0 ? (size_t)pages / 4 * (size_t)size : BLOCK;
            limit = quarter < (size_t)4 << 30 ? quarter : (size_t)4 << 30;
        }
        return limit;
    }
    static void spare_remove(int i)
    {
        spare_bytes -= spares[i].size;
        spare_count--;
        for (; i < spare_count; i++)
            spares[i] = spares[i + 1];
    }
    static void spares_unmap(void)
    {
        while (spare_count) {
            munmap(spares[0].data, spares[0].size);
            spare_remove(0);
        }
    }
    static char *block_map(size_t size)
    {
        char *data = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return data == MAP_FAILED ? NULL : data;
    }
    /* Whether idle block a is the better one: it is smaller, or more of it has been touched. */
    static int better_block(const memory_block *a, const memory_block *b)
    {
        return a->size != b->size ? a->size < b->size : a->touched >= b->touched;
    }
    /* A block of at least `size` bytes, fresh unless an idle one fits to within a quarter; without data if there is none. */
    static memory_block block_take(size_t size)
    {
        memory_block *best = NULL;
        for (memory_block *s = spares; s < spares + spare_count; s++)
            if (s->size >= size && s->size - s->size / 4 <= size && (!best || better_block(s, best)))
                best = s;
        if (best) {
            const memory_block found = *best;
            spare_remove((int)(best - spares));
            return found;
        }
        memory_block fresh = {block_map(size), size, 0};
        if (!fresh.data && spare_count) { /* what lies idle is not in the way of what is needed */
            spares_unmap();
            fresh.data = block_map(size);
        }
    #ifdef MADV_HUGEPAGE
        if (fresh.data)
            madvise(fresh.data, size, MADV_HUGEPAGE);
    #endif
        return fresh;
    }
    static void block_give(memory_block block)
    {
        if (block.size > spare_limit()) {
            munmap(block.data, block.size);
            return;
        }
        while (spare_count == SPARES || spare_bytes + block.size > spare_limit()) {
            munmap(spares[0].data, spares[0].size);
            spare_remove(0);
        }
    #ifdef MADV_FREE
        if (spare_bytes + block.size > KEPT)
            madvise(block.data, block.size, MADV_FREE);
    #endif
        spares[spare_count++] = block;
        spare_bytes += block.size;
    }
    /* Touches the huge pages [begin, end) of fresh memory. */
    static void touch_pages(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end)
    {
        volatile char *memory = job->out;
        for (size_t i = (size_t)begin * HUGE_PAGE; i < (size_t)end * HUGE_PAGE; i += SMALLEST_PAGE)
            memory[i] = 0;
    }
    """
    const size_t BLOCK, SMALL_BLOCK
    const size_t HUGE_PAGE
    const size_t LARGEST
    const size_t MOST_TOUCHED
    ctypedef struct memory_block:
        char *data
        size_t size, touched
    memory_block block_take(size_t size)
    void block_give(memory_block block)
    void touch_pages(const kernel_job *job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil


cdef class Block:
    """One mapping, idle when no array lies in it any more."""
    cdef memory_block memory
    cdef size_t used

    def __cinit__(self, size_t size):
        self.memory = block_take((size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1))
        if self.memory.data == NULL:
            raise MemoryError(f"no {size} bytes of memory could be had")

    def __dealloc__(self):
        if self.memory.data != NULL:
            block_give(self.memory)

    cdef size_t take(self, size_t size) noexcept:
        """Where the next so many bytes begin. All threads touch fresh pages, each its own: where several compute one array, they
        would all wait for the same page, one after the other. A large array they touch as they compute it."""
        cdef kernel_job job = NO_JOB
        cdef memory_block *memory = &self.memory
        cdef size_t offset = self.used, pages, ahead
        self.used += size
        if self.used > memory.touched:
            pages = (self.used - memory.touched + HUGE_PAGE - 1) // HUGE_PAGE
            if size <= MOST_TOUCHED:
                job.out = memory.data + memory.touched
                ahead = min(memory.touched // HUGE_PAGE + 1, <size_t> pool_threads())
                pages = min(max(pages, ahead), (memory.size - memory.touched) // HUGE_PAGE)
                pool_run(touch_pages, &job, pages, 1, 0, NULL)
            memory.touched += pages * HUGE_PAGE
        return offset


@cython.no_gc
cdef class Piece:
    """The memory of one array; given back to its arena when the array dies."""
    cdef Block block
    cdef Arena arena
    cdef size_t offset, size

    def __dealloc__(self):
        if self.block is not None and self.arena.is_open:
            self.arena.free.setdefault(self.size, []).append((self.block, self.offset))


cdef class Arena:
    """Where one run writes. `empty` is like `numpy.empty`; after `close` each block lives as long as an array in it."""
    cdef Block block
    cdef size_t least  # a block has so many bytes
    cdef dict free
    cdef readonly bint is_open
    """Whether the run is not over."""

    def __cinit__(self):
        self.free, self.least = {}, BLOCK
        self.is_open = True

    def empty(self, tuple shape, dtype):
        """An array of this shape, float32, float64 or int64, its contents undefined."""
        cdef cnp.npy_intp dimensions[16]
        cdef size_t size
        cdef int i, kind = np.dtype(dtype).num
        if kind != cnp.NPY_FLOAT32 and kind != cnp.NPY_FLOAT64 and kind != cnp.NPY_INT64:
            raise TypeError(f"an arena holds float32, float64 and int64, not {np.dtype(dtype)}")
        if len(shape) > 16:
            raise ValueError("an array can have at most 16 axes")
        size = 4 if kind == cnp.NPY_FLOAT32 else 8
        for i in range(len(shape)):
            dimensions[i] = shape[i]
            if dimensions[i] < 0 or (dimensions[i] and size > LARGEST // <size_t> dimensions[i]):
                raise ValueError(f"an array of shape {shape} is too large, or has a negative axis")
            size *= <size_t> dimensions[i]
        return self.array(len(shape), dimensions, kind, size)

    cdef cnp.ndarray array(self, int axes, cnp.npy_intp *dimensions, int kind, size_t size):
        """The same, of so many bytes."""
        cdef Piece piece
        if not self.is_open:
            raise ValueError("the run that this arena belongs to is over")
        piece = self.take((size + 63) & ~(<size_t> 63))
        array = cnp.PyArray_SimpleNewFromData(axes, dimensions, kind, piece.block.memory.data + piece.offset)
        cnp.set_array_base(array, piece)
        return array

    cdef Piece take(self, size_t size):
        """Memory for one array: a piece that was given back, or a new one, in a new block if need be."""
        cdef Piece piece = Piece.__new__(Piece)
        cdef Block block
        piece.arena, piece.size = self, size
        reusable = self.free.get(size)
        if reusable:
            piece.block, piece.offset = reusable.pop()
            return piece
        block = self.block
        if block is None or block.used + size > block.memory.size:
            block = Block(max(size, self.least))
            if self.block is None or block.memory.size - size > self.block.memory.size - self.block.used:
                self.block = block  # else there is more room left in the one before
        piece.block, piece.offset = block, block.take(size)
        return piece

    def close(self):
        """The run is over: nothing more is handed out, and what arrays no longer need is given up block by block."""
        self.is_open = False
        self.free.clear()
        self.block = None


cdef Arena small_arrays = None


cdef cnp.ndarray small_array(size_t size):
    """Memory of a vector that may live long, of less than a huge page. What one leaves goes to the next that is as large, for
    fresh pages cost more than what is written to them. A full block is left alone, and dies with the last vector in it."""
    global small_arrays
    cdef cnp.npy_intp length = <cnp.npy_intp> size
    cdef Block block = None if small_arrays is None else small_arrays.block
    if small_arrays is None or (block is not None and block.used + size > block.memory.size and not small_arrays.free.get(size)):
        small_arrays = Arena()
        small_arrays.least = SMALL_BLOCK
    return small_arrays.array(1, &length, cnp.NPY_UINT8, size)
