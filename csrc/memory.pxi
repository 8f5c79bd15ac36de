# Memory for what a run computes. Fresh pages of 4 KiB are slow to fill, so it comes in large blocks of huge pages, which are
# handed out piece by piece; a piece whose array nobody holds any more is handed out again within the same run.

cdef extern from *:
    """
    #include <sys/mman.h>
    #ifndef MAP_ANONYMOUS
    #define MAP_ANONYMOUS MAP_ANON
    #endif
    #define BLOCK ((size_t)1 << 25)
    #define SPARES 4
    #define LARGEST ((size_t)1 << 60)
    static void *block_map(size_t size)
    {
        void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (data == MAP_FAILED)
            return NULL;
    #ifdef MADV_HUGEPAGE
        madvise(data, size, MADV_HUGEPAGE);
    #endif
        return data;
    }
    static void block_unmap(void *data, size_t size) { munmap(data, size); }
    """
    const size_t BLOCK
    enum: SPARES
    const size_t LARGEST
    void *block_map(size_t size) nogil
    void block_unmap(void *data, size_t size) nogil

cdef void *spare_blocks[SPARES]   # a few blocks stay mapped: memory that has been written once is far faster to write again
cdef int spare_count = 0


cdef class Block:
    """One mapping, unmapped when no array lies in it any more."""
    cdef char *data
    cdef size_t size, used

    def __cinit__(self, size_t size):
        global spare_count
        self.size = size
        if size == BLOCK and spare_count:
            spare_count -= 1
            self.data = <char *> spare_blocks[spare_count]
        else:
            self.data = <char *> block_map(size)
        if self.data == NULL:
            raise MemoryError(f"no {size} bytes of memory could be had")

    def __dealloc__(self):
        global spare_count
        if self.data == NULL:
            return
        if self.size == BLOCK and spare_count < SPARES:
            spare_blocks[spare_count] = self.data
            spare_count += 1
        else:
            block_unmap(self.data, self.size)


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
    cdef dict free
    cdef bint is_open

    def __cinit__(self):
        self.free = {}
        self.is_open = True

    def empty(self, tuple shape, dtype):
        """An array of this shape, float32, float64 or int64, its contents undefined."""
        cdef cnp.npy_intp dimensions[16]
        cdef size_t size
        cdef int i, kind = np.dtype(dtype).num
        cdef Piece piece
        if kind != cnp.NPY_FLOAT32 and kind != cnp.NPY_FLOAT64 and kind != cnp.NPY_INT64:
            raise TypeError(f"an arena holds float32, float64 and int64, not {np.dtype(dtype)}")
        if len(shape) > 16:
            raise ValueError("an array can have at most 16 axes")
        if not self.is_open:
            raise ValueError("the run that this arena belongs to is over")
        size = 4 if kind == cnp.NPY_FLOAT32 else 8
        for i in range(len(shape)):
            dimensions[i] = shape[i]
            if dimensions[i] < 0 or (dimensions[i] and size > LARGEST // <size_t> dimensions[i]):
                raise ValueError(f"an array of shape {shape} is too large, or has a negative axis")
            size *= <size_t> dimensions[i]
        size = (size + 63) & ~(<size_t> 63)
        piece = self.take(size)
        array = cnp.PyArray_SimpleNewFromData(len(shape), dimensions, kind, piece.block.data + piece.offset)
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
            block = self.block = Block(max(size, BLOCK))
        piece.block, piece.offset = block, block.used
        block.used += size
        return piece

    def close(self):
        """The run is over: nothing more is handed out, and what arrays no longer need is given up block by block."""
        self.is_open = False
        self.free.clear()
        self.block = None
