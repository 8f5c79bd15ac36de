/* Sums over positions, one per column, whose columns go side by side; and sums along rows (several rows side by side, see
 * layer_norm.h). All begin at +0, or at `start` where there is one. */

/* out[c] = start[c] + Σ_r a[r, c], or Σ_r a[r, c]·b[r, c] where there is a b. An item is a column. */
static void NAME(column_sum)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const column_sum_job *j = job;
    enum { WIDE = 256 };
    REAL sum[WIDE];
    for (ptrdiff_t column = begin; column < end; column += WIDE) {
        const ptrdiff_t count = smaller(WIDE, end - column);
        const REAL *a = (const REAL *)j->a + column, *b = (const REAL *)j->b + column;
        for (ptrdiff_t i = 0; i < count; i++)
            sum[i] = j->start ? ((const REAL *)j->start)[column + i] : 0;
        for (ptrdiff_t r = 0; r < j->rows; r++, a += j->width) {
            if (j->b) {
                for (ptrdiff_t i = 0; i < count; i++)
                    sum[i] += a[i] * b[i];
                b += j->width;
            } else {
                for (ptrdiff_t i = 0; i < count; i++)
                    sum[i] += a[i];
            }
        }
        memcpy((REAL *)j->out + column, sum, (size_t)count * sizeof(REAL));
    }
}

/* out[v, c] = start[v, c] + Σ dout[r, c] over the positions r with ids[r] = v, ascending. An item is a column. Cython has
 * checked the ids. */
static void NAME(embedding_gradient)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const embedding_gradient_job *j = job;
    const ptrdiff_t width = j->width;
    for (ptrdiff_t v = 0; v < j->rows; v++)
        for (ptrdiff_t i = v * width + begin; i < v * width + end; i++)
            ((REAL *)j->out)[i] = j->start ? ((const REAL *)j->start)[i] : 0;
    for (ptrdiff_t r = 0; r < j->positions; r++) {
        const REAL *dout = (const REAL *)j->dout + r * width;
        REAL *restrict out = (REAL *)j->out + j->ids[r] * width;
        for (ptrdiff_t i = begin; i < end; i++)
            out[i] += dout[i];
    }
}

/* out[r] = Σ x[r, :]·x[r, :]. An item is a row. */
static inline __attribute__((always_inline)) void NAME(square_rows)(const REAL *x, ptrdiff_t width, REAL *out, const int rows)
{
    REAL sum[ROWS_TOGETHER];
    for (int r = 0; r < rows; r++)
        sum[r] = 0;
    for (ptrdiff_t i = 0; i < width; i++)
        for (int r = 0; r < rows; r++)
            sum[r] += x[r * width + i] * x[r * width + i];
    for (int r = 0; r < rows; r++)
        out[r] = sum[r];
}

static void NAME(row_squares)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const row_squares_job *j = job;
    const REAL *x = j->x;
    REAL *out = j->out;
    ptrdiff_t row = begin;
    for (; row + ROWS_TOGETHER <= end; row += ROWS_TOGETHER)
        NAME(square_rows)(x + row * j->width, j->width, out + row, ROWS_TOGETHER);
    for (; row < end; row++)
        NAME(square_rows)(x + row * j->width, j->width, out + row, 1);
}

/* out[0] = start + Σ x: one sum, so one item. */
static void NAME(total)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const total_job *j = job;
    const REAL *x = j->x;
    REAL sum = j->start ? *(const REAL *)j->start : 0;
    for (ptrdiff_t i = 0; i < j->count; i++)
        sum += x[i];
    if (begin < end)
        *(REAL *)j->out = sum;
}
