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
    const void *panel;
    ptrdiff_t panel_step, depth;
    const char *ahead;
    ptrdiff_t ahead_step, apart;
    int lines;
} tile_terms;

/* A vector of a panel, from where its numbers lie as they are stored. */
typedef vector (*vector_at)(const uint8_t *place);

ALWAYS_INLINE vector reals_at(const uint8_t *place) { return *(const loose_vector *)place; }

/* sums[r, :] = (0 where `first`, else sums[r, :]) + Σ_k x[r, k] · panel[k, :] for `rows` ≤ TILE_ROWS rows and as many columns
 * as fit into `vectors` ≤ TILE_VECTORS vectors, of numbers that take `size` bytes. */
ALWAYS_INLINE void tile(const tile_terms *terms, real *sums, const int first, const int rows, const int vectors, const vector_at at,
                        const int size)
{
    const uint8_t *panel = terms->panel;
    const char *ahead = terms->ahead;
    vector sum[TILE_ROWS][TILE_VECTORS];
    const real *row[TILE_ROWS];
    UNROLL for (int r = 0; r < rows; r++) {
        row[r] = terms->x[r];
        UNROLL for (int v = 0; v < vectors; v++)
            sum[r][v] = first ? (vector){0} : *(const vector *)(sums + r * PANEL + v * LANES);
    }
    for (ptrdiff_t k = 0; k < terms->depth; k++, panel += terms->panel_step * size, ahead += terms->ahead_step) {
        vector w[TILE_VECTORS];
        UNROLL for (int v = 0; v < vectors; v++)
            w[v] = at(panel + v * LANES * size);
        UNROLL for (int i = 0; i < terms->lines; i++)
            __builtin_prefetch(ahead + i * terms->apart, 0, 2);
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

/* `tile` with the number of rows as a constant, which keeps the sums in registers; all else but `first` should be one, too. */
ALWAYS_INLINE void stored_tile_of(const tile_terms *terms, real *sums, int first, ptrdiff_t rows, const int vectors,
                                  const vector_at at, const int size)
{
    switch (rows) {
#if TILE_ROWS > 4
    case 6: tile(terms, sums, first, 6, vectors, at, size); break;
    case 5: tile(terms, sums, first, 5, vectors, at, size); break;
#endif
    case 4: tile(terms, sums, first, 4, vectors, at, size); break;
    case 3: tile(terms, sums, first, 3, vectors, at, size); break;
    case 2: tile(terms, sums, first, 2, vectors, at, size); break;
    default: tile(terms, sums, first, 1, vectors, at, size);
    }
}

/* The same with a panel of reals. */
ALWAYS_INLINE void tile_of(const tile_terms *terms, real *sums, int first, ptrdiff_t rows, const int vectors)
{
    stored_tile_of(terms, sums, first, rows, vectors, reals_at, sizeof(real));
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
