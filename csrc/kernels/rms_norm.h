/* RMS norm (Zhang & Sennrich 2019, arXiv:1910.07467). An item is a row of C = width numbers:
 *   y = (x / √(Σ(x·x) / C + ε)) · gain
 * and, where there is no gain, y = x / √(Σ(x·x) / C + ε). What is summed is made before, in the memory of the result.
 * in: x [rows, C], gain [C] or NULL; size: C; setting: ε. */
#ifndef LLMTRACE_RMS_NORM_H
#define LLMTRACE_RMS_NORM_H

#include "rows.h"

/* root[r] = √(Σ(x·x) / C + ε); `scratch` is as large as the rows. */
ALWAYS_INLINE void roots_of(const real *x, ptrdiff_t width, real epsilon, real *restrict scratch, real *root, const int rows)
{
    real sum[ROWS_TOGETHER];
    for (int r = 0; r < rows; r++) {
        expect(x + (rows + r) * width, width, 0);
        expect(scratch + (rows + r) * width, width, 1);
        for (ptrdiff_t i = 0; i < width; i++)
            scratch[r * width + i] = x[r * width + i] * x[r * width + i];
    }
    add_up(scratch, width, width, sum, rows);
    for (int r = 0; r < rows; r++)
        root[r] = root_of(sum[r] / (real)width + epsilon);
}

ALWAYS_INLINE void rms_norm_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->size[0];
    const real *x = (const real *)j->in[0] + row * width, *gain = j->in[1];
    real *restrict out = (real *)j->out + row * width;
    real root[ROWS_TOGETHER];
    roots_of(x, width, (real)j->setting[0], out, root, rows);
    for (int r = 0; r < rows; r++)
        if (gain)
            for (ptrdiff_t i = 0; i < width; i++)
                out[r * width + i] = (x[r * width + i] / root[r]) * gain[i];
        else
            for (ptrdiff_t i = 0; i < width; i++)
                out[r * width + i] = x[r * width + i] / root[r];
}

#define rms_scaled_kernel rms_norm_kernel /* whose gain is absent */

/* The gradient of y with n = x / root and y = n·gain:
 *   e = dout·gain;  b = Σ(e·n) / C;  dx = (e − n·b) / root
 * in: x [rows, C], dout [rows, C], gain [C]; size: C; setting: ε. */
ALWAYS_INLINE void rms_norm_gradient_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->size[0];
    const real *x = (const real *)j->in[0] + row * width, *dout = (const real *)j->in[1] + row * width, *gain = j->in[2];
    real *restrict out = (real *)j->out + row * width;
    real root[ROWS_TOGETHER], b[ROWS_TOGETHER];
    roots_of(x, width, (real)j->setting[0], out, root, rows);
    for (int r = 0; r < rows; r++) {
        expect(dout + (rows + r) * width, width, 0);
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = (dout[r * width + i] * gain[i]) * (x[r * width + i] / root[r]);
    }
    add_up(out, width, width, b, rows);
    for (int r = 0; r < rows; r++) {
        const real mean = b[r] / (real)width;
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = (dout[r * width + i] * gain[i] - (x[r * width + i] / root[r]) * mean) / root[r];
    }
}

#endif

ROWS(rms_norm, 2, 1, 6)
ITEMS(rms_scaled, 1, 1, 6)
ROWS(rms_norm_gradient, 3, 1, 14)
