# Learning merges: what `llmtrace.tokenizers.learning` defines in a few lines, without counting everything again after each merge.
#
# All different pieces lie one after another in one chain of symbols. Each place knows the pair that begins there, each pair its
# count and the chain of its places. A merge visits only the places of its pair, and changes only the pairs beside them.
#
# A pair gets places only while one of its two symbols is new, that is during one merge, which goes from left to right; after
# that its count can only fall. So one entry of the heap per pair is enough: an outdated count is corrected when it comes to
# the top. And the places of a pair are always in order, which matters where symbols of one kind stand in a row: "aaa" is "aa a".

cdef struct Pair:
    uint64_t count
    uint32_t left
    uint32_t right
    uint32_t first  # its places, in order
    uint32_t last

cdef struct Candidate:
    uint64_t count
    uint32_t pair


cdef inline void *grown(void *data, size_t size) except NULL nogil:
    cdef void *larger = realloc(data, size)
    if larger == NULL:
        with gil:
            raise MemoryError(f"no memory for {size} bytes of pairs")
    return larger


cdef class PairTable:
    """Pieces of text with how often each occurs, and the pairs of neighbouring symbols in them; `learn` merges the best.

    byte_ids: the numbers 0 to 255 in some order, one for each byte; what the merges make is numbered from 256 on.
    least: pairs with a smaller count are not merged. `operations` counts the steps of all loops that could be long.
    """
    cdef uint32_t length
    cdef void *memory
    # By place:
    cdef uint32_t *ids
    cdef uint32_t *next
    cdef uint32_t *previous
    cdef uint32_t *pair  # which begins here
    cdef uint32_t *later  # neighbours among the places of that pair
    cdef uint32_t *earlier
    cdef uint32_t *piece
    cdef uint64_t *times  # by piece
    cdef Pair *pairs
    cdef size_t pair_count, pair_room
    cdef uint32_t *slots  # the pair that a hash finds, NONE where there is none
    cdef uint64_t mask
    cdef int shift
    cdef Candidate *heap
    cdef size_t heaped, heap_room
    cdef uint64_t least
    cdef uint32_t symbols
    cdef bint busy
    cdef readonly unsigned long long operations

    def __cinit__(self, list pieces, list times, list byte_ids, unsigned long long least):
        cdef size_t total = sum(map(len, pieces)), count = len(pieces), number
        cdef uint32_t at = 0
        if count != <size_t> len(times) or sorted(byte_ids) != list(range(256)):
            raise ValueError("as many counts as pieces are needed, and the numbers 0 to 255")
        if total >= NONE:
            raise OverflowError(f"{total} bytes of different pieces are too many: the limit is 2^32 - 2")
        self.least = least if least > 0 else 1
        self.symbols = 256
        self.take_memory(total, count)
        for number in range(count):
            self.times[number] = times[number]
            at = self.put(pieces[number], <uint32_t> number, at, byte_ids)
        self.length = at
        for at in range(self.length):
            listen(at + 1)
            if self.next[at] != NONE:
                self.enter(at)
        self.offer(0)

    cdef int take_memory(self, size_t total, size_t pieces) except -1:
        self.memory = malloc(pieces * sizeof(uint64_t) + 7 * total * sizeof(uint32_t) + 1)
        self.pairs = <Pair *> malloc(256 * sizeof(Pair))
        self.heap = <Candidate *> malloc(256 * sizeof(Candidate))
        if self.memory == NULL or self.pairs == NULL or self.heap == NULL:
            raise MemoryError(f"no memory for the pairs of {total} bytes")
        self.pair_room = self.heap_room = 256
        self.times = <uint64_t *> self.memory
        self.ids = <uint32_t *> (self.times + pieces)
        self.next = self.ids + total
        self.previous = self.next + total
        self.pair = self.previous + total
        self.later = self.pair + total
        self.earlier = self.later + total
        self.piece = self.earlier + total
        self.spread(10)
        return 0

    def __dealloc__(self):
        free(self.memory)
        free(self.pairs)
        free(self.slots)
        free(self.heap)

    cdef uint32_t put(self, bytes data, uint32_t number, uint32_t at, list byte_ids) except? 0xFFFFFFFF:
        cdef const unsigned char *text = <const unsigned char *> PyBytes_AS_STRING(data)
        cdef size_t size = len(data), index
        for index in range(size):
            listen(at + 1)
            self.ids[at] = byte_ids[text[index]]
            self.previous[at] = at - 1 if index > 0 else NONE
            self.next[at] = at + 1 if index + 1 < size else NONE
            self.piece[at] = number
            at += 1
        return at

    cdef int spread(self, int bits) except -1 nogil:
        # The hash table gets 2^bits slots.
        cdef uint32_t number
        self.slots = <uint32_t *> grown(self.slots, (<size_t> 1 << bits) * sizeof(uint32_t))
        memset(self.slots, 0xFF, (<size_t> 1 << bits) * sizeof(uint32_t))
        self.mask = (<uint64_t> 1 << bits) - 1
        self.shift = 64 - bits
        for number in range(self.pair_count):
            self.slot(self.pairs[number].left, self.pairs[number].right)[0] = number
        return 0

    cdef inline uint32_t *slot(self, uint32_t left, uint32_t right) noexcept nogil:
        cdef uint64_t place = ((<uint64_t> left << 32 | right) * <uint64_t> 0x9E3779B97F4A7C15) >> self.shift
        cdef Pair *pair
        while self.slots[place] != NONE:
            pair = &self.pairs[self.slots[place]]
            if pair.left == left and pair.right == right:
                break
            place = (place + 1) & self.mask
        return &self.slots[place]

    cdef uint32_t known(self, uint32_t left, uint32_t right) except? 0xFFFFFFFF nogil:
        # The number of a pair, a new one if it was never seen.
        cdef uint32_t *slot = self.slot(left, right)
        cdef Pair *pair
        if slot[0] != NONE:
            return slot[0]
        if self.pair_count + 1 >= NONE:
            with gil:
                raise OverflowError("there are more than 2^32 - 2 different pairs")
        if self.pair_count == self.pair_room:
            self.pairs = <Pair *> grown(self.pairs, 2 * self.pair_room * sizeof(Pair))
            self.pair_room *= 2
        if 2 * self.pair_count > self.mask:
            self.spread(65 - self.shift)
            slot = self.slot(left, right)
        pair = &self.pairs[self.pair_count]
        pair.count = 0
        pair.left = left
        pair.right = right
        pair.first = pair.last = NONE
        slot[0] = <uint32_t> self.pair_count
        self.pair_count += 1
        return slot[0]

    cdef inline int enter(self, uint32_t at) except -1 nogil:
        # The pair that begins at `at` is counted.
        cdef uint32_t number = self.known(self.ids[at], self.ids[self.next[at]])
        cdef Pair *pair = &self.pairs[number]
        self.pair[at] = number
        self.later[at] = NONE
        self.earlier[at] = pair.last
        if pair.last == NONE:
            pair.first = at
        else:
            self.later[pair.last] = at
        pair.last = at
        pair.count += self.times[self.piece[at]]
        return 0

    cdef inline void leave(self, uint32_t at) noexcept nogil:
        # The pair that begins at `at` is there no longer.
        cdef Pair *pair = &self.pairs[self.pair[at]]
        if self.earlier[at] == NONE:
            pair.first = self.later[at]
        else:
            self.later[self.earlier[at]] = self.later[at]
        if self.later[at] == NONE:
            pair.last = self.earlier[at]
        else:
            self.earlier[self.later[at]] = self.earlier[at]
        pair.count -= self.times[self.piece[at]]

    cdef int merge(self, uint32_t number) except -1 nogil:
        # Everywhere, from left to right, the pair becomes one symbol.
        cdef uint32_t at, right, after, before
        while self.pairs[number].first != NONE:
            self.operations += 1
            listen(self.operations)
            at = self.pairs[number].first
            right = self.next[at]
            after = self.next[right]
            before = self.previous[at]
            self.leave(at)
            if before != NONE:
                self.leave(before)
            if after != NONE:
                self.leave(right)
                self.previous[after] = at
            self.ids[at] = self.symbols
            self.next[at] = after
            if before != NONE:
                self.enter(before)
            if after != NONE:
                self.enter(at)
        self.symbols += 1
        return 0

    cdef inline bint goes_before(self, Candidate *one, Candidate *other) noexcept nogil:
        cdef Pair *a = &self.pairs[one.pair]
        cdef Pair *b = &self.pairs[other.pair]
        if one.count != other.count:
            return one.count > other.count
        return a.left < b.left or (a.left == b.left and a.right < b.right)

    cdef int offer(self, size_t number) except -1 nogil:
        # The pairs from `number` on are new; those with too small a count can never be merged.
        cdef Candidate candidate
        cdef size_t hole
        while number < self.pair_count:
            self.operations += 1
            listen(self.operations)
            candidate.count = self.pairs[number].count
            candidate.pair = <uint32_t> number
            number += 1
            if candidate.count < self.least:
                continue
            if self.heaped == self.heap_room:
                self.heap = <Candidate *> grown(self.heap, 2 * self.heap_room * sizeof(Candidate))
                self.heap_room *= 2
            hole = self.heaped
            self.heaped += 1
            while hole > 0 and self.goes_before(&candidate, &self.heap[(hole - 1) // 2]):
                self.heap[hole] = self.heap[(hole - 1) // 2]
                hole = (hole - 1) // 2
            self.heap[hole] = candidate
        return 0

    cdef void sink(self, Candidate candidate) noexcept nogil:
        # The candidate, in place of the one at the top.
        cdef size_t hole = 0, child = 1
        while child < self.heaped:
            if child + 1 < self.heaped and self.goes_before(&self.heap[child + 1], &self.heap[child]):
                child += 1
            if self.goes_before(&candidate, &self.heap[child]):
                break
            self.heap[hole] = self.heap[child]
            hole = child
            child = 2 * hole + 1
        self.heap[hole] = candidate

    cdef int best(self, Candidate *found) except -1 nogil:
        # Takes the best candidate out of the heap; 0 where none is left.
        cdef Candidate top
        while self.heaped > 0:
            self.operations += 1
            listen(self.operations)
            top = self.heap[0]
            found[0] = top
            top.count = self.pairs[top.pair].count
            if found.count != top.count and top.count >= self.least:
                self.sink(top)
                continue
            self.heaped -= 1
            if self.heaped > 0:
                self.sink(self.heap[self.heaped])
            if found.count == top.count:
                return 1
        return 0

    def learn(self, size_t most):
        """Up to so many further merges: (left symbol, right symbol, count). Fewer only if no pair is left."""
        cdef Candidate found
        cdef size_t known, number
        cdef int there
        if self.busy:
            raise RuntimeError("learning was interrupted in the middle of a merge")
        self.busy = True
        merges = []
        for number in range(most):
            with nogil:
                there = self.best(&found)
            if not there:
                break
            merges.append((self.pairs[found.pair].left, self.pairs[found.pair].right, found.count))
            with nogil:
                known = self.pair_count
                self.merge(found.pair)
                self.offer(known)
        self.busy = False
        return merges
