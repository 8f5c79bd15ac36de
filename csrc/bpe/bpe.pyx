# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The merges of byte-pair encoding, by rank: what `llmtrace.tokenizers.merging` defines in a dozen lines, for long texts too.

The symbols of a piece of text form a chain: each is known by the byte where it begins, and knows the bytes where its neighbours
begin. The pair that is merged next is the one of lowest rank, and among equals the leftmost. In a short piece it is searched for;
in a long one a queue knows it (merge_queue.pxi).
"""
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort, realloc
from libc.string cimport memset

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1

cdef enum:
    SEARCHED = 32  # up to so many bytes, searching the chain is faster than buckets
    PATIENCE = 1 << 16  # steps of a loop between two looks for Ctrl-C: a few milliseconds

cdef uint32_t NONE = 0xFFFFFFFF
cdef uint64_t EMPTY = 0xFFFFFFFFFFFFFFFF

cdef struct Slot:
    uint64_t pair
    uint32_t rank
    uint32_t merged

include "merge_queue.pxi"


cdef class MergeTable:
    """Which pairs of tokens merge into which, and in what order.

    byte_ids: the token of each of the 256 bytes, −1 where there is none. merges: (left, right, merged) ids, first rank 0;
    where a pair is listed twice, its last rank counts. `operations` counts what went through heaps and batches, ever.
    """
    cdef Slot *slots
    cdef uint64_t mask
    cdef int shift
    cdef long long byte_ids[256]
    cdef size_t ranks
    cdef uint32_t *spare  # one set of empty buckets, kept for the next long piece
    cdef readonly unsigned long long operations

    def __cinit__(self, list byte_ids, list merges):
        cdef int bits = 4
        cdef size_t rank
        cdef long long left, right, merged
        cdef Slot *slot
        if len(byte_ids) != 256:
            raise ValueError(f"{len(byte_ids)} ids for 256 bytes")
        for rank in range(256):
            self.byte_ids[rank] = byte_ids[rank]
        self.ranks = len(merges)
        while (<size_t> 1 << bits) < 2 * self.ranks:
            bits += 1
        self.mask = (<uint64_t> 1 << bits) - 1
        self.shift = 64 - bits
        self.slots = <Slot *> malloc((self.mask + 1) * sizeof(Slot))
        if self.slots == NULL:
            raise MemoryError(f"no memory for {self.ranks} merges")
        memset(self.slots, 0xFF, (self.mask + 1) * sizeof(Slot))
        for rank in range(self.ranks):
            left, right, merged = merges[rank]
            if min(left, right, merged) < 0 or max(left, right, merged) >= 0x7FFFFFFF:
                raise OverflowError(f"merge {rank} has an id outside 0 to 2^31 - 2")
            slot = self.find((<uint64_t> left << 32) | <uint64_t> right)
            slot.pair = (<uint64_t> left << 32) | <uint64_t> right
            slot.rank = <uint32_t> rank
            slot.merged = <uint32_t> merged

    def __dealloc__(self):
        free(self.slots)
        free(self.spare)

    cdef inline Slot *find(self, uint64_t pair) noexcept nogil:
        cdef uint64_t place = (pair * <uint64_t> 0x9E3779B97F4A7C15) >> self.shift
        while self.slots[place].pair != pair and self.slots[place].pair != EMPTY:
            place = (place + 1) & self.mask
        return &self.slots[place]

    def encode(self, bytes data):
        """The tokens of one piece of text, given as bytes that all have a token."""
        return self.run(data, False)

    def record(self, bytes data):
        """The same tokens, and the merges that led to them in their order: (rank, byte where the left symbol begins)."""
        return self.run(data, True)

    cdef run(self, bytes data, bint recorded):
        cdef size_t length = len(data), index
        cdef uint32_t at = 0
        cdef Chain chain
        if length >= 0x7FFFFFFF:
            raise OverflowError(f"a piece of {length} bytes is too long: the limit is 2^31 - 2")
        ids = []
        merges = []
        if length == 0:
            return (ids, merges) if recorded else ids
        chain_open(&chain, length, recorded)
        try:
            self.begin(&chain, <const unsigned char *> PyBytes_AS_STRING(data))
            if length <= SEARCHED:
                self.merge_short(&chain)
            else:
                self.take_buckets(&chain)
                with nogil:
                    self.merge_long(&chain)
            while at < length:
                ids.append(chain.ids[at])
                listen(len(ids))
                at = chain.next[at]
            if recorded:
                for index in range(chain.merged_pairs):
                    listen(index + 1)
                    merges.append((chain.merges[index] >> 32, chain.merges[index] & NONE))
        finally:
            self.operations += chain.operations
            chain_close(&chain)
        return (ids, merges) if recorded else ids

    cdef int take_buckets(self, Chain *chain) except -1:
        chain.buckets, self.spare = self.spare, NULL
        if chain.buckets == NULL:
            chain.buckets = <uint32_t *> malloc((self.ranks + 1) * sizeof(uint32_t))
            if chain.buckets == NULL:
                raise MemoryError(f"no memory for {self.ranks} merges")
            memset(chain.buckets, 0xFF, self.ranks * sizeof(uint32_t))
        return 0

    cdef void give_buckets_back(self, Chain *chain) noexcept:
        if self.spare == NULL:
            self.spare, chain.buckets = chain.buckets, NULL

    cdef int begin(self, Chain *chain, const unsigned char *data) except -1:
        cdef uint32_t at
        for at in range(chain.length):
            if self.byte_ids[data[at]] < 0:
                raise KeyError(data[at])
            chain.ids[at] = <uint32_t> self.byte_ids[data[at]]
            chain.next[at] = at + 1
            chain.previous[at] = at - 1  # NONE for the first
            listen(at + 1)
        for at in range(chain.length):
            self.look(chain, at)
            listen(at + 1)
        return 0

    cdef inline void look(self, Chain *chain, uint32_t at) noexcept nogil:
        # Finds the rank of the pair at `at`.
        cdef uint32_t right = chain.next[at]
        cdef Slot *slot
        chain.rank[at] = NONE
        if right < chain.length:
            slot = self.find((<uint64_t> chain.ids[at] << 32) | chain.ids[right])
            if slot.pair != EMPTY:
                chain.rank[at] = slot.rank
                chain.merged[at] = slot.merged

    cdef inline void merge(self, Chain *chain, uint32_t at) noexcept nogil:
        # The symbol at `at` swallows the next one; the pairs on both sides of it are new.
        cdef uint32_t right = chain.next[at], after = chain.next[chain.next[at]], before = chain.previous[at]
        if chain.merges != NULL:
            chain.merges[chain.merged_pairs] = (<uint64_t> chain.rank[at] << 32) | at
            chain.merged_pairs += 1
        chain.ids[at] = chain.merged[at]
        chain.next[at] = after
        chain.rank[right] = NONE
        if after < chain.length:
            chain.previous[after] = at
        if before != NONE:
            self.look(chain, before)
        self.look(chain, at)

    cdef void merge_short(self, Chain *chain) noexcept nogil:
        cdef uint32_t at, best
        while True:
            best = at = 0
            while at < chain.length:
                if chain.rank[at] < chain.rank[best]:
                    best = at
                at = chain.next[at]
            if chain.rank[best] == NONE:
                return
            self.merge(chain, best)

    cdef int merge_long(self, Chain *chain) except -1 nogil:
        cdef uint32_t at, before
        cdef uint64_t entry, steps = 0
        for at in range(chain.length):
            listen(at + 1)
            if chain.rank[at] != NONE:
                schedule(chain, at)
        while chain.heaped or chain.batch_done < chain.batch_length:
            steps += 1
            listen(steps)
            entry = EMPTY
            if chain.batch_done < chain.batch_length:
                entry = (<uint64_t> chain.current << 32) | chain.batch[chain.batch_done]
            if chain.heaped and chain.heap[0] < entry:
                entry = pop(chain)
                if <uint32_t> entry == NONE:
                    empty_bucket(chain, <uint32_t> (entry >> 32))
                    continue
            else:
                chain.batch_done += 1
            at = <uint32_t> entry
            if chain.rank[at] != entry >> 32:
                continue  # one of the two symbols has been merged with another since
            before = chain.previous[at]
            if before != NONE:
                unschedule(chain, before)
            unschedule(chain, chain.next[at])
            self.merge(chain, at)
            if before != NONE and chain.rank[before] != NONE:
                schedule(chain, before)
            if chain.rank[at] != NONE:
                schedule(chain, at)
        with gil:
            self.give_buckets_back(chain)
        return 0


include "bpe_training.pxi"
