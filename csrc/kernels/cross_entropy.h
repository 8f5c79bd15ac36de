/* Cross-entropy, the surprise at the token that came: loss = (m + log Σ exp(x − m)) − x[target], m = max x; and its gradient,
 *   p = exp(x − m) / Σ exp(x − m);   dx = (p − 1)·dout at the target, p·dout elsewhere.
 * An item is a row. Cython has checked the targets. Rows are summed side by side, see layer_norm.h. */
static inline __attribute__((always_inline)) void NAME(surprise_of_rows)(const cross_entropy_job *j, ptrdiff_t row, const int rows)
{
    enum { PART = 64 };
    const ptrdiff_t width = j->width;
    const REAL *x = (const REAL *)j->x + row * width;
    REAL m[ROWS_TOGETHER], sum[ROWS_TOGETHER], e[ROWS_TOGETHER * PART];
    for (int r = 0; r < rows; r++) {
        m[r] = NAME(largest_of)(x + r * width, width);
        sum[r] = 0;
    }
    for (ptrdiff_t first = 0; first < width; first += PART) {
        const ptrdiff_t count = smaller(PART, width - first);
        for (int r = 0; r < rows; r++)
            for (ptrdiff_t i = 0; i < count; i++)
                e[r * PART + i] = NAME(exp_of)(x[r * width + first + i] - m[r]);
        for (ptrdiff_t i = 0; i < count; i++)
            for (int r = 0; r < rows; r++)
                sum[r] += e[r * PART + i];
    }
    for (int r = 0; r < rows; r++)
        ((REAL *)j->out)[row + r] = (m[r] + NAME(log_of)(sum[r])) - x[r * width + j->target[row + r]];
}

static void NAME(cross_entropy)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t row = begin;
    for (; row + ROWS_TOGETHER <= end; row += ROWS_TOGETHER)
        NAME(surprise_of_rows)(job, row, ROWS_TOGETHER);
    for (; row < end; row++)
        NAME(surprise_of_rows)(job, row, 1);
}

static inline __attribute__((always_inline)) void NAME(surprise_gradient)(const cross_entropy_job *j, ptrdiff_t row, const int rows)
{
    const ptrdiff_t width = j->width;
    const REAL *restrict x = (const REAL *)j->x + row * width, *dout = (const REAL *)j->dout + row;
    REAL *restrict out = (REAL *)j->out + row * width;
    REAL sum[ROWS_TOGETHER];
    for (int r = 0; r < rows; r++) {
        const REAL m = NAME(largest_of)(x + r * width, width);
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = NAME(exp_of)(x[r * width + i] - m);
    }
    NAME(add_up)(out, width, width, sum, rows);
    for (int r = 0; r < rows; r++) {
        const REAL own = out[r * width + j->target[row + r]] / sum[r];
        for (ptrdiff_t i = 0; i < width; i++)
            out[r * width + i] = (out[r * width + i] / sum[r]) * dout[r];
        out[r * width + j->target[row + r]] = (own - 1) * dout[r];
    }
}

static void NAME(cross_entropy_gradient)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    ptrdiff_t row = begin;
    for (; row + ROWS_TOGETHER <= end; row += ROWS_TOGETHER)
        NAME(surprise_gradient)(job, row, ROWS_TOGETHER);
    for (; row < end; row++)
        NAME(surprise_gradient)(job, row, 1);
}
