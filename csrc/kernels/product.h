/* What matrix products share: where the elements of matrices lie that may be split into heads, and how sums become outputs. */
#ifndef LLMTRACE_PRODUCT_H
#define LLMTRACE_PRODUCT_H

#include "kernel.h"
#include "tile.h"

#include <string.h>

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

/* place[r] = where row first + r begins, for `rows` ≥ 1 rows. Counted on: divisions for each would take as long as many products. */
static inline void find_rows(const matrix_layout *l, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t *place)
{
    ptrdiff_t position = first % l->positions;
    place[0] = row_place(l, first);
    for (ptrdiff_t r = 1; r < rows; r++) {
        const int next_sequence = ++position == l->positions;
        position = next_sequence ? 0 : position;
        place[r] = place[r - 1] + l->run + (next_sequence ? l->sequence_stride - l->positions * l->run : 0);
    }
}

/* Where the sums of a block of rows go: columns `column` … `column + count − 1` ≤ PANEL of them, of rows that begin at `place`. */
typedef struct {
    const kernel_job *job;
    matrix_layout layout;
    ptrdiff_t place[ROW_GROUP], column, count;
} block_output;

/* Asks for the memory of `rows` rows from `first` on, which are written soon: a store to a line that is in no cache waits long. */
static inline void expect_rows(const block_output *o, ptrdiff_t first, ptrdiff_t rows)
{
    const ptrdiff_t line = smaller(CACHE_LINE / sizeof(real), o->layout.run);
    for (ptrdiff_t j = 0; j < o->count; j += line)
        for (ptrdiff_t r = first; r < first + rows; r++)
            __builtin_prefetch((const real *)o->job->out + o->place[r] + column_place(&o->layout, o->column + j), 1, 2);
}

/* out = sums + bias, for `rows` rows of the block from `first` on. */
static inline void write_rows(const block_output *o, const real *sums, ptrdiff_t first, ptrdiff_t rows)
{
    const real *bias = o->job->in[2];
    for (ptrdiff_t j = 0, stop; j < o->count; j = stop) { /* as far as the columns lie side by side */
        const ptrdiff_t column = o->column + j;
        real *out = (real *)o->job->out + column_place(&o->layout, column) - j;
        stop = smaller(o->count, j + o->layout.run - column % o->layout.run);
        for (ptrdiff_t r = 0; r < rows; r++, sums += PANEL) {
            real *row = out + o->place[first + r];
            if (bias)
                for (ptrdiff_t i = j; i < stop; i++)
                    row[i] = sums[i] + bias[o->column + i];
            else
                memcpy(row + j, sums + j, (size_t)(stop - j) * sizeof(real));
        }
        sums -= rows * PANEL;
    }
}

/* A product of a single row, whose items are panels of numbers of `size` bytes: as many at once as a tile has rows. */
ALWAYS_INLINE void single_row(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end, const vector_at at, const int size)
{
    const ptrdiff_t depth = job->size[1], columns = job->size[2], apart = PANEL * depth * size;
    const matrix_layout from = layout_of(job->size[4], job->size[5], depth);
    block_output out = {.job = job, .layout = layout_of(job->size[6], job->size[7], columns)};
    real sums[TILE_ROWS * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    for (ptrdiff_t item = begin, panels; item < end; item += panels) {
        const uint8_t *panel = (const uint8_t *)job->in[1] + item * apart;
        panels = smaller(TILE_ROWS, end - item);
        ptrdiff_t k = 0, count;
        do { /* as far as x lies side by side */
            const real *x = (const real *)job->in[0] + column_place(&from, k);
            count = smaller(depth - k, from.run - k % from.run);
            row_tile_of(x, panel + k * PANEL * size, apart, count, sums, k == 0, panels, at, size);
            k += count;
        } while (k < depth);
        for (ptrdiff_t p = 0; p < panels; p++) {
            out.column = (item + p) * PANEL, out.count = smaller(PANEL, columns - out.column);
            write_rows(&out, sums + p * PANEL, 0, 1);
        }
    }
}

#endif
