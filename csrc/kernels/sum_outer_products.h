/* out[i, j] = initial[i, j] + Σ_r a[r, i] · b[r, j], r ascending over all positions: the gradient of a weight.
 *
 * A product of `a` transposed with b, by the tiles of tile.h. Neither is transposed or packed as a whole: the numbers a[r, i]
 * that the rows of a tile need lie side by side, `a_width` apart from one position to the next; and b's panel is copied slice
 * by slice, small enough to stay in the cache while the tiles of a block pass over it.
 *
 * in: a [positions, a_width], b [positions, b_width], initial [a_width, b_width] or NULL; out [a_width, b_width].
 * size: positions, a_width, b_width, rows of a block. */
#ifndef LLMTRACE_SUM_OUTER_PRODUCTS_H
#define LLMTRACE_SUM_OUTER_PRODUCTS_H

#include "tile.h"

#include <string.h>

enum { SLICE = 48 }; /* so many positions */

/* While a tile is computed, the n-th cache line of every next position comes, of `rows` numbers from a on, then of the panel from b on:
 * where rows are wide, each position is a leap that no processor foresees. */
static inline void fetch_line(tile_terms *terms, ptrdiff_t n, const real *a, ptrdiff_t a_width, ptrdiff_t rows, const real *b,
                              ptrdiff_t b_width)
{
    enum { LINE = CACHE_LINE / sizeof(real) };
    const ptrdiff_t of_a = (rows + LINE - 1) / LINE;
    terms->ahead = (const char *)(n < of_a ? a + n * LINE : b + (n - of_a) * LINE % PANEL);
    terms->ahead_step = (n < of_a ? a_width : b_width) * (ptrdiff_t)sizeof(real);
    terms->lines = 1;
}

/* An item is a block of at most ROW_GROUP rows of out and one panel of its columns; panels change fastest. */
static void sum_outer_products_kernel(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t positions = job->size[0], a_width = job->size[1], b_width = job->size[2], block = job->size[3];
    const ptrdiff_t panels = (b_width + PANEL - 1) / PANEL;
    const real *initial = job->in[2];
    real *out = job->out;
    real sums[ROW_GROUP * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    real panel[SLICE * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t first = item / panels * block, column = item % panels * PANEL;
        const ptrdiff_t rows = smaller(block, a_width - first), columns = smaller(PANEL, b_width - column);
        const size_t size = (size_t)columns * sizeof(real);
        const real *a = (const real *)job->in[0] + first, *b = (const real *)job->in[1] + column;
        memset(sums, 0, sizeof sums);
        if (initial)
            for (ptrdiff_t i = 0; i < rows; i++)
                memcpy(sums + i * PANEL, initial + (first + i) * b_width + column, size);
        memset(panel, 0, sizeof panel);
        for (ptrdiff_t r = 0, count; r < positions; r += count) {
            count = smaller(SLICE, positions - r);
            for (ptrdiff_t k = 0; k < count; k++)
                memcpy(panel + k * PANEL, b + (r + k) * b_width, size);
            for (ptrdiff_t i = 0; i < rows; i += TILE_ROWS) {
                tile_terms terms = {.x_step = a_width, .panel = panel, .panel_step = PANEL, .depth = count};
                for (ptrdiff_t k = 0; k < TILE_ROWS; k++) /* beyond the last row: that row again, unused */
                    terms.x[k] = a + r * a_width + smaller(i + k, rows - 1);
                fetch_line(&terms, i / TILE_ROWS, a + (r + count) * a_width, a_width, rows, b + (r + count) * b_width, b_width);
                tile_of(&terms, sums + i * PANEL, 0, smaller(TILE_ROWS, rows - i), TILE_VECTORS);
            }
        }
        for (ptrdiff_t i = 0; i < rows; i++)
            memcpy(out + (first + i) * b_width + column, sums + i * PANEL, size);
    }
}

#endif

KERNEL(sum_outer_products)
