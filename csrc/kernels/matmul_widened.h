/* Weights that stay in memory as they are stored (widen.h): laid out in panels, multiplied, and read again.
 *
 * `matmul_widened` is matmul.h with a weight of this kind. A single row multiplies each number as soon as it is widened, in
 * registers; for more rows, a stretch of k of a panel is widened into a buffer that stays in the cache, and multiplied by all rows of
 * the block. So the sums get the numbers that a float32 weight would have, in its order; from memory come only the stored bytes.
 *
 * In every job here, setting 0 is the number of the width (widths.h), and the depth is whole blocks. */
#ifndef LLMTRACE_MATMUL_WIDENED_H
#define LLMTRACE_MATMUL_WIDENED_H

#include "product.h"
#include "tile.h"
#include "widen.h"

#if LLMTRACE_REAL == 32

enum {
    STRETCH = 256,         /* so many k are widened at a time: they and a block of rows fit the cache of a core */
    SHORT_STRETCH = GROUP, /* for few rows, which read a widened number only once: the innermost cache */
};

static ptrdiff_t panel_bytes(int width, ptrdiff_t depth)
{
    return depth / stored_widths[width].weights * stored_widths[width].bytes * PANEL;
}

/* sums[0, :] = Σ_k x[row, k] · panel[k, :]; `later` is the panel that is needed next. */
static void multiply_row(const kernel_job *job, const uint8_t *panel, const matrix_layout *from, ptrdiff_t row,
                         const uint8_t *later, real *sums)
{
    const ptrdiff_t depth = job->size[1], stretch = from->run < depth ? STRETCH : depth;
    const real *x = (const real *)job->in[0] + row_place(from, row);
    real beside[STRETCH]; /* some k of x side by side, where it is split into heads */
    widened to = {.x = x, .ahead = (const char *)later, .apart = panel_bytes((int)job->setting[0], depth) / STREAMS};
    for (ptrdiff_t k = 0, count; k < depth; k += count) {
        count = smaller(stretch, depth - k);
        if (from->run < depth) {
            for (ptrdiff_t i = 0; i < count; i++)
                beside[i] = x[column_place(from, k + i)];
            to.x = beside;
        }
        widen((int)job->setting[0], panel, k, count, &to, 1);
    }
    memcpy(sums, to.sum, sizeof to.sum);
}

/* sums[r, :] = Σ_k x[first + r, k] · panel[k, :] for a block of rows. Numbers of 16 bits of the next STRETCH come into the cache
 * meanwhile, in several streams side by side; those of fewer bits need no help. */
