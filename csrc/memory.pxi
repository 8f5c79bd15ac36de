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
    #define LARGEST ((size_t)1 << 60)

    /* Blocks that no array lies in, the oldest first. They stay mapped, because memory that has been written once is far faster
     * to write again; of more than KEPT bytes, the system may take the pages whenever it needs them (MADV_FREE). Callers hold
     * the GIL. */
    #define SPARES 128
    #define KEPT (2 * BLOCK)
    static struct {
        char *data;
        size_t size;
    } spares[SPARES];
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
    /* A block of at least *size bytes, a fresh one unless an idle one fits to within a quarter, of those the youngest; *size
     * becomes what it has. */
    static char *block_take(size_t *size)
    {
        int best = -1;
        for (int i = 0; i < spare_count; i++)
            if (spares[i].size >= *size && spares[i].size - spares[i].size / 4 <= *size
                && (best < 0 || spares[i].size <= spares[best].size))
                best = i;
        if (best >= 0) {
            char *data = spares[best].data;
            *size = spares[best].size;
            spare_remove(best);
            return data;
        }
        char *data = block_map(*size);
        if (!data && spare_count) { /* what lies idle is not in the way of what is needed */
            spares_unmap();
            data = block_map(*size);
        }
        if (!data)
            return NULL;
    #ifdef MADV_HUGEPAGE
        madvise(data, *size, MADV_HUGEPAGE);
    #endif
        return data;
    }
    static void block_give(char *data, size_t size)
    {
        if (size > spare_limit()) {
            munmap(data, size);
            return;
        }
        while (spare_count == SPARES || spare_bytes + size > spare_limit()) {
            munmap(spares[0].data, spares[0].size);
            spare_remove(0);
        }
    #ifdef MADV_FREE
        if (spare_bytes + size > KEPT)
            madvise(data, size, MADV_FREE);
    #endif
        spares[spare_count].data = data;
        spares[spare_count].size = size;
        spare_count++;
        spare_bytes += size;
    }
    """
    const size_t BLOCK, SMALL_BLOCK
    const size_t HUGE_PAGE
    const size_t LARGEST
    char *block_take(size_t *size)
    void block_give(char *data, size_t size)


cdef class Block:
    """One mapping, idle when no array lies in it any more."""
    cdef char *data
    cdef size_t size, used

    def __cinit__(self, size_t size):
        self.size = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1)
        self.data = block_take(&self.size)
        if self.data == NULL:
            raise MemoryError(f"no {size} bytes of memory could be had")

    def __dealloc__(self):
        if self.data != NULL:
            block_give(self.data, self.size)


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
        array = cnp.PyArray_SimpleNewFromData(axes, dimensions, kind, piece.block.data + piece.offset)
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
        if block is None or block.used + size > block.size:
            block = Block(max(size, self.least))
            if self.block is None or block.size - size > self.block.size - self.block.used:
                self.block = block  # else there is more room left in the one before
        piece.block, piece.offset = block, block.used
        block.used += size
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
    if small_arrays is None or (block is not None and block.used + size > block.size and not small_arrays.free.get(size)):
        small_arrays = Arena()
        small_arrays.least = SMALL_BLOCK
    return small_arrays.array(1, &length, cnp.NPY_UINT8, size)
