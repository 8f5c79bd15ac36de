/* Softmax of rows: m = max x;  e = exp(x − m);  p = e / Σe. An item is a row. A NaN anywhere makes the whole row NaN.
 * Causal, row (…, query) of [T, S] keeps the keys 0 … S − T + query; the rest is masked and written as 0.
 * in: x [rows, width]; size: width and −1; or, where causal, T and S − T. */
#ifndef LLMTRACE_SOFTMAX_ROWS_H
#define LLMTRACE_SOFTMAX_ROWS_H

#include "rows.h"

/* The shape of the rows, and how many entries each keeps. */
typedef struct {
    ptrdiff_t width, queries; /* queries: 0 where not causal */
} row_mask;

static inline row_mask mask_of(const kernel_job *j)
{
    const int causal = j->size[1] >= 0;
    return (row_mask){causal ? j->size[0] + j->size[1] : j->size[0], causal ? j->size[0] : 0};
}

static inline ptrdiff_t kept_of(row_mask m, ptrdiff_t row)
{
    return m.queries ? m.width - m.queries + 1 + row % m.queries : m.width;
}

/* As many as are to be kept, and some more to make whole vectors, which is quicker than a rest of single ones: what is computed of
 * these is overwritten. */
static inline ptrdiff_t whole_vectors(ptrdiff_t kept, ptrdiff_t width)
{
    enum { WHOLE = 16 };
    return smaller(width, (kept + WHOLE - 1) / WHOLE * WHOLE);
}

ALWAYS_INLINE void softmax_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const row_mask mask = mask_of(j);
    const ptrdiff_t width = mask.width;
    const real *restrict x = (const real *)j->in[0] + row * width;
    real *restrict out = (real *)j->out + row * width;
    real sum[ROWS_TOGETHER];
    ptrdiff_t kept[ROWS_TOGETHER], shortest = width;
    for (int r = 0; r < rows; r++) {
        kept[r] = kept_of(mask, row + r);
        shortest = smaller(kept[r], shortest);
        const real largest = largest_of(x + r * width, kept[r]);
        expect(x + (rows + r) * width, kept[r], 0);
        expect(out + (rows + r) * width, kept[r], 1);
        for (ptrdiff_t i = 0; i < whole_vectors(kept[r], width); i++)
            out[r * width + i] = exp_of(x[r * width + i] - largest);
    }
    add_up(out, width, shortest, sum, rows);
    for (int r = 0; r < rows; r++) {
        for (ptrdiff_t i = shortest; i < kept[r]; i++)
            sum[r] += out[r * width + i];
        for (ptrdiff_t i = 0; i < whole_vectors(kept[r], width); i++)
            out[r * width + i] = out[r * width + i] / sum[r];
        for (ptrdiff_t i = kept[r]; i < width; i++)
            out[r * width + i] = 0;
    }
}

ROWS(softmax, 1, 0, 16) /* softmax_kernel, which softmax.h lists */

#endif
