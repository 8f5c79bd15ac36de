/* Layer norm (Ba, Kiros & Hinton 2016, arXiv:1607.06450). An item is a row of C = width numbers:
 *   mean = Σx / C;  d = x − mean;  var = Σ(d·d) / C;  y = ((d / √(var + ε)) · gain) + bias
 * A sum along a row can't be vectorised without changing its order, so several rows are summed side by side. */
#ifndef ROWS_TOGETHER
#define ROWS_TOGETHER 8
#endif

static inline __attribute__((always_inline)) void NAME(layer_norm_rows)(const layer_norm_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->width;
    const REAL *x = (const REAL *)j->x + row * width, *gain = j->gain, *bias = j->bias;
    REAL *restrict out = (REAL *)j->out + row * width;
    const REAL count = (REAL)width, epsilon = (REAL)j->epsilon;
    REAL sum[ROWS_TOGETHER], mean[ROWS_TOGETHER], root[ROWS_TOGETHER];

    for (int r = 0; r < rows; r++)
        sum[r] = 0;
    for (ptrdiff_t i = 0; i < width; i++)
        for (int r = 0; r < rows; r++)
            sum[r] += x[r * width + i];
    for (int r = 0; r < rows; r++) {
        mean[r] = sum[r] / count;
        sum[r] = 0;
    }
    for (ptrdiff_t i = 0; i < width; i++)
        for (int r = 0; r < rows; r++) {
            const REAL d = x[r * width + i] - mean[r];
            sum[r] += d * d;
        }
    for (int r = 0; r < rows; r++)
        root[r] = NAME(root_of)(sum[r] / count + epsilon);
    for (int r = 0; r < rows; r++)
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = ((x[r * width + i] - mean[r]) / root[r]) * gain[i] + bias[i];
}

static void NAME(layer_norm)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t row = begin;
    for (; row + ROWS_TOGETHER <= end; row += ROWS_TOGETHER)
        NAME(layer_norm_rows)(job, row, ROWS_TOGETHER);
    for (; row < end; row++)
        NAME(layer_norm_rows)(job, row, 1);
}
