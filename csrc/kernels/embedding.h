/* Embedding: row ids[i] of a table, copied; and its gradient, the sum over the positions of a row. Cython has checked the ids. */
#ifndef LLMTRACE_EMBEDDING_H
#define LLMTRACE_EMBEDDING_H

#include "kernel.h"

#include <stdint.h>
#include <string.h>

/* in: ids int64 [positions], table [V, width]; out [positions, width]; size: V, width. */
static void embedding_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const int64_t *ids = j->in[0];
    const real *table = j->in[1];
    const ptrdiff_t width = j->size[1];
    for (ptrdiff_t i = begin; i < end; i++)
        memcpy((real *)j->out + i * width, table + ids[i] * width, (size_t)width * sizeof(real));
}

/* out[v, c] = initial[v, c] + Σ dout[r, c] over the positions r with ids[r] = v, ascending. An item is a column.
 * in: ids int64 [positions], dout [positions, width], initial [rows, width] or NULL; size: positions, rows, width. */
static void embedding_gradient_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const int64_t *ids = j->in[0];
    const real *dout = j->in[1], *initial = j->in[2];
    const ptrdiff_t positions = j->size[0], rows = j->size[1], width = j->size[2];
    for (ptrdiff_t v = 0; v < rows; v++)
        for (ptrdiff_t i = v * width + begin; i < v * width + end; i++)
            ((real *)j->out)[i] = initial ? initial[i] : 0;
    for (ptrdiff_t r = 0; r < positions; r++) {
        const real *d = dout + r * width;
        real *restrict out = (real *)j->out + ids[r] * width;
        for (ptrdiff_t i = begin; i < end; i++)
            out[i] += d[i];
    }
}

#endif

ITEMS(embedding, 2, 0, 1)
KERNEL(embedding_gradient)