static void multiply_block(const kernel_job *job, const uint8_t *panel, const matrix_layout *from, ptrdiff_t first, ptrdiff_t rows,
                           real *sums)
{
    const ptrdiff_t depth = job->size[1], stretch = rows <= TILE_ROWS ? SHORT_STRETCH : STRETCH;
    const int width = (int)job->setting[0];
    enum { LINES = (2 * PANEL + CACHE_LINE - 1) / CACHE_LINE, STEP = 2 * PANEL / LINES };
    real wide[STRETCH * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    ptrdiff_t place[ROW_GROUP];
    find_rows(from, first, rows, place);
    for (ptrdiff_t k = 0, count, ready = 0; k < depth; k += count) {
        if (k == ready) {
            ready = smaller(depth, k + stretch);
            widen(width, panel, k, ready - k, &(widened){.out = wide}, 0);
        }
        count = smaller(ready - k, from->run - k % from->run); /* a tile never crosses a head of x */
        tile_terms terms = {.x_step = 1, .panel = wide + k % stretch * PANEL, .panel_step = PANEL, .depth = count};
        for (ptrdiff_t r = 0; r < rows; r += TILE_ROWS) {
            for (ptrdiff_t i = 0; i < TILE_ROWS; i++) /* beyond the last row: that row again, unused */
                terms.x[i] = (const real *)job->in[0] + column_place(from, k) + place[smaller(r + i, rows - 1)];
            if (r == 0 && stored_widths[width].weights == 1) {
                terms.ahead = (const char *)panel + (k - k % STRETCH + STRETCH) * 2 * PANEL + k % STRETCH * STEP;
                terms.ahead_step = STEP, terms.apart = STRETCH * STEP, terms.lines = LINES;
                tile_of(&terms, sums, k == 0, smaller(TILE_ROWS, rows), TILE_VECTORS);
            } else {
                terms.lines = 0;
                tile_of(&terms, sums + r * PANEL, k == 0, smaller(TILE_ROWS, rows - r), TILE_VECTORS);
            }
        }
    }
}

/* in: x [rows, depth], the panels, bias [columns] or NULL; out and sizes: as in matmul.h. An item is a block of rows and a panel. */
static void matmul_widened_kernel(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t depth = job->size[1], columns = job->size[2], block = job->size[3], panels = (columns + PANEL - 1) / PANEL;
    const matrix_layout from = layout_of(job->size[4], job->size[5], depth);
    block_output out = {.job = job, .layout = layout_of(job->size[6], job->size[7], columns)};
    const stored_width *width = &stored_widths[(int)job->setting[0]];
    real sums[ROW_GROUP * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    if (job->size[0] <= TILE_ROWS && job->setting[0] == WIDTH_F16) {
        few_rows(job, begin, end, f16_at, 2);
        return;
    }
    if (job->size[0] <= TILE_ROWS && job->setting[0] == WIDTH_BF16) {
        few_rows(job, begin, end, bf16_at, 2);
        return;
    }
    if (depth == 0)
        memset(sums, 0, sizeof sums);
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t first = item / panels * block, rows = smaller(block, job->size[0] - first);
        const uint8_t *panel = (const uint8_t *)job->in[1] + item % panels * panel_bytes((int)job->setting[0], depth);
        if (rows == 1)
            multiply_row(job, panel, &from, first, panel_after(job, item, panels, width->weights, width->bytes), sums);
        else
            multiply_block(job, panel, &from, first, rows, sums);
        out.column = item % panels * PANEL, out.count = smaller(PANEL, columns - out.column);
        find_rows(&out.layout, first, rows, out.place);
        write_rows(&out, sums, 0, rows);
    }
}

/* Copies the blocks of `count` columns from the file's order into a panel, or back. `rows` points to the first column's block;
 * column j's lies j · stride bytes behind it. */
ALWAYS_INLINE void move_block(const stored_width *w, uint8_t *rows, ptrdiff_t stride, uint8_t *panel, ptrdiff_t count,
                              const int back)
{
    for (int f = 0; f < MOST_FIELDS && w->fields[f].count; f++)
        for (int i = 0; i < w->fields[f].count; i++) {
            const int unit = w->fields[f].unit, offset = w->fields[f].offset + i * unit;
            uint8_t *const there = panel + offset * PANEL, *const here = rows + offset;
#define MOVE(bytes)                                                                                                    \
    for (ptrdiff_t j = 0; j < count; j++)                                                                              \
        if (back)                                                                                                      \
            memcpy(here + j * stride, there + j * (bytes), bytes);                                                     \
        else                                                                                                           \
            memcpy(there + j * (bytes), here + j * stride, bytes);
            if (unit == 1) {
                MOVE(1)
            } else if (unit == 2) {
                MOVE(2)
            } else {
                MOVE(4)
            }
#undef MOVE
        }
}

/* The same for numbers of two bytes, `depth` of each column, that lie `step` bytes apart. A few columns at a time, for a cache
 * keeps only so many lines whose places differ by a power of two, as those of a row's beginning often do. */
static void pack_halves(const uint8_t *rows, ptrdiff_t stride, ptrdiff_t step, uint8_t *panel, ptrdiff_t count, ptrdiff_t depth)
{
    enum { COLUMNS = 8, DEPTH = 32 };
    for (ptrdiff_t k = 0; k < depth; k += DEPTH)
        for (ptrdiff_t j = 0; j < count; j += COLUMNS)
            for (ptrdiff_t i = k; i < smaller(k + DEPTH, depth); i++)
                for (ptrdiff_t c = j; c < smaller(j + COLUMNS, count); c++)
                    memcpy(panel + 2 * (i * PANEL + c), rows + c * stride + i * step, 2);
}

/* in: blocks [columns, blocks of the depth]; out: the panels; size: depth, columns, the strides of both axes of blocks in bytes.
 * An item is a panel. */
static void pack_stored_kernel(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const stored_width *w = &stored_widths[(int)job->setting[0]];
    const ptrdiff_t blocks = job->size[0] / w->weights, columns = job->size[1];
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t count = smaller(PANEL, columns - item * PANEL);
        uint8_t *panel = (uint8_t *)job->out + item * blocks * w->bytes * PANEL;
        uint8_t *rows = (uint8_t *)(uintptr_t)job->in[0] + item * PANEL * job->size[2];
        if (count < PANEL)
            memset(panel, 0, (size_t)(blocks * w->bytes * PANEL));
        if (w->weights == 1)
            pack_halves(rows, job->size[2], job->size[3], panel, count, blocks);
        for (ptrdiff_t b = 0; w->weights > 1 && b < blocks; b++)
            move_block(w, rows + b * job->size[3], job->size[2], panel + b * w->bytes * PANEL, count, 0);
    }
}

