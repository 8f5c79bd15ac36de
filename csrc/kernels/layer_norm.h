/* Layer norm (Ba, Kiros & Hinton 2016, arXiv:1607.06450). An item is a row of C = width numbers:
 *   mean = Σx / C;  d = x − mean;  var = Σ(d·d) / C;  y = ((d / √(var + ε)) · gain) + bias
 * and, where there is no gain, y = d / √(var + ε).
 * A sum along a row can't be vectorised without changing its order, so several rows are summed side by side; what is added up
 * is made before, along the rows, in the memory of the result. */
#ifndef ROWS_TOGETHER
#define ROWS_TOGETHER 8
#endif

/* sum[r] = Σ of the first `count` numbers of row r. */
static inline __attribute__((always_inline)) void NAME(add_up)(const REAL *x, ptrdiff_t width, ptrdiff_t count, REAL *sum,
                                                               const int rows)
{
    REAL acc[ROWS_TOGETHER];
    for (int r = 0; r < rows; r++)
        acc[r] = 0;
    for (ptrdiff_t i = 0; i < count; i++)
        for (int r = 0; r < rows; r++)
            acc[r] += x[r * width + i];
    for (int r = 0; r < rows; r++)
        sum[r] = acc[r];
}

/* mean[r] and root[r] = √(var + ε); `scratch` is as large as the rows. */
static inline __attribute__((always_inline)) void NAME(moments)(const REAL *x, ptrdiff_t width, REAL epsilon, REAL *restrict scratch,
                                                                REAL *mean, REAL *root, const int rows)
{
    const REAL count = (REAL)width;
    REAL sum[ROWS_TOGETHER];
    NAME(add_up)(x, width, width, sum, rows);
    for (int r = 0; r < rows; r++) {
        const REAL middle = mean[r] = sum[r] / count;
        for (ptrdiff_t i = 0; i < width; i++)
            scratch[r * width + i] = (x[r * width + i] - middle) * (x[r * width + i] - middle);
    }
    NAME(add_up)(scratch, width, width, sum, rows);
    for (int r = 0; r < rows; r++)
        root[r] = NAME(root_of)(sum[r] / count + epsilon);
}

static inline __attribute__((always_inline)) void NAME(layer_norm_rows)(const layer_norm_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->width;
    const REAL *x = (const REAL *)j->x + row * width, *gain = j->gain, *bias = j->bias;
    REAL *restrict out = (REAL *)j->out + row * width;
    REAL mean[ROWS_TOGETHER], root[ROWS_TOGETHER];
    NAME(moments)(x, width, (REAL)j->epsilon, out, mean, root, rows);
    for (int r = 0; r < rows; r++)
        if (gain)
            for (ptrdiff_t i = 0; i < width; i++)
                out[r * width + i] = ((x[r * width + i] - mean[r]) / root[r]) * gain[i] + bias[i];
        else
            for (ptrdiff_t i = 0; i < width; i++)
                out[r * width + i] = (x[r * width + i] - mean[r]) / root[r];
}

static void NAME(layer_norm)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t row = begin;
    for (; row + ROWS_TOGETHER <= end; row += ROWS_TOGETHER)
        NAME(layer_norm_rows)(job, row, ROWS_TOGETHER);
    for (; row < end; row++)
        NAME(layer_norm_rows)(job, row, 1);
}

/* The gradient of y with n = d / √(var + ε) = d / root and y = n·gain + bias:
 *   e = dout·gain;  a = Σe / C;  b = Σ(e·n) / C;  dx = ((e − a) − n·b) / root
 * a is what moving the mean takes back, n·b what changing the spread takes back. */
static inline __attribute__((always_inline)) void NAME(layer_norm_gradient_rows)(const layer_norm_gradient_job *j, ptrdiff_t row,
                                                                                 const int rows)
{
    const ptrdiff_t width = j->width;
    const REAL *x = (const REAL *)j->x + row * width, *dout = (const REAL *)j->dout + row * width, *gain = j->gain;
    REAL *restrict out = (REAL *)j->out + row * width;
    const REAL count = (REAL)width;
    REAL mean[ROWS_TOGETHER], root[ROWS_TOGETHER], a[ROWS_TOGETHER], b[ROWS_TOGETHER];
    NAME(moments)(x, width, (REAL)j->epsilon, out, mean, root, rows);
    for (int r = 0; r < rows; r++)
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = dout[r * width + i] * gain[i];
    NAME(add_up)(out, width, width, a, rows);
    for (int r = 0; r < rows; r++)
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = out[r * width + i] * ((x[r * width + i] - mean[r]) / root[r]);
    NAME(add_up)(out, width, width, b, rows);
    for (int r = 0; r < rows; r++) {
        const REAL shift = a[r] / count, spread = b[r] / count;
        for (ptrdiff_t i = 0; i < width; i++) {
            const REAL n = (x[r * width + i] - mean[r]) / root[r];
            out[r * width + i] = ((dout[r * width + i] * gain[i] - shift) - n * spread) / root[r];
        }
    }
}

static void NAME(layer_norm_gradient)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t row = begin;
    for (; row + ROWS_TOGETHER <= end; row += ROWS_TOGETHER)
        NAME(layer_norm_gradient_rows)(job, row, ROWS_TOGETHER);
    for (; row < end; row++)
        NAME(layer_norm_gradient_rows)(job, row, 1);
}
