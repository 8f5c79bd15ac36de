/* A tile of a matrix product: the sums of a few rows × one panel of columns, which stay in registers while k runs over a segment.
 *
 *                  w's panel: PANEL columns, all numbers of one k side by side
 *                  ┌─────────┐
 *                  │ k  ───► │    for each k: every row's x[r, k] times the panel's numbers of that k, added to the row's sums.
 *         x        ├─────────┤    Lanes are different columns j, so no sum is ever split or reordered.
 *      ┌───────┐   ┌─────────┐
 *      │ k ──► │   │  sums   │ TILE_ROWS at a time, each TILE_VECTORS vectors wide
 *      └───────┘   └─────────┘
 *
 * Each product is rounded, then each sum: a multiplier and an adder work side by side, and both are busy nearly all the time. */
#ifndef LLMTRACE_TILE_H
#define LLMTRACE_TILE_H

#include "kernel.h"
#include "vector.h"

#include <stdint.h>

/* What is multiplied: x[r][k · x_step] and panel[k · panel_step + j], for `depth` values of k. Meanwhile `lines` cache lines for each
 * k come into the cache, `apart` bytes from each other: at `ahead`, and for every next k `ahead_step` bytes behind it. */
typedef struct {
    const real *x[TILE_ROWS];
    ptrdiff_t x_step;
    const real *panel;
    ptrdiff_t panel_step, depth;
    const char *ahead;
    ptrdiff_t ahead_step, apart;
    int lines;
} tile_terms;

/* sums[r, :] = (0 where `first`, else sums[r, :]) + Σ_k x[r, k] · panel[k, :] for `rows` ≤ TILE_ROWS rows and as many columns
 * as fit into `vectors` ≤ TILE_VECTORS vectors. */
