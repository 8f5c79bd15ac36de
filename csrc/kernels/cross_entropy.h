/* Cross-entropy, the negative log-likelihood of the target: loss = (m − x[target]) + log Σ exp(x − m), m = max x;
 * and its gradient,
 *   p = exp(x − m) / Σ exp(x − m);   dx = (p − 1)·dout at the target, p·dout elsewhere.
 * An item is a row. Cython has checked the targets. */
#ifndef LLMTRACE_CROSS_ENTROPY_H
#define LLMTRACE_CROSS_ENTROPY_H

#include "rows.h"

#include <stdint.h>

/* m = max x and sum = Σ exp(x − m) of each row. */
ALWAYS_INLINE void exponentials_of(const real *x, const ptrdiff_t width, real *m, real *sum, const int rows)
{
    enum { PART = 64 };
    real e[ROWS_TOGETHER * PART];
    for (int r = 0; r < rows; r++) {
        m[r] = largest_of(x + r * width, width);
        sum[r] = 0;
    }
    for (ptrdiff_t first = 0; first < width; first += PART) {
        const ptrdiff_t count = smaller(PART, width - first);
        for (int r = 0; r < rows; r++)
            for (ptrdiff_t i = 0; i < count; i++)
                e[r * PART + i] = exp_of(x[r * width + first + i] - m[r]);
        for (ptrdiff_t i = 0; i < count; i++)
            for (int r = 0; r < rows; r++)
                sum[r] += e[r * PART + i];
    }
}

/* in: x [rows, V], target int64 [rows]; out [rows]; size: V. */
ALWAYS_INLINE void cross_entropy_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->size[0];
    const real *x = (const real *)j->in[0] + row * width;
    const int64_t *target = (const int64_t *)j->in[1] + row;
    real m[ROWS_TOGETHER], sum[ROWS_TOGETHER];
    exponentials_of(x, width, m, sum, rows);
    for (int r = 0; r < rows; r++)
        ((real *)j->out)[row + r] = (m[r] - x[r * width + target[r]]) + log_of(sum[r]);
}

/* Likewise in the order of version 1 of the trace format, (m + log Σ exp(x − m)) − x[target]: only to check such traces. */
ALWAYS_INLINE void cross_entropy_v1_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->size[0];
    const real *x = (const real *)j->in[0] + row * width;
    const int64_t *target = (const int64_t *)j->in[1] + row;
    real m[ROWS_TOGETHER], sum[ROWS_TOGETHER];
    exponentials_of(x, width, m, sum, rows);
    for (int r = 0; r < rows; r++)
        ((real *)j->out)[row + r] = (m[r] + log_of(sum[r])) - x[r * width + target[r]];
}

/* in: x [rows, V], target int64 [rows], dout [rows]; out [rows, V]; size: V. */
ALWAYS_INLINE void cross_entropy_gradient_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->size[0];
    const real *restrict x = (const real *)j->in[0] + row * width, *dout = (const real *)j->in[2] + row;
    const int64_t *target = (const int64_t *)j->in[1] + row;
    real *restrict out = (real *)j->out + row * width;
    real sum[ROWS_TOGETHER];
    for (int r = 0; r < rows; r++) {
        const real m = largest_of(x + r * width, width);
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = exp_of(x[r * width + i] - m);
    }
    add_up(out, width, width, sum, rows);
    for (int r = 0; r < rows; r++) {
        const real own = out[r * width + target[r]] / sum[r];
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = (out[r * width + i] / sum[r]) * dout[r];
        out[r * width + target[r]] = (own - 1) * dout[r];
    }
}

#endif

ROWS(cross_entropy, 2, 0, 16)
ROWS(cross_entropy_v1, 2, 0, 16)
ROWS(cross_entropy_gradient, 3, 0, 16)
