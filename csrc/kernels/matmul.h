/* out[r, j] = (Σ_k x[r, k] · w[k, j], k ascending) + bias[j], tile by tile (tile.h).
 *
 * The depth is taken in segments, sums resting in memory (same bits) between them, so that a panel's segment is still in the
 * cache when the next tile of rows needs it; and so that x may be split into heads, where a segment never crosses a head.
 *
 * in: x [rows, depth], the panels of w (pack.h), bias [columns] or NULL; out [rows, columns]; x and out may be split into heads.
 * size: rows, depth, columns, rows of a block, heads and positions of x, heads and positions of out. */
#ifndef LLMTRACE_MATMUL_H
#define LLMTRACE_MATMUL_H

#include "tile.h"

#include <string.h>

enum { SEGMENT = 768 }; /* so many k at a time: with a block of rows, a panel's segment fills two thirds of a cache of 1 MB */

/* Where the element (row, column) of a matrix stands when its columns may be split into heads [N, H, T, D]; a plain matrix has
 * one head, and as many positions as rows. */
typedef struct {
    ptrdiff_t positions, sequence_stride, run, head_stride;
} matrix_layout;

static inline matrix_layout layout_of(ptrdiff_t heads, ptrdiff_t positions, ptrdiff_t columns)
{
    const ptrdiff_t width = columns / heads;
    return (matrix_layout){positions, positions * columns, width ? width : 1, positions * width};
}

static inline ptrdiff_t row_place(const matrix_layout *l, ptrdiff_t row)
{
    return row / l->positions * l->sequence_stride + row % l->positions * l->run;
}

static inline ptrdiff_t column_place(const matrix_layout *l, ptrdiff_t column)
{
    return column / l->run * l->head_stride + column % l->run;
}

/* out = sums + bias, for `count` ≤ PANEL columns from `column` on. */
static void write_row(const kernel_job *job, const matrix_layout *l, const real *sums, ptrdiff_t row, ptrdiff_t column,
                      ptrdiff_t count)
{
    const real *bias = job->in[2];
    for (ptrdiff_t j = 0, stop; j < count; j = stop) { /* as far as the columns lie side by side */
        real *out = (real *)job->out + row_place(l, row) + column_place(l, column + j) - j;
        stop = smaller(count, j + l->run - (column + j) % l->run);
        if (bias)
            for (ptrdiff_t i = j; i < stop; i++)
                out[i] = sums[i] + bias[column + i];
        else
            memcpy(out + j, sums + j, (size_t)(stop - j) * sizeof(real));
    }
}

/* An item is a block of at most ROW_GROUP rows and one panel; panels change fastest. */
static void matmul_kernel(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t all_rows = job->size[0], depth = job->size[1], columns = job->size[2], block = job->size[3];
    const matrix_layout from = layout_of(job->size[4], job->size[5], depth), to = layout_of(job->size[6], job->size[7], columns);
    const ptrdiff_t panels = (columns + PANEL - 1) / PANEL;
    real sums[ROW_GROUP * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t first = item / panels * block, column = item % panels * PANEL;
        const ptrdiff_t rows = smaller(block, all_rows - first);
        const real *panel = (const real *)job->in[1] + column * depth;
        if (depth == 0)
            memset(sums, 0, sizeof sums);
        for (ptrdiff_t k = 0, count; k < depth; k += count) {
            count = smaller(smaller(SEGMENT, depth - k), from.run - k % from.run);
            for (ptrdiff_t r = 0; r < rows; r += TILE_ROWS) {
                const real *x[TILE_ROWS];
                for (ptrdiff_t i = 0; i < TILE_ROWS; i++) /* beyond the last row: that row again, unused */
                    x[i] = (const real *)job->in[0] + column_place(&from, k) + row_place(&from, first + smaller(r + i, rows - 1));
                tile_of(x, 1, panel + k * PANEL, count, sums + r * PANEL, k == 0, smaller(TILE_ROWS, rows - r));
            }
        }
        for (ptrdiff_t r = 0; r < rows; r++)
            write_row(job, &to, sums + r * PANEL, first + r, column, smaller(PANEL, columns - column));
    }
}

#endif

KERNEL(matmul)
