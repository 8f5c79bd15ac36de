/* New positions behind those that a cache holds; nothing is computed. An item is a block [T, D], of which each has room in the cache.
 * in: the new ones [N, T, D]; out: where the first of them goes; size: T·D, and how many numbers a block of the cache has room for. */
#ifndef LLMTRACE_APPEND_H
#define LLMTRACE_APPEND_H

#include "kernel.h"

#include <string.h>

static void append_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t size = j->size[0], room = j->size[1];
    for (ptrdiff_t block = begin; block < end; block++)
        memcpy((real *)j->out + block * room, (const real *)j->in[0] + block * size, (size_t)size * sizeof(real));
}

#endif

KERNEL(append)
