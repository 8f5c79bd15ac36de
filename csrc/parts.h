/* The chunks of a job, in as many parts side by side as there are threads. A thread draws the chunks of its own part from the front: it
 * finds in its caches what it has worked on in the job before, and what it needs next is known. Then it helps others, from the back. */
#ifndef LLMTRACE_PARTS_H
#define LLMTRACE_PARTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MOST_PARTS = 64, /* more threads share them */
    MOST_CHUNKS = INT32_MAX
};

typedef struct {
    _Alignas(64) atomic_uint_fast64_t left; /* the first chunk that nobody has drawn, and from bit 32 on the one behind the last */
} job_part;

/* Divides `chunks` ≤ MOST_CHUNKS into parts of about as many; returns how many parts. */
static inline int divide_chunks(job_part *part, ptrdiff_t chunks, int parts)
{
    parts = parts < MOST_PARTS ? parts : MOST_PARTS;
    for (int64_t i = 0; i < parts; i++)
        atomic_init(&part[i].left, (uint64_t)(chunks * i / parts) | (uint64_t)(chunks * (i + 1) / parts) << 32);
    return parts;
}

/* A chunk of a part, the first or the last of those that are left; -1 where none is. */
static inline ptrdiff_t draw_from(job_part *part, int last)
{
    uint_fast64_t left = atomic_load_explicit(&part->left, memory_order_relaxed);
    for (;;) {
        const uint32_t begin = (uint32_t)left, end = (uint32_t)(left >> 32);
        if (begin >= end)
            return -1;
        const uint64_t less = last ? left - ((uint64_t)1 << 32) : left + 1;
        if (atomic_compare_exchange_weak_explicit(&part->left, &left, less, memory_order_relaxed, memory_order_relaxed))
            return last ? end - 1 : begin;
    }
}

/* The next chunk for the thread of this number; -1 where none is left. */
static inline ptrdiff_t draw_chunk(job_part *part, int parts, int thread)
{
    ptrdiff_t chunk = draw_from(&part[thread % parts], 0);
    for (int i = 1; chunk < 0 && i < parts; i++)
        chunk = draw_from(&part[(thread + i) % parts], 1);
    return chunk;
}

#endif
