/* Softmax of rows: m = max x;  e = exp(x − m);  p = e / Σe. An item is a row.
 * Where causal, row (…, query) keeps the keys 0 … width − queries + query; the rest is masked and written as 0.
 * A NaN anywhere makes the whole row NaN. Only the sum has an order: rows are summed several side by side, see layer_norm.h. */

/* The largest of n ≥ 1 numbers, NaN if one is NaN. Which of +0 and −0 it gives makes no difference to x − m. */
static inline REAL NAME(largest_of)(const REAL *restrict x, ptrdiff_t n)
{
    enum { SIDE_BY_SIDE = 32 };
    REAL best[SIDE_BY_SIDE], m = x[0];
    int nan = 0;
    ptrdiff_t i = 0;
    if (n >= SIDE_BY_SIDE) {
        for (int lane = 0; lane < SIDE_BY_SIDE; lane++)
            best[lane] = x[lane];
        for (; i + SIDE_BY_SIDE <= n; i += SIDE_BY_SIDE)
            for (int lane = 0; lane < SIDE_BY_SIDE; lane++) {
                nan |= x[i + lane] != x[i + lane];
                best[lane] = x[i + lane] > best[lane] ? x[i + lane] : best[lane];
            }
        for (int lane = 0; lane < SIDE_BY_SIDE; lane++)
            m = best[lane] > m ? best[lane] : m;
    }
    for (; i < n; i++) {
        nan |= x[i] != x[i];
        m = x[i] > m ? x[i] : m;
    }
    return nan ? (REAL)NAN : m;
}

static inline __attribute__((always_inline)) void NAME(softmax_rows)(const softmax_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->width;
    const REAL *restrict x = (const REAL *)j->x + row * width;
    REAL *restrict out = (REAL *)j->out + row * width;
    REAL sum[ROWS_TOGETHER];
    ptrdiff_t kept[ROWS_TOGETHER], shortest = width;
    for (int r = 0; r < rows; r++) {
        kept[r] = j->causal ? width - j->queries + 1 + (row + r) % j->queries : width;
        shortest = kept[r] < shortest ? kept[r] : shortest;
        const REAL m = NAME(largest_of)(x + r * width, kept[r]);
        for (ptrdiff_t i = 0; i < kept[r]; i++)
            out[r * width + i] = NAME(exp_of)(x[r * width + i] - m);
        sum[r] = 0;
    }
    for (ptrdiff_t i = 0; i < shortest; i++)
        for (int r = 0; r < rows; r++)
            sum[r] += out[r * width + i];
    for (int r = 0; r < rows; r++) {
        for (ptrdiff_t i = shortest; i < kept[r]; i++)
            sum[r] += out[r * width + i];
        for (ptrdiff_t i = 0; i < kept[r]; i++)
            out[r * width + i] = out[r * width + i] / sum[r];
        for (ptrdiff_t i = kept[r]; i < width; i++)
            out[r * width + i] = 0;
    }
}

static void NAME(softmax)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t row = begin;
    for (; row + ROWS_TOGETHER <= end; row += ROWS_TOGETHER)
        NAME(softmax_rows)(job, row, ROWS_TOGETHER);
    for (; row < end; row++)
        NAME(softmax_rows)(job, row, 1);
}

/* The gradient, from the shares p that softmax made: inner = Σ dout·p along the row;  dx = p·(dout − inner). Masked ones are 0.
 * An item is a row. */
static inline __attribute__((always_inline)) void NAME(softmax_gradient_rows)(const softmax_gradient_job *j, ptrdiff_t row,
                                                                              const int rows)
{
    const ptrdiff_t width = j->width;
    const REAL *p = (const REAL *)j->p + row * width, *dout = (const REAL *)j->dout + row * width;
    REAL *restrict out = (REAL *)j->out + row * width;
    REAL inner[ROWS_TOGETHER];
    ptrdiff_t kept[ROWS_TOGETHER], shortest = width;
    for (int r = 0; r < rows; r++) {
        kept[r] = j->causal ? width - j->queries + 1 + (row + r) % j->queries : width;
        shortest = kept[r] < shortest ? kept[r] : shortest;
        for (ptrdiff_t i = 0; i < kept[r]; i++)
            out[r * width + i] = dout[r * width + i] * p[r * width + i];
    }
    NAME(add_up)(out, width, shortest, inner, rows);
    for (int r = 0; r < rows; r++) {
        for (ptrdiff_t i = shortest; i < kept[r]; i++)
            inner[r] += out[r * width + i];
        for (ptrdiff_t i = 0; i < kept[r]; i++)
            out[r * width + i] = p[r * width + i] * (dout[r * width + i] - inner[r]);
        for (ptrdiff_t i = kept[r]; i < width; i++)
            out[r * width + i] = 0;
    }
}

static void NAME(softmax_gradient)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t row = begin;
    for (; row + ROWS_TOGETHER <= end; row += ROWS_TOGETHER)
        NAME(softmax_gradient_rows)(job, row, ROWS_TOGETHER);
    for (; row < end; row++)
        NAME(softmax_gradient_rows)(job, row, 1);
}
