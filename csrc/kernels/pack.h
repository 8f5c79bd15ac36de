/* Packing a weight that lies on its side (see matmul.h): out[c, r] = x[r, c].
 *
 * An item is as many rows of x as one panel has columns. It is turned in squares, as wide as a cache line of floats, so that
 * whole lines are read and whole lines are written. */
#define SQUARE 16

/* to[c · to_stride + r] = from[r · from_stride + c] for r < rows, c < columns. */
static void NAME(turn)(const REAL *restrict from, ptrdiff_t from_stride, REAL *restrict to, ptrdiff_t to_stride, ptrdiff_t rows,
                       ptrdiff_t columns)
{
    for (ptrdiff_t r = 0; r < rows; r += SQUARE)
        for (ptrdiff_t c = 0; c < columns; c += SQUARE) {
            const REAL *x = from + r * from_stride + c;
            REAL *out = to + c * to_stride + r;
            if (rows - r >= SQUARE && columns - c >= SQUARE) {
                for (int i = 0; i < SQUARE; i++)
                    for (int k = 0; k < SQUARE; k++)
                        out[i * to_stride + k] = x[k * from_stride + i];
            } else {
                for (ptrdiff_t i = 0; i < smaller(SQUARE, columns - c); i++)
                    for (ptrdiff_t k = 0; k < smaller(SQUARE, rows - r); k++)
                        out[i * to_stride + k] = x[k * from_stride + i];
            }
        }
}

static void NAME(transpose)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const transpose_job *j = job;
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t first = item * j->panel, rows = smaller(j->panel, j->rows - first);
        REAL *out = (REAL *)j->out + first * j->columns;
        if (rows < j->panel) /* the columns of a last panel that the weight does not have */
            memset(out, 0, (size_t)(j->columns * j->panel) * sizeof(REAL));
        NAME(turn)((const REAL *)j->x + first * j->x_stride, j->x_stride, out, j->panel, rows, j->columns);
    }
}
