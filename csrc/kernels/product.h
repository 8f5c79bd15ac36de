/* What matrix products share: where the elements of matrices lie that may be split into heads, and how sums become outputs. */
#ifndef LLMTRACE_PRODUCT_H
#define LLMTRACE_PRODUCT_H

#include "kernel.h"
#include "vector.h"

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

/* out = sums + bias, for `rows` ≤ ROW_GROUP rows from `first` on and `count` ≤ PANEL columns from `column` on. */
static inline void write_rows(const kernel_job *job, const matrix_layout *l, const real *sums, ptrdiff_t first, ptrdiff_t rows,
                              ptrdiff_t column, ptrdiff_t count)
{
    const real *bias = job->in[2];
    ptrdiff_t place[ROW_GROUP];
    find_rows(l, first, rows, place);
    for (ptrdiff_t j = 0, stop; j < count; j = stop) { /* as far as the columns lie side by side */
        real *out = (real *)job->out + column_place(l, column + j) - j;
        stop = smaller(count, j + l->run - (column + j) % l->run);
        for (ptrdiff_t r = 0; r < rows; r++)
            if (bias)
                for (ptrdiff_t i = j; i < stop; i++)
                    out[place[r] + i] = sums[r * PANEL + i] + bias[column + i];
            else
                memcpy(out + place[r] + j, sums + r * PANEL + j, (size_t)(stop - j) * sizeof(real));
    }
}

#endif
