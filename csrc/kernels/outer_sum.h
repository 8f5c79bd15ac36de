/* out[i, j] = start[i, j] + Σ_r a[r, i] · b[r, j], r ascending over all positions: the gradient of a weight.
 *
 * A matrix product of `a` on its side with b, by the tiles of matmul.h. Neither is turned or packed as a whole: the numbers a[r, i]
 * that the rows of a tile need lie side by side, `a_width` apart from one position to the next; and b's panel is copied stretch by
 * stretch, small enough to stay in the cache while the tiles of a block pass over it. */
#ifndef STRETCH
#define STRETCH 128 /* so many positions */
#endif

/* An item is a block of at most ROW_GROUP rows of out and one panel of its columns; panels change fastest. */
static void NAME(outer_sum)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const outer_sum_job *m = job;
    const ptrdiff_t panels = (m->b_width + PANEL - 1) / PANEL;
    REAL sums[ROW_GROUP * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    REAL panel[STRETCH * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t first = item / panels * m->row_group, column = item % panels * PANEL;
        const ptrdiff_t rows = smaller(m->row_group, m->a_width - first), columns = smaller(PANEL, m->b_width - column);
        const size_t size = (size_t)columns * sizeof(REAL);
        const REAL *a = (const REAL *)m->a + first, *b = (const REAL *)m->b + column;
        memset(sums, 0, sizeof sums);
        if (m->start)
            for (ptrdiff_t i = 0; i < rows; i++)
                memcpy(sums + i * PANEL, (const REAL *)m->start + (first + i) * m->b_width + column, size);
        memset(panel, 0, sizeof panel);
        for (ptrdiff_t r = 0, count; r < m->positions; r += count) {
            count = smaller(STRETCH, m->positions - r);
            for (ptrdiff_t k = 0; k < count; k++)
                memcpy(panel + k * PANEL, b + (r + k) * m->b_width, size);
            for (ptrdiff_t i = 0; i < rows; i += ROWS) {
                const REAL *x[ROWS];
                for (ptrdiff_t k = 0; k < ROWS; k++) /* beyond the last row: that row again, unused */
                    x[k] = a + r * m->a_width + smaller(i + k, rows - 1);
                NAME(tile_of)(x, m->a_width, panel, count, sums + i * PANEL, 0, smaller(ROWS, rows - i));
            }
        }
        for (ptrdiff_t i = 0; i < rows; i++)
            memcpy((REAL *)m->out + (first + i) * m->b_width + column, sums + i * PANEL, size);
    }
}
#undef PANEL /* of matmul.h, as is the next */
#undef LANES_OF_VECTOR
