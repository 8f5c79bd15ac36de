/* out[r] = Σ x[r, :]·x[r, :]. in: x [rows, width]; out [rows]; size: width. */
#ifndef LLMTRACE_SQUARED_NORM_H
#define LLMTRACE_SQUARED_NORM_H

#include "rows.h"

ALWAYS_INLINE void squared_norm_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->size[0];
    const real *x = (const real *)j->in[0] + row * width;
    real sum[ROWS_TOGETHER];
    for (int r = 0; r < rows; r++)
        sum[r] = 0;
    for (ptrdiff_t i = 0; i < width; i++)
        for (int r = 0; r < rows; r++)
            sum[r] += x[r * width + i] * x[r * width + i];
    for (int r = 0; r < rows; r++)
        ((real *)j->out)[row + r] = sum[r];
}

#endif

ROWS(squared_norm, 1, 0, 1)
