/* Packing a weight for matmul.h: panel p holds, for each k in turn, w[k, p·PANEL … p·PANEL + PANEL − 1], with zeros beyond the
 * last column. in: w; out: the panels. */
#ifndef LLMTRACE_PACK_H
#define LLMTRACE_PACK_H

#include "kernel.h"
#include "transpose.h"
#include "vector.h"

#include <string.h>

/* w [depth, columns] of any strides: transposed, or a slice of another. An item is a group of panels, wide enough to read whole
 * cache lines of a row of w. size: depth, columns, panels of a group, the strides of both axes in bytes. */
static void pack_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t depth = j->size[0], columns = j->size[1], width = j->size[2] * PANEL;
    const ptrdiff_t depth_stride = j->size[3], column_stride = j->size[4], stop = smaller(end * width, columns);
    for (ptrdiff_t group = begin * width; group < stop; group += width)
        for (ptrdiff_t k = 0; k < depth; k++)
            for (ptrdiff_t first = group; first < smaller(group + width, stop); first += PANEL) {
                const char *from = (const char *)j->in[0] + k * depth_stride + first * column_stride;
                real *to = (real *)j->out + first * depth + k * PANEL;
                for (ptrdiff_t i = 0; i < PANEL; i++, from += column_stride)
                    to[i] = first + i < columns ? *(const real *)from : 0;
            }
}

/* w transposed, [columns, depth], whose rows lie `stride` elements apart: square by square. An item is a panel.
 * size: depth, columns, stride. */
static void pack_transposed_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t depth = j->size[0], columns = j->size[1], stride = j->size[2];
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t first = item * PANEL, count = smaller(PANEL, columns - first);
        real *out = (real *)j->out + first * depth;
        if (count < PANEL) /* the columns of a last panel that the weight does not have */
            memset(out, 0, (size_t)(depth * PANEL) * sizeof(real));
        transpose((const real *)j->in[0] + first * stride, stride, out, PANEL, count, depth);
    }
}

#endif

KERNEL(pack)
KERNEL(pack_transposed)
