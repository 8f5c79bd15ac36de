/* out[r, j] = (Σ_k x[r, k] · w[k, j], k ascending) + bias[j], tile by tile (tile.h).
 *
 * The depth is taken in segments, sums resting in memory (same bits) between them, so that a panel's segment is still in the
 * cache when the next tile of rows needs it; and so that x may be split into heads, where a segment never crosses a head.
 *
 * in: x [rows, depth], the panels of w (pack.h), bias [columns] or NULL, the panels of the weight that will probably be multiplied
 * next or NULL; out [rows, columns]; x and out may be split into heads.
 * size: rows, depth, columns, rows of a block, heads and positions of x, heads and positions of out, how many threads there are, and
 * the depth and columns of that next weight. */
#ifndef LLMTRACE_MATMUL_H
#define LLMTRACE_MATMUL_H

#include "panel.h"
#include "product.h"
#include "tile.h"

enum { FILLED = 256 }; /* so many k at a time of a panel that is not packed */

/* A block of rows of x: where their numbers from some k on are, x[place[r]] and those behind it; and `lines` cache lines of the
 * next block, from `ahead` on, that come into the cache meanwhile. */
typedef struct {
    const real *x;
    ptrdiff_t place[ROW_GROUP], rows;
    const char *ahead;
    ptrdiff_t lines;
} row_block;

/* While the rows of one tile are multiplied, their part of what is needed next comes: of the next block, and the memory that the
 * sums go to. */
static inline void fetch_rows(const row_block *block, const block_output *out, ptrdiff_t first, ptrdiff_t rows)
{
    for (ptrdiff_t i = block->lines * first / block->rows; i < block->lines * (first + rows) / block->rows; i++)
        __builtin_prefetch(block->ahead + i * CACHE_LINE, 0, 2);
    expect_rows(out, first, rows);
}

/* The block's sums with `depth` numbers of a panel, the last ones where `out` says where the sums go. Meanwhile as many numbers from
 * `ahead` on come into the cache, those that are needed next. Each tile asks for its share, evenly, for it waits where too much is asked
 * of memory at once: for each k a part of a line, so that the same one is asked for again, or, where tiles are few, of two lines. */
static void block_sums(const row_block *block, const real *panel, ptrdiff_t depth, const real *ahead, real *sums, int first,
                       const block_output *out)
{
    const ptrdiff_t rows = block->rows, tiles = (rows + TILE_ROWS - 1) / TILE_ROWS, streams = tiles < 4 ? 2 : 1;
    const ptrdiff_t step = (PANEL * (ptrdiff_t)sizeof(real) + tiles * streams - 1) / (tiles * streams);
    tile_terms terms = {.x_step = 1, .panel = panel, .panel_step = PANEL, .depth = depth};
    terms.ahead = (const char *)ahead, terms.ahead_step = step, terms.apart = depth * step;
    for (ptrdiff_t r = 0; r < rows; r += TILE_ROWS, terms.ahead += streams * depth * step) {
        const ptrdiff_t together = smaller(TILE_ROWS, rows - r);
        for (ptrdiff_t i = 0; i < TILE_ROWS; i++) /* beyond the last row: that row again, unused */
            terms.x[i] = block->x + block->place[smaller(r + i, rows - 1)];
        if (out)
            fetch_rows(block, out, r, together);
        if (streams == 2) {
            terms.lines = 2; /* a constant, as in the other branch */
            tile_of(&terms, sums + r * PANEL, first, together, TILE_VECTORS);
        } else {
            terms.lines = 1;
            tile_of(&terms, sums + r * PANEL, first, together, TILE_VECTORS);
        }
        if (out)
            write_rows(out, sums + r * PANEL, r, together);
    }
}

/* The lines of the next block of rows that come while a block meets one of `panels` panels. Rows of heads are too scattered. */
static void share_next_block(row_block *block, const matrix_layout *from, ptrdiff_t panel, ptrdiff_t panels, int last)
{
    const ptrdiff_t width = from->run, lines = block->rows * width * (ptrdiff_t)sizeof(real) / CACHE_LINE / panels;
    block->lines = last || from->sequence_stride != from->positions * width ? 0 : lines;
    block->ahead = (const char *)(block->x + block->place[block->rows - 1] + width) + panel * lines * CACHE_LINE;
}

/* An item is a block of at most ROW_GROUP rows and one panel; panels change fastest. */
static void matmul_kernel(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t all_rows = job->size[0], depth = job->size[1], columns = job->size[2], block = job->size[3];
    const matrix_layout from = layout_of(job->size[4], job->size[5], depth);
    const ptrdiff_t panels = (columns + PANEL - 1) / PANEL, items = (all_rows + block - 1) / block * panels;
    const real *weight = job->in[1];
    row_block x = {.lines = 0};
    block_output out = {.job = job, .layout = layout_of(job->size[6], job->size[7], columns)};
    real sums[ROW_GROUP * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    if (all_rows <= TILE_ROWS) {
        few_rows(job, begin, end, reals_at, sizeof(real));
        return;
    }
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t first = item / panels * block, column = item % panels * PANEL;
        const ptrdiff_t rows = smaller(block, all_rows - first);
        const real *panel = weight + column * depth, *later = (const real *)panel_after(job, item, items, 1, sizeof(real));
        x.x = job->in[0], x.rows = rows;
        find_rows(&from, first, rows, x.place);
        share_next_block(&x, &from, item % panels, panels, first + rows == all_rows);
        out.column = column, out.count = smaller(PANEL, columns - column);
        find_rows(&out.layout, first, rows, out.place);
        ptrdiff_t k = 0, count;
        do {
            count = smaller(smaller(SEGMENT, depth - k), from.run - k % from.run);
            const int last = k + count == depth;
            x.x = (const real *)job->in[0] + column_place(&from, k);
            block_sums(&x, panel + k * PANEL, count, last ? later : panel + (k + count) * PANEL, sums, k == 0, last ? &out : NULL);
            k += count;
        } while (k < depth);
    }
}

/* The same with a weight that is not packed: each thread fills a panel, some k at a time, which stays in its cache. That costs
 * less than packing where a panel is needed only once, for one block of rows.
 * in: the weight as it lies; size: the strides of its axes in bytes behind the others. */
static void matmul_unpacked_kernel(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t all_rows = job->size[0], depth = job->size[1], columns = job->size[2], block = job->size[3];
    const matrix_layout from = layout_of(job->size[4], job->size[5], depth);
    const ptrdiff_t panels = (columns + PANEL - 1) / PANEL;
    const strided_weight weight = {job->in[1], job->size[9], job->size[10]};
    row_block x = {.lines = 0};
    block_output out = {.job = job, .layout = layout_of(job->size[6], job->size[7], columns)};
    real sums[ROW_GROUP * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    real panel[FILLED * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t first = item / panels * block, column = item % panels * PANEL;
        const ptrdiff_t rows = smaller(block, all_rows - first);
        x.rows = rows;
        find_rows(&from, first, rows, x.place);
        out.column = column, out.count = smaller(PANEL, columns - column);
        find_rows(&out.layout, first, rows, out.place);
        ptrdiff_t k = 0, count;
        do {
            count = smaller(smaller(FILLED, depth - k), from.run - k % from.run);
            fill_panel(&weight, k, count, column, out.count, panel);
            x.x = (const real *)job->in[0] + column_place(&from, k);
            block_sums(&x, panel, count, panel, sums, k == 0, k + count == depth ? &out : NULL);
            k += count;
        } while (k < depth);
    }
}

#endif

KERNEL(matmul)
KERNEL(matmul_unpacked)
