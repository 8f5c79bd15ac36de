/* The scores of attention (Vaswani et al. 2017, arXiv:1706.03762, equation 1), one head at a time; n counts batch × heads:
 *   score[t, s] = (Σ_d q[t, d]·k[s, d]) / √D      for the keys s = 0 … S − T + t that query t may see, −∞ for the others
 * Undivided, masked ones are 0: the products Σ a·b that make the gradient of a pattern.
 * An item is a block of ATTENTION_BLOCK queries of one n. No sum is split: lanes are different keys, which are transposed into a
 * panel first, so that tiles (tile.h) can be computed.
 *
 * in: q [N, T, D], k [N, S, D], whose blocks may lie further apart than their size: a cache has room to grow. out [N, T, S].
 * size: T, S, D, elements from a block of k to the next, 1 where divided or else 0, P: query t sees the keys below P + t + 1,
 * which is S − T where later keys are masked, S where none is. */
#ifndef LLMTRACE_ATTENTION_SCORES_H
#define LLMTRACE_ATTENTION_SCORES_H

#include "tile.h"
#include "transpose.h"

#include <string.h>

enum { SLAB = 64 }; /* so many features at a time */

/* By what scores are divided; `factor` is 1 / divisor where that is exact, so that multiplying gives the same bits in a tenth of
 * the time, or else 0. */
typedef struct {
    real divisor, factor;
} score_scale;

static inline score_scale scale_of(ptrdiff_t width, int divided)
{
    const real root = root_of((real)width);
    ptrdiff_t odd = width;
    while (odd > 0 && odd % 4 == 0)
        odd /= 4;
    return !divided ? (score_scale){1, 1} : (score_scale){root, odd == 1 ? 1 / root : 0}; /* the root of 4^n is 2^n */
}

/* sums[t, lane] = Σ_d q[t, d]·k[lane, d] for `queries` queries and `lanes` ≤ PANEL keys: over all of D, in order, slab after slab. */
static void score_block(const real *q, const real *k, ptrdiff_t width, ptrdiff_t queries, ptrdiff_t lanes, real *sums)
{
    real slab[SLAB * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    if (lanes < PANEL)
        memset(slab, 0, sizeof slab);
    if (width == 0)
        memset(sums, 0, (size_t)(queries * PANEL) * sizeof(real));
    for (ptrdiff_t start = 0; start < width; start += SLAB) {
        const ptrdiff_t depth = smaller(SLAB, width - start);
        transpose(k + start, width, slab, PANEL, lanes, depth);
        for (ptrdiff_t t = 0; t < queries; t += TILE_ROWS) {
            tile_terms terms = {.x_step = 1, .panel = slab, .panel_step = PANEL, .depth = depth};
            for (ptrdiff_t i = 0; i < TILE_ROWS; i++) /* beyond the last query: that query again, unused */
                terms.x[i] = q + smaller(t + i, queries - 1) * width + start;
            tile_of(&terms, sums + t * PANEL, start == 0, smaller(TILE_ROWS, queries - t), TILE_VECTORS);
        }
    }
}

static inline void write_scores(const real *restrict sums, ptrdiff_t count, score_scale scale, real *restrict out)
{
    if (scale.factor != 0)
        for (ptrdiff_t i = 0; i < count; i++)
            out[i] = sums[i] * scale.factor;
    else
        for (ptrdiff_t i = 0; i < count; i++)
            out[i] = sums[i] / scale.divisor;
}

static void attention_scores_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t all_queries = j->size[0], keys = j->size[1], width = j->size[2], key_stride = j->size[3];
    const int divided = (int)j->size[4];
    const ptrdiff_t blocks = (all_queries + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    const ptrdiff_t past = j->size[5];
    const score_scale scale = scale_of(width, divided);
    real sums[ATTENTION_BLOCK * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, first = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t queries = smaller(ATTENTION_BLOCK, all_queries - first);
        const real *q = (const real *)j->in[0] + (n * all_queries + first) * width;
        const real *k = (const real *)j->in[1] + n * key_stride;
        real *out = (real *)j->out + (n * all_queries + first) * keys;
        for (ptrdiff_t key = 0; key < smaller(keys, past + first + queries); key += PANEL) {
            const ptrdiff_t lanes = smaller(PANEL, keys - key);
            const ptrdiff_t skip = key > past + first ? key - past - first : 0; /* earlier queries see none of these keys */
            score_block(q + skip * width, k + key * width, width, queries - skip, lanes, sums);
            for (ptrdiff_t t = skip; t < queries; t++)
                write_scores(sums + (t - skip) * PANEL, smaller(lanes, past + first + t + 1 - key), scale, out + t * keys + key);
        }
        for (ptrdiff_t t = 0; t < queries; t++)
            for (ptrdiff_t key = past + first + t + 1; key < keys; key++)
                out[t * keys + key] = divided ? -(real)INFINITY : 0;
    }
}

#endif

KERNEL(attention_scores)
