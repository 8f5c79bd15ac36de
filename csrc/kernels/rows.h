/* Rows side by side: a sum along a row can't be vectorised without changing its order, so several rows are summed at a time.
 *
 * `ROWS(name, …)` makes the kernel `name` of a function `name_rows(job, row, rows)` that works on `rows` rows from `row` on: of
 * ROWS_TOGETHER at a time, and at the end of single ones. */
#ifndef LLMTRACE_ROWS_H
#define LLMTRACE_ROWS_H

#include "kernel.h"

enum { ROWS_TOGETHER = 8 };

#define ROWS(name, inputs, settings, cost)                                                                             \
    static void name##_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)                                     \
    {                                                                                                                  \
        ptrdiff_t row = begin;                                                                                         \
        for (; row + ROWS_TOGETHER <= end; row += ROWS_TOGETHER)                                                       \
            name##_rows(j, row, ROWS_TOGETHER);                                                                        \
        for (; row < end; row++)                                                                                       \
            name##_rows(j, row, 1);                                                                                    \
    }

/* sum[r] = Σ of the first `count` numbers of row r. */
ALWAYS_INLINE void add_up(const real *x, ptrdiff_t width, ptrdiff_t count, real *sum, const int rows)
{
    real acc[ROWS_TOGETHER];
    for (int r = 0; r < rows; r++)
        acc[r] = 0;
    for (ptrdiff_t i = 0; i < count; i++)
        for (int r = 0; r < rows; r++)
            acc[r] += x[r * width + i];
    for (int r = 0; r < rows; r++)
        sum[r] = acc[r];
}

/* The largest of n ≥ 1 numbers, NaN if one is NaN. Which of +0 and −0 it gives makes no difference to x − m. */
static inline real largest_of(const real *restrict x, ptrdiff_t n)
{
    enum { SIDE_BY_SIDE = 32 };
    real best[SIDE_BY_SIDE], m = x[0];
    int nans[SIDE_BY_SIDE] = {0}, nan = 0;
    ptrdiff_t i = 0;
    if (n >= SIDE_BY_SIDE) {
        for (int lane = 0; lane < SIDE_BY_SIDE; lane++)
            best[lane] = x[lane];
        for (; i < n; i += SIDE_BY_SIDE) {
            const real *from = x + smaller(i, n - SIDE_BY_SIDE); /* the last ones may be looked at twice */
            for (int lane = 0; lane < SIDE_BY_SIDE; lane++) {
                nans[lane] |= from[lane] != from[lane];
                best[lane] = from[lane] > best[lane] ? from[lane] : best[lane];
            }
        }
        for (int lane = 0; lane < SIDE_BY_SIDE; lane++) {
            nan |= nans[lane];
            m = best[lane] > m ? best[lane] : m;
        }
    }
    for (; i < n; i++) {
        nan |= x[i] != x[i];
        m = x[i] > m ? x[i] : m;
    }
    return nan ? (real)NAN : m;
}

#endif
