/* Between heads [N, H, T, D] and heads side by side [N, T, H·D]; nothing is computed. An item is a position of one n.
 * size: H, T, D. */
#ifndef LLMTRACE_HEADS_H
#define LLMTRACE_HEADS_H

#include "kernel.h"

#include <string.h>

ALWAYS_INLINE void move_heads(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end, const int merge)
{
    const real *x = j->in[0];
    real *out = j->out;
    const ptrdiff_t heads = j->size[0], positions = j->size[1], width = j->size[2];
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / positions, t = item % positions;
        for (ptrdiff_t head = 0; head < heads; head++) {
            const ptrdiff_t split = ((n * heads + head) * positions + t) * width, merged = (item * heads + head) * width;
            memcpy(out + (merge ? merged : split), x + (merge ? split : merged), (size_t)width * sizeof(real));
        }
    }
}

static void split_heads_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end) { move_heads(j, begin, end, 0); }
static void merge_heads_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end) { move_heads(j, begin, end, 1); }

#endif

KERNEL(split_heads)
KERNEL(merge_heads)
