/* What matrix products share: where the elements of matrices lie that may be split into heads, and how sums become outputs. */
#ifndef LLMTRACE_PRODUCT_H
#define LLMTRACE_PRODUCT_H

#include "kernel.h"
#include "tile.h"

#include <string.h>

enum { SEGMENT = 128 }; /* so many k at a time: meanwhile as many come into the cache; of those behind a panel's end it is a guess */

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

/* The panel that a thread which works on `item` will probably need next: of this weight, or where it is at the end of its part (pool.c),
 * the first one of its part of the next weight. A block of `numbers` takes `bytes`. */
static inline const uint8_t *panel_after(const kernel_job *job, ptrdiff_t item, ptrdiff_t items, int numbers, int bytes)
{
    const ptrdiff_t panels = (job->size[2] + PANEL - 1) / PANEL, parts = job->size[8], part = ((item + 1) * parts - 1) / items;
    if (item + 1 < items * (part + 1) / parts || !job->in[3])
        return (const uint8_t *)job->in[1] + (item + 1) % panels * PANEL * (job->size[1] / numbers) * bytes;
    const ptrdiff_t first = (job->size[10] + PANEL - 1) / PANEL * part / parts;
    return (const uint8_t *)job->in[3] + first * PANEL * (job->size[9] / numbers) * bytes;
}

/* A product of at most TILE_ROWS rows; items are panels of numbers of `size` bytes. Memory is all that takes time then: it is asked
 * for the next numbers in up to four streams, of which each k asks for a line, or for half of one, which is asked for again. */
ALWAYS_INLINE void few_rows(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end, const vector_at at, const int size)
{
    const ptrdiff_t rows = job->size[0], depth = job->size[1], columns = job->size[2], panels = (columns + PANEL - 1) / PANEL;
    const int bytes = PANEL * size, halves = (2 * bytes + CACHE_LINE - 1) / CACHE_LINE, streams = halves < 4 ? halves : 4;
    const matrix_layout from = layout_of(job->size[4], job->size[5], depth);
    block_output out = {.job = job, .layout = layout_of(job->size[6], job->size[7], columns)};
    ptrdiff_t place[TILE_ROWS];
    real sums[TILE_ROWS * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    find_rows(&from, 0, rows, place);
    find_rows(&out.layout, 0, rows, out.place);
    for (ptrdiff_t item = begin; item < end; item++) {
        const uint8_t *part = (const uint8_t *)job->in[1] + item * depth * bytes;
        out.column = item * PANEL, out.count = smaller(PANEL, columns - out.column);
        expect_rows(&out, 0, rows);
        ptrdiff_t k = 0, count;
        do {
            count = smaller(smaller(SEGMENT, depth - k), from.run - k % from.run);
            tile_terms terms = {.x_step = 1, .panel = part, .panel_step = PANEL, .depth = count};
            for (ptrdiff_t r = 0; r < TILE_ROWS; r++) /* beyond the last row: that row again, unused */
                terms.x[r] = (const real *)job->in[0] + column_place(&from, k) + place[smaller(r, rows - 1)];
            terms.ahead = (const char *)(k + count < depth ? part + count * bytes : panel_after(job, item, panels, 1, size));
            terms.ahead_step = bytes / streams, terms.apart = count * bytes / streams, terms.lines = streams;
            stored_tile_of(&terms, sums, k == 0, rows, TILE_VECTORS, at, size);
            part += count * bytes, k += count;
        } while (k < depth);
        write_rows(&out, sums, 0, rows);
    }
}

#endif
