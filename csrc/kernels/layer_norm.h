/* Layer norm (Ba, Kiros & Hinton 2016, arXiv:1607.06450). An item is a row of C = width numbers:
 *   mean = Σx / C;  d = x − mean;  var = Σ(d·d) / C;  y = ((d / √(var + ε)) · gain) + bias
 * and, where there is no gain, y = d / √(var + ε). What is summed is made before, along the rows, in the memory of the result.
 * in: x [rows, C], gain [C] or NULL, bias [C]; size: C; setting: ε. */
#ifndef LLMTRACE_LAYER_NORM_H
#define LLMTRACE_LAYER_NORM_H

#include "rows.h"

/* mean[r] and root[r] = √(var + ε); `scratch` is as large as the rows. */
ALWAYS_INLINE void moments(const real *x, ptrdiff_t width, real epsilon, real *restrict scratch, real *mean, real *root,
                           const int rows)
{
    const real count = (real)width;
    real sum[ROWS_TOGETHER];
    add_up(x, width, width, sum, rows);
    for (int r = 0; r < rows; r++) {
        const real middle = mean[r] = sum[r] / count;
        expect(x + (rows + r) * width, width, 0);
        expect(scratch + (rows + r) * width, width, 1);
        for (ptrdiff_t i = 0; i < width; i++)
            scratch[r * width + i] = (x[r * width + i] - middle) * (x[r * width + i] - middle);
    }
    add_up(scratch, width, width, sum, rows);
    for (int r = 0; r < rows; r++)
        root[r] = root_of(sum[r] / count + epsilon);
}

ALWAYS_INLINE void layer_norm_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->size[0];
    const real *x = (const real *)j->in[0] + row * width, *gain = j->in[1], *bias = j->in[2];
    real *restrict out = (real *)j->out + row * width;
    real mean[ROWS_TOGETHER], root[ROWS_TOGETHER];
    moments(x, width, (real)j->setting[0], out, mean, root, rows);
    for (int r = 0; r < rows; r++)
        if (gain)
            for (ptrdiff_t i = 0; i < width; i++)
                out[r * width + i] = ((x[r * width + i] - mean[r]) / root[r]) * gain[i] + bias[i];
        else
            for (ptrdiff_t i = 0; i < width; i++)
                out[r * width + i] = (x[r * width + i] - mean[r]) / root[r];
}

#define normalise_kernel layer_norm_kernel /* whose gain is absent */

/* The gradient of y with n = d / √(var + ε) = d / root and y = n·gain + bias:
 *   e = dout·gain;  a = Σe / C;  b = Σ(e·n) / C;  dx = ((e − a) − n·b) / root
 * a is what moving the mean takes back, n·b what changing the variance takes back.
 * in: x [rows, C], dout [rows, C], gain [C]; size: C; setting: ε. */
ALWAYS_INLINE void layer_norm_gradient_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->size[0];
    const real *x = (const real *)j->in[0] + row * width, *dout = (const real *)j->in[1] + row * width, *gain = j->in[2];
    real *restrict out = (real *)j->out + row * width;
    const real count = (real)width;
    real mean[ROWS_TOGETHER], root[ROWS_TOGETHER], a[ROWS_TOGETHER], b[ROWS_TOGETHER];
    moments(x, width, (real)j->setting[0], out, mean, root, rows);
    for (int r = 0; r < rows; r++) {
        expect(dout + (rows + r) * width, width, 0);
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = dout[r * width + i] * gain[i];
    }
    add_up(out, width, width, a, rows);
    for (int r = 0; r < rows; r++)
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = out[r * width + i] * ((x[r * width + i] - mean[r]) / root[r]);
    add_up(out, width, width, b, rows);
    for (int r = 0; r < rows; r++) {
        const real mean_e = a[r] / count, mean_en = b[r] / count;
        for (ptrdiff_t i = 0; i < width; i++) {
            const real n = (x[r * width + i] - mean[r]) / root[r];
            out[r * width + i] = ((dout[r * width + i] * gain[i] - mean_e) - n * mean_en) / root[r];
        }
    }
}

#endif

ROWS(layer_norm, 3, 1, 8)
ITEMS(normalise, 1, 1, 8)
ROWS(layer_norm_gradient, 3, 1, 16)