ALWAYS_INLINE void tile(const tile_terms *terms, real *sums, const int first, const int rows, const int vectors)
{
    const real *panel = terms->panel;
    const char *ahead = terms->ahead;
    vector sum[TILE_ROWS][TILE_VECTORS];
    const real *row[TILE_ROWS];
    UNROLL for (int r = 0; r < rows; r++) {
        row[r] = terms->x[r];
        UNROLL for (int v = 0; v < vectors; v++)
            sum[r][v] = first ? (vector){0} : *(const vector *)(sums + r * PANEL + v * LANES);
    }
    for (ptrdiff_t k = 0; k < terms->depth; k++, panel += terms->panel_step, ahead += terms->ahead_step) {
        vector w[TILE_VECTORS];
        UNROLL for (int v = 0; v < vectors; v++)
            w[v] = *(const loose_vector *)(panel + v * LANES);
        UNROLL for (int i = 0; i < terms->lines; i++)
            __builtin_prefetch(ahead + i * terms->apart, 0, 3);
        UNROLL for (int r = 0; r < rows; r++) {
            const vector x = in_all_lanes(row[r] + k * terms->x_step);
            UNROLL for (int v = 0; v < vectors; v++)
                sum[r][v] = sum[r][v] + w[v] * x;
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < vectors; v++)
            *(vector *)(sums + r * PANEL + v * LANES) = sum[r][v];
}

/* `tile` with the number of rows as a constant, which keeps the sums in registers; `vectors`, the steps and lines should be, too. */
ALWAYS_INLINE void tile_of(const tile_terms *terms, real *sums, int first, ptrdiff_t rows, const int vectors)
{
    switch (rows) {
#if TILE_ROWS > 4
    case 6: tile(terms, sums, first, 6, vectors); break;
    case 5: tile(terms, sums, first, 5, vectors); break;
#endif
    case 4: tile(terms, sums, first, 4, vectors); break;
    case 3: tile(terms, sums, first, 3, vectors); break;
    case 2: tile(terms, sums, first, 2, vectors); break;
    default: tile(terms, sums, first, 1, vectors);
    }
}

/* A vector of a panel, from where its numbers lie as they are stored. */
typedef vector (*vector_at)(const uint8_t *place);

ALWAYS_INLINE vector reals_at(const uint8_t *place) { return *(const loose_vector *)place; }

/* The same of a single row and `panels` ≤ TILE_ROWS panels, `apart` bytes from each other: sums[p, :] = (0 where `first`, else
 * sums[p, :]) + Σ_k x[k] · panel_p[k, :], numbers of `size` bytes. Memory is all that takes time then, and several streams get
 * more of it than one. */
ALWAYS_INLINE void row_tile(const real *x, const uint8_t *panel, ptrdiff_t apart, ptrdiff_t depth, real *sums, int first,
                            const int panels, const vector_at at, const int size)
{
    vector sum[TILE_ROWS][TILE_VECTORS];
    UNROLL for (int p = 0; p < panels; p++)
        UNROLL for (int v = 0; v < TILE_VECTORS; v++)
            sum[p][v] = first ? (vector){0} : *(const vector *)(sums + p * PANEL + v * LANES);
    for (ptrdiff_t k = 0; k < depth; k++, panel += PANEL * size) {
        const vector all = in_all_lanes(x + k);
        UNROLL for (int p = 0; p < panels; p++) {
            const uint8_t *w = panel + p * apart;
            UNROLL for (int ahead = 0; ahead < PANEL * size; ahead += CACHE_LINE)
                __builtin_prefetch(w + AHEAD + ahead, 0, 3);
            UNROLL for (int v = 0; v < TILE_VECTORS; v++)
                sum[p][v] = sum[p][v] + at(w + v * LANES * size) * all;
        }
    }
    UNROLL for (int p = 0; p < panels; p++)
        UNROLL for (int v = 0; v < TILE_VECTORS; v++)
            *(vector *)(sums + p * PANEL + v * LANES) = sum[p][v];
}

/* `row_tile` with the number of panels as a constant; `at` and `size` should be, too. */
ALWAYS_INLINE void row_tile_of(const real *x, const uint8_t *panel, ptrdiff_t apart, ptrdiff_t depth, real *sums, int first,
                               ptrdiff_t panels, const vector_at at, const int size)
{
    switch (panels) {
#if TILE_ROWS > 4
    case 6: row_tile(x, panel, apart, depth, sums, first, 6, at, size); break;
    case 5: row_tile(x, panel, apart, depth, sums, first, 5, at, size); break;
#endif
    case 4: row_tile(x, panel, apart, depth, sums, first, 4, at, size); break;
    case 3: row_tile(x, panel, apart, depth, sums, first, 3, at, size); break;
    case 2: row_tile(x, panel, apart, depth, sums, first, 2, at, size); break;
    default: row_tile(x, panel, apart, depth, sums, first, 1, at, size);
    }
}

/* Further terms of one row of a tile: sum = sum + Σ_k x[k · x_step] · panel[k · panel_step, :], k ascending, for k < depth. */
ALWAYS_INLINE void add_terms(vector *sum, const real *x, ptrdiff_t x_step, const real *panel, ptrdiff_t panel_step, ptrdiff_t depth,
                             const int vectors)
{
    for (ptrdiff_t k = 0; k < depth; k++)
        for (int i = 0; i < vectors; i++)
            sum[i] = sum[i] + x[k * x_step] * *(const loose_vector *)(panel + k * panel_step + i * LANES);
}

/* name_features(job, pattern, x, first, out, rows): all features of some rows of attention, size[2] of the job. name_of does as many
 * vectors of them as it is told, a constant, and name_rest the last features, fewer than a vector. */
#define FEATURES(name)                                                                                                 \
    static void name##_features(const kernel_job *j, const real *pattern, const real *x, ptrdiff_t first, real *out,   \
                                ptrdiff_t rows)                                                                        \
    {                                                                                                                  \
        const ptrdiff_t width = j->size[2];                                                                            \
        ptrdiff_t d = 0;                                                                                               \
        for (; d + TILE_VECTORS * LANES <= width; d += TILE_VECTORS * LANES)                                           \
            name##_of(j, pattern, x + d, first, out + d, rows, TILE_VECTORS);                                          \
        const ptrdiff_t vectors = (width - d) / LANES;                                                                 \
        if (TILE_VECTORS > 3 && vectors == 3)                                                                          \
            name##_of(j, pattern, x + d, first, out + d, rows, 3);                                                     \
        else if (vectors == 2)                                                                                         \
            name##_of(j, pattern, x + d, first, out + d, rows, 2);                                                     \
        else if (vectors == 1)                                                                                         \
            name##_of(j, pattern, x + d, first, out + d, rows, 1);                                                     \
        d += vectors * LANES;                                                                                          \
        if (d < width)                                                                                                 \
            name##_rest(j, pattern, x + d, first, out + d, rows, width - d);                                           \
    }

#endif
