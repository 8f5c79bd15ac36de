/* The scores of attention (Vaswani et al. 2017, arXiv:1706.03762, equation 1), one head at a time; n counts batch × heads:
 *   score[t, s] = (Σ_d q[t, d]·k[s, d]) / √D      for the keys s = 0 … S − T + t that query t may see, −∞ for the others
 * Undivided, masked ones are 0: the products Σ a·b that make the gradient of a pattern.
 * An item is a block of ATTENTION_BLOCK queries of one n. No sum is split: lanes are different keys, which are transposed into a
 * panel first, so that tiles (tile.h) can be computed.
 *
 * in: q [N, T, D], k [N, S, D], whose blocks may lie further apart than their size: a cache has room to grow. out [N, T, S].
 * size: T, S, D, elements from a block of k to the next, 1 where divided or else 0, P: query t sees the keys below P + t + 1,
 * which is S − T where later keys are masked, S where none is. */
#ifndef LLMTRACE_SCORES_H
#define LLMTRACE_SCORES_H

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

/* Where the scores of some queries for the keys of a panel go: query t's are out[t · stride …], for the first `seen` + t of them, at
 * most `lanes`. */
typedef struct {
    real *out;
    ptrdiff_t stride, lanes, seen;
    score_scale scale;
} score_output;

/* Asks for the memory of the scores of `queries` queries from `first` on, which are written soon. */
static inline void expect_scores(const score_output *o, ptrdiff_t first, ptrdiff_t queries)
{
    for (ptrdiff_t t = first; t < first + queries; t++)
        for (ptrdiff_t lane = 0; lane < o->lanes; lane += CACHE_LINE / (ptrdiff_t)sizeof(real))
            __builtin_prefetch(o->out + t * o->stride + lane, 1, 2);
}

static inline void write_scores(const score_output *o, const real *restrict sums, ptrdiff_t first, ptrdiff_t queries)
{
    for (ptrdiff_t t = first; t < first + queries; t++) {
        const real *restrict from = sums + (t - first) * PANEL;
        real *restrict out = o->out + t * o->stride;
        const ptrdiff_t count = smaller(o->lanes, o->seen + t);
        if (o->scale.factor != 0)
            for (ptrdiff_t i = 0; i < count; i++)
                out[i] = from[i] * o->scale.factor;
        else
            for (ptrdiff_t i = 0; i < count; i++)
                out[i] = from[i] / o->scale.divisor;
    }
}

/* A tile of which only the columns below `lanes` are needed: where queries see few keys, some vectors of them are left out. */
static void score_tile(const tile_terms *terms, real *sums, int first, ptrdiff_t queries, ptrdiff_t lanes)
{
    const ptrdiff_t vectors = (lanes + LANES - 1) / LANES;
    if (vectors == 1)
        tile_of(terms, sums, first, queries, 1);
    else if (vectors == 2)
        tile_of(terms, sums, first, queries, 2);
    else if (TILE_VECTORS > 3 && vectors == 3)
        tile_of(terms, sums, first, queries, 3);
    else
        tile_of(terms, sums, first, queries, TILE_VECTORS);
}

/* out[t, lane] = Σ_d q[t, d]·k[lane, d] for `queries` queries: over all of D, in order, slab after slab. */
static void score_block(const real *q, const real *k, ptrdiff_t width, ptrdiff_t queries, const score_output *o)
{
    real slab[SLAB * PANEL] __attribute__((aligned(VECTOR_BYTES))), sums[ATTENTION_BLOCK * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    if (o->lanes < PANEL)
        memset(slab, 0, sizeof slab);
    ptrdiff_t start = 0, depth;
    do {
        depth = smaller(SLAB, width - start);
        const int last = start + depth == width;
        transpose(k + start, width, slab, PANEL, o->lanes, depth);
        for (ptrdiff_t t = 0; t < queries; t += TILE_ROWS) {
            const ptrdiff_t together = smaller(TILE_ROWS, queries - t);
            tile_terms terms = {.x_step = 1, .panel = slab, .panel_step = PANEL, .depth = depth};
            for (ptrdiff_t i = 0; i < TILE_ROWS; i++) /* beyond the last query: that query again, unused */
                terms.x[i] = q + smaller(t + i, queries - 1) * width + start;
            if (last)
                expect_scores(o, t, together);
            score_tile(&terms, sums + t * PANEL, start == 0, together, smaller(o->lanes, o->seen + t + together - 1));
            if (last)
                write_scores(o, sums + t * PANEL, t, together);
        }
        start += depth;
    } while (start < width);
}

static void score_blocks(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t all_queries = j->size[0], keys = j->size[1], width = j->size[2], key_stride = j->size[3];
    const int divided = (int)j->size[4];
    const ptrdiff_t blocks = (all_queries + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    const ptrdiff_t past = j->size[5];
    const score_scale scale = scale_of(width, divided);
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, first = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t queries = smaller(ATTENTION_BLOCK, all_queries - first);
        const real *q = (const real *)j->in[0] + (n * all_queries + first) * width;
        const real *k = (const real *)j->in[1] + n * key_stride;
        real *out = (real *)j->out + (n * all_queries + first) * keys;
        for (ptrdiff_t key = 0; key < smaller(keys, past + first + queries); key += PANEL) {
            const ptrdiff_t skip = key > past + first ? key - past - first : 0; /* earlier queries see none of these keys */
            const score_output o = {out + skip * keys + key, keys, smaller(PANEL, keys - key), past + first + skip + 1 - key, scale};
            score_block(q + skip * width, k + key * width, width, queries - skip, &o);
        }
        for (ptrdiff_t t = 0; t < queries; t++)
            for (ptrdiff_t key = past + first + t + 1; key < keys; key++)
                out[t * keys + key] = divided ? -(real)INFINITY : 0;
    }
}

#endif
