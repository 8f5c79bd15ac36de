/* Every row divided by its spread: y = (x / √(Σ(x·x) / C + ε)) · gain.
 * in: x [rows, C], gain [C]; size: C; setting: ε. */
#ifndef LLMTRACE_SPREAD_NORM_H
#define LLMTRACE_SPREAD_NORM_H

#include "rows.h"

ALWAYS_INLINE void spread_norm_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->size[0];
    const real *x = (const real *)j->in[0] + row * width, *gain = j->in[1];
    real *restrict out = (real *)j->out + row * width;
    real sum[ROWS_TOGETHER];
    for (int r = 0; r < rows; r++)
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = x[r * width + i] * x[r * width + i];
    add_up(out, width, width, sum, rows);
    for (int r = 0; r < rows; r++) {
        const real root = root_of(sum[r] / (real)width + (real)j->setting[0]);
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = (x[r * width + i] / root) * gain[i];
    }
}

#endif

ROWS(spread_norm, 2, 1, 2)
