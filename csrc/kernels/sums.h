/* Sums over all positions: one per column, whose columns go side by side, or one of everything. They begin at +0, or at an
 * `initial` value where there is one. */
#ifndef LLMTRACE_SUMS_H
#define LLMTRACE_SUMS_H

#include "kernel.h"

#include <string.h>

/* out[c] = initial[c] + Σ_r a[r, c], or Σ_r a[r, c]·b[r, c] where there is a b. An item is a column.
 * in: a [rows, width], b [rows, width] or NULL, initial [width] or NULL; size: rows, width. */
static void column_sum_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    enum { WIDE = 256 };
    const ptrdiff_t rows = j->size[0], width = j->size[1];
    const real *initial = j->in[2];
    real sum[WIDE];
    for (ptrdiff_t column = begin; column < end; column += WIDE) {
        const ptrdiff_t count = smaller(WIDE, end - column);
        const real *a = (const real *)j->in[0] + column, *b = j->in[1] ? (const real *)j->in[1] + column : NULL;
        for (ptrdiff_t i = 0; i < count; i++)
            sum[i] = initial ? initial[column + i] : 0;
        for (ptrdiff_t r = 0; r < rows; r++, a += width) {
            if (b) {
                for (ptrdiff_t i = 0; i < count; i++)
                    sum[i] += a[i] * b[i];
                b += width;
            } else {
                for (ptrdiff_t i = 0; i < count; i++)
                    sum[i] += a[i];
            }
        }
        memcpy((real *)j->out + column, sum, (size_t)count * sizeof(real));
    }
}

/* out[0] = initial + Σ x: one sum, so one item. in: x [count], initial [1] or NULL; size: count. */
static void sum_all_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const real *x = j->in[0], *initial = j->in[1];
    real sum = initial ? *initial : 0;
    for (ptrdiff_t i = 0; i < j->size[0]; i++)
        sum += x[i];
    if (begin < end)
        *(real *)j->out = sum;
}

#endif

KERNEL(column_sum)
KERNEL(sum_all)