/* in: the panels; out: the bytes of the blocks [columns, blocks of the depth] in the file's order; size: depth, columns. An item
 * is a panel. */
static void unpack_stored_kernel(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const stored_width *w = &stored_widths[(int)job->setting[0]];
    const ptrdiff_t blocks = job->size[0] / w->weights, columns = job->size[1], stride = blocks * w->bytes;
    for (ptrdiff_t item = begin; item < end; item++)
        for (ptrdiff_t b = 0; b < blocks; b++)
            move_block(w, (uint8_t *)job->out + item * PANEL * stride + b * w->bytes, stride,
                       (uint8_t *)(uintptr_t)job->in[0] + (item * blocks + b) * w->bytes * PANEL,
                       smaller(PANEL, columns - item * PANEL), 1);
}

/* out[j · depth + k] = columns `first` … `first + count − 1` of the panel as float32. */
static void widen_to_rows(const kernel_job *job, const uint8_t *panel, ptrdiff_t first, ptrdiff_t count, float *out)
{
    const ptrdiff_t depth = job->size[0];
    float wide[GROUP * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    for (ptrdiff_t k = 0; k < depth; k += GROUP) {
        const ptrdiff_t some = smaller(GROUP, depth - k);
        widen((int)job->setting[0], panel, k, some, &(widened){.out = wide}, 0);
        for (ptrdiff_t j = 0; j < count; j++)
            for (ptrdiff_t i = 0; i < some; i++)
                out[j * depth + k + i] = wide[i * PANEL + first + j];
    }
}

/* out [columns, depth] = the weight as float32. in: the panels; size: depth, columns. An item is a panel. */
static void widen_panels_kernel(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t depth = job->size[0], columns = job->size[1], bytes = panel_bytes((int)job->setting[0], depth);
    for (ptrdiff_t item = begin; item < end; item++)
        widen_to_rows(job, (const uint8_t *)job->in[0] + item * bytes, 0, smaller(PANEL, columns - item * PANEL),
                      (float *)job->out + item * PANEL * depth);
}

/* out[i, :] = column ids[i] of the weight as float32. in: the panels, ids (int64); size: depth. An item is an id. */
static void widen_columns_kernel(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t depth = job->size[0], bytes = panel_bytes((int)job->setting[0], depth);
    for (ptrdiff_t item = begin; item < end; item++) {
        const int64_t id = ((const int64_t *)job->in[1])[item];
        widen_to_rows(job, (const uint8_t *)job->in[0] + id / PANEL * bytes, id % PANEL, 1, (float *)job->out + item * depth);
    }
}

#else /* the table of float64 has the same kernels, but nothing is widened to it */

#define UNUSED(name)                                                                                                   \
    static void name##_kernel(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end) { (void)job, (void)begin, (void)end; }
UNUSED(matmul_widened)
UNUSED(pack_stored)
UNUSED(unpack_stored)
UNUSED(widen_panels)
UNUSED(widen_columns)
#undef UNUSED

#endif
#endif

KERNEL(matmul_widened)
KERNEL(pack_stored)
KERNEL(unpack_stored)
KERNEL(widen_panels)
KERNEL(widen_columns)
