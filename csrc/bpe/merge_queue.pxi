# The chain of symbols of a piece, and the queue that knows which pair is next.
#
# The pairs lie in buckets, one per rank. A heap says which rank is next; its bucket, sorted, becomes the batch that is worked off
# from left to right. A pair that appears late, with a rank that has had its turn, goes into the heap by itself.
# So n bytes never take more than about n·log n steps, and usual texts go through memory in order.

cdef extern from *:
    """
    #include <stdlib.h>
    #include <sys/mman.h>
    #ifndef MAP_ANONYMOUS
    #define MAP_ANONYMOUS MAP_ANON
    #endif
    /* Much memory comes in huge pages where there are any: fresh pages of 4 KiB take longer to fill than the merges take. */
    #define MUCH ((size_t)1 << 20)
    static void *memory_take(size_t size)
    {
        if (size < MUCH)
            return malloc(size);
        void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (data == MAP_FAILED)
            return NULL;
    #ifdef MADV_HUGEPAGE
        madvise(data, size, MADV_HUGEPAGE);
    #endif
        return data;
    }
    static void memory_return(void *data, size_t size)
    {
        if (size < MUCH)
            free(data);
        else
            munmap(data, size);
    }
    """
    void *memory_take(size_t size)
    void memory_return(void *data, size_t size)


cdef inline int listen(uint64_t count) except -1 nogil:
    # Raises what Ctrl-C asks for, once in a few milliseconds.
    if count % PATIENCE == 0:
        with gil:
            PyErr_CheckSignals()
    return 0


cdef struct Chain:
    size_t size  # of its memory in bytes; it begins with the heap
    # By the byte where a symbol begins:
    uint32_t length
    uint32_t *ids
    uint32_t *next
    uint32_t *previous
    uint32_t *rank  # of the pair of this symbol and the next, NONE where no merge joins them
    uint32_t *merged  # what the pair becomes
    uint32_t *bucket_next  # neighbours in the bucket of `rank`, if that rank is still to come
    uint32_t *bucket_previous
    # What is to be done next:
    long long current  # the rank whose turn it is, -1 before the first; all pairs of higher rank are in buckets
    uint32_t *buckets  # by rank: the pair put in last, NONE when empty
    uint32_t *batch
    uint32_t batch_length, batch_done
    uint64_t *heap  # rank << 32 | byte; with the byte NONE: the whole bucket
    size_t heaped
    # What was done:
    uint64_t operations
    uint64_t *merges  # rank << 32 | byte, in order; NULL if not wanted
    size_t merged_pairs


cdef int chain_open(Chain *chain, size_t length, bint recorded) except -1:
    # Every entry of the heap comes from a pair: one for each neighbour at first, two more for each merge, so at most 3n.
    # Most of that is never touched, and then costs nothing.
    cdef size_t heap = 3 * length if length > SEARCHED else 0
    cdef size_t arrays = 8 if length > SEARCHED else 5
    memset(chain, 0, sizeof(Chain))
    chain.size = (heap + (length if recorded else 0)) * sizeof(uint64_t) + arrays * length * sizeof(uint32_t)
    chain.heap = <uint64_t *> memory_take(chain.size)
    if chain.heap == NULL:
        raise MemoryError(f"no memory to merge {length} bytes")
    if recorded:
        chain.merges = chain.heap + heap
    chain.length = <uint32_t> length
    chain.ids = <uint32_t *> (chain.heap + heap + (length if recorded else 0))
    chain.next = chain.ids + length
    chain.previous = chain.next + length
    chain.rank = chain.previous + length
    chain.merged = chain.rank + length
    if length > SEARCHED:
        chain.bucket_next = chain.merged + length
        chain.bucket_previous = chain.bucket_next + length
        chain.batch = chain.bucket_previous + length
    chain.current = -1
    return 0


cdef void chain_close(Chain *chain) noexcept:
    free(chain.buckets)
    memory_return(chain.heap, chain.size)


cdef void push(Chain *chain, uint64_t entry) noexcept nogil:
    cdef size_t hole = chain.heaped
    chain.heaped += 1
    chain.operations += 1
    while hole > 0 and entry < chain.heap[(hole - 1) // 2]:
        chain.heap[hole] = chain.heap[(hole - 1) // 2]
        hole = (hole - 1) // 2
    chain.heap[hole] = entry


cdef uint64_t pop(Chain *chain) noexcept nogil:
    cdef uint64_t first = chain.heap[0], last
    cdef size_t hole = 0, child = 1
    chain.operations += 1
    chain.heaped -= 1
    last = chain.heap[chain.heaped]
    while child < chain.heaped:
        if child + 1 < chain.heaped and chain.heap[child + 1] < chain.heap[child]:
            child += 1
        if last <= chain.heap[child]:
            break
        chain.heap[hole] = chain.heap[child]
        hole = child
        child = 2 * hole + 1
    chain.heap[hole] = last
    return first


cdef inline void schedule(Chain *chain, uint32_t at) noexcept nogil:
    # The pair at `at` has a rank: into its bucket, or, if that rank has had its turn, into the heap.
    cdef uint32_t rank = chain.rank[at], first
    if rank <= chain.current:
        push(chain, (<uint64_t> rank << 32) | at)
        return
    first = chain.buckets[rank]
    if first == NONE:
        push(chain, (<uint64_t> rank << 32) | NONE)
    else:
        chain.bucket_previous[first] = at
    chain.bucket_next[at] = first
    chain.bucket_previous[at] = NONE
    chain.buckets[rank] = at


cdef inline void unschedule(Chain *chain, uint32_t at) noexcept nogil:
    # The pair at `at` is about to change. In the batch and in the heap it stays, and is recognised as out of date.
    cdef uint32_t before, after
    if chain.rank[at] == NONE or chain.rank[at] <= chain.current:
        return
    before = chain.bucket_previous[at]
    after = chain.bucket_next[at]
    if before == NONE:
        chain.buckets[chain.rank[at]] = after
    else:
        chain.bucket_next[before] = after
    if after != NONE:
        chain.bucket_previous[after] = before


cdef int compare(const void *a, const void *b) noexcept nogil:
    cdef uint32_t x = (<const uint32_t *> a)[0], y = (<const uint32_t *> b)[0]
    return (x > y) - (x < y)


cdef int empty_bucket(Chain *chain, uint32_t rank) except -1 nogil:
    # The bucket becomes the batch, from left to right; usually it was filled in that order.
    cdef uint32_t at = chain.buckets[rank], count = 0, low, high
    cdef bint sorted = True
    while at != NONE:
        if count and at > chain.batch[count - 1]:
            sorted = False
        chain.batch[count] = at
        count += 1
        listen(count)
        at = chain.bucket_next[at]
    if sorted:
        low, high = 0, count
        while low + 1 < high:
            high -= 1
            chain.batch[low], chain.batch[high] = chain.batch[high], chain.batch[low]
            low += 1
    else:
        qsort(chain.batch, count, sizeof(uint32_t), compare)
    chain.buckets[rank] = NONE
    chain.current = rank
    chain.batch_length = count
    chain.batch_done = 0
    chain.operations += count
    return 0
