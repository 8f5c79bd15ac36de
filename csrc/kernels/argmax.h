/* The index of the largest entry of a row, the first of equals; a NaN is larger than everything.
 * in: x [rows, width]; out int64 [rows]; size: width. The largest value is found side by side (rows.h), then its first place. */
#ifndef LLMTRACE_ARGMAX_H
#define LLMTRACE_ARGMAX_H

#include "rows.h"

#include <stdint.h>

static void argmax_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t width = j->size[0];
    for (ptrdiff_t row = begin; row < end; row++) {
        const real *x = (const real *)j->in[0] + row * width;
        const real m = largest_of(x, width);
        ptrdiff_t place = 0;
        while (m == m ? x[place] != m : x[place] == x[place])
            place++;
        ((int64_t *)j->out)[row] = place;
    }
}

#endif

ITEMS(argmax, 1, 0, 1)
