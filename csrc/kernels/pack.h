/* Packing a weight for matmul.h: panel p holds, for each k in turn, w[k, p·PANEL … p·PANEL + PANEL − 1], with zeros beyond the
 * last column. An item is a panel.
 * in: w [depth, columns] of any strides; out: the panels. size: depth, columns, the strides of both axes in bytes. */
#ifndef LLMTRACE_PACK_H
#define LLMTRACE_PACK_H

#include "panel.h"

static void pack_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t depth = j->size[0], columns = j->size[1];
    const strided_weight w = {j->in[0], j->size[2], j->size[3]};
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t column = item * PANEL;
        fill_panel(&w, 0, depth, column, smaller(PANEL, columns - column), (real *)j->out + column * depth);
    }
}

#endif

KERNEL(pack)
