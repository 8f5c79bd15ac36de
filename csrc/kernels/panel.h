/* Filling a panel: the numbers of PANEL columns of a weight of any strides, all of one k side by side, as tiles (tile.h) take them. */
#ifndef LLMTRACE_PANEL_H
#define LLMTRACE_PANEL_H

#include "kernel.h"
#include "transpose.h"
#include "vector.h"

#include <string.h>

/* A weight [depth, columns] as it lies in memory: where its first number is, and the strides of both axes in bytes. */
typedef struct {
    const char *data;
    ptrdiff_t depth_stride, column_stride;
} strided_weight;

/* panel[k, j] = w[first + k, column + j] for k < depth, j < columns ≤ PANEL, with zeros in the columns beyond. */
static void fill_panel(const strided_weight *w, ptrdiff_t first, ptrdiff_t depth, ptrdiff_t column, ptrdiff_t columns, real *panel)
{
    const ptrdiff_t size = sizeof(real);
    const char *from = w->data + first * w->depth_stride + column * w->column_stride;
    if (columns < PANEL)
        memset(panel, 0, (size_t)(depth * PANEL) * sizeof(real));
    if (w->depth_stride == size && w->column_stride % size == 0)
        transpose((const real *)from, w->column_stride / size, panel, PANEL, columns, depth);
    else if (w->column_stride == size && columns == PANEL)
        for (ptrdiff_t k = 0; k < depth; k++)
            memcpy(panel + k * PANEL, from + k * w->depth_stride, PANEL * sizeof(real));
    else
        for (ptrdiff_t k = 0; k < depth; k++)
            for (ptrdiff_t j = 0; j < columns; j++)
                panel[k * PANEL + j] = *(const real *)(from + k * w->depth_stride + j * w->column_stride);
}

#endif
