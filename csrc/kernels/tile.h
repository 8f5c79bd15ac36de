/* A tile of a matrix product: the sums of a few rows × one panel of columns, which stay in registers while k runs over a segment.
 *
 *                  w's panel: PANEL columns, packed so that all numbers of one k lie side by side
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

/* sums[r, :] = (0 where `first`, else sums[r, :]) + Σ_k x[r][k · step] · panel[k, :]
 * for `rows` ≤ TILE_ROWS rows and `depth` values of k. */
ALWAYS_INLINE void tile(const real *const x[], const ptrdiff_t step, const real *panel, ptrdiff_t depth, real *sums,
                        const int first, const int rows)
{
    vector sum[TILE_ROWS][TILE_VECTORS];
    const real *row[TILE_ROWS];
    UNROLL for (int r = 0; r < rows; r++) {
        row[r] = x[r];
        UNROLL for (int v = 0; v < TILE_VECTORS; v++)
            sum[r][v] = first ? (vector){0} : *(const vector *)(sums + r * PANEL + v * LANES);
    }
    for (ptrdiff_t k = 0; k < depth; k++, panel += PANEL) {
        vector w[TILE_VECTORS];
        ptrdiff_t at[TILE_VECTORS]; /* k · step, for each vector */
        UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
            w[v] = *(const vector *)(panel + v * LANES);
            at[v] = k * step;
#ifdef MULTIPLIES_BY_MEMORY
            /* AVX-512 multiplies by a number in memory for free, while copying that number to all lanes of a register first
             * occupies a multiplier (a fifth of the time). The compiler would copy, since the number is used TILE_VECTORS
             * times; so we hide from it that these are the same place. */
            __asm__ volatile("" : "+r"(at[v]));
#endif
        }
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int v = 0; v < TILE_VECTORS; v++)
                sum[r][v] = sum[r][v] + w[v] * row[r][at[v]];
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < TILE_VECTORS; v++)
            *(vector *)(sums + r * PANEL + v * LANES) = sum[r][v];
}

/* `tile` with the number of rows as a constant, which keeps the sums in registers. */
ALWAYS_INLINE void tile_of(const real *const x[], const ptrdiff_t step, const real *panel, ptrdiff_t depth, real *sums, int first,
                           ptrdiff_t rows)
{
    switch (rows) {
#if TILE_ROWS > 4
    case 6: tile(x, step, panel, depth, sums, first, 6); break;
    case 5: tile(x, step, panel, depth, sums, first, 5); break;
#endif
    case 4: tile(x, step, panel, depth, sums, first, 4); break;
    case 3: tile(x, step, panel, depth, sums, first, 3); break;
    case 2: tile(x, step, panel, depth, sums, first, 2); break;
    default: tile(x, step, panel, depth, sums, first, 1);
    }
}

#endif
