/* Softmax of rows, and its gradient; see softmax_rows.h. */
#ifndef LLMTRACE_SOFTMAX_H
#define LLMTRACE_SOFTMAX_H

#include "softmax_rows.h"

/* The gradient, from the probabilities p that softmax made: inner = Σ dout·p along the row;  dx = p·(dout − inner); masked
 * ones are 0. in: p, dout [rows, width]; sizes as above. */
ALWAYS_INLINE void softmax_gradient_rows(const kernel_job *j, ptrdiff_t row, const int rows)
{
    const row_mask mask = mask_of(j);
    const ptrdiff_t width = mask.width;
    const real *p = (const real *)j->in[0] + row * width, *dout = (const real *)j->in[1] + row * width;
    real *restrict out = (real *)j->out + row * width;
    real inner[ROWS_TOGETHER];
    ptrdiff_t kept[ROWS_TOGETHER], shortest = width;
    for (int r = 0; r < rows; r++) {
        kept[r] = kept_of(mask, row + r);
        shortest = smaller(kept[r], shortest);
        expect(p + (rows + r) * width, kept[r], 0);
        expect(dout + (rows + r) * width, kept[r], 0);
        expect(out + (rows + r) * width, kept[r], 1);
        for (ptrdiff_t i = 0; i < whole_vectors(kept[r], width); i++)
            out[r * width + i] = dout[r * width + i] * p[r * width + i];
    }
    add_up(out, width, shortest, inner, rows);
    for (int r = 0; r < rows; r++) {
        for (ptrdiff_t i = shortest; i < kept[r]; i++)
            inner[r] += out[r * width + i];
        for (ptrdiff_t i = 0; i < whole_vectors(kept[r], width); i++)
            out[r * width + i] = p[r * width + i] * (dout[r * width + i] - inner[r]);
        for (ptrdiff_t i = kept[r]; i < width; i++)
            out[r * width + i] = 0;
    }
}

/* Rows of two sizes are causal. */
#define causal_softmax_kernel softmax_kernel
#define causal_softmax_gradient_kernel softmax_gradient_kernel

#endif

ITEMS(softmax, 1, 0, 16)
ITEMS(causal_softmax, 1, 0, 16)
ROWS(softmax_gradient, 2, 0, 4)
ITEMS(causal_softmax_gradient, 2, 0, 4)
