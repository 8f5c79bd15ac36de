/* The values that attention mixes by its pattern, one head at a time; n counts batch × heads:
 *   mix[t, d] = Σ_s pattern[t, s]·v[s, d]   over the keys s = 0 … S − T + t that query t sees, ascending; the others are skipped,
 * not multiplied by 0. An item is a block of ATTENTION_BLOCK queries of one n. No sum is split: lanes are different features.
 *
 * in: pattern [N, T, S], v [N, S, D], whose blocks may lie further apart than their size; out [N, T, D].
 * size: T, S, D, elements from a block of v to the next, P: query t sees the keys below P + t + 1 (see scores.h). */
#ifndef LLMTRACE_MIX_H
#define LLMTRACE_MIX_H

#include "tile.h"

#include <string.h>

/* `vectors` vectors of features of `queries` ≤ TILE_ROWS queries: a tile of the keys below `seen`, which all of them see and whose
 * panel is v itself; then the keys that only later ones of these queries see. */
ALWAYS_INLINE void mix_of(const kernel_job *j, const real *pattern, const real *v, ptrdiff_t seen, real *out, ptrdiff_t queries,
                          const int vectors)
{
    const ptrdiff_t keys = j->size[1], width = j->size[2];
    vector sums[TILE_ROWS * TILE_VECTORS];
    tile_terms terms = {.x_step = 1, .panel = v, .panel_step = width, .depth = seen};
    for (ptrdiff_t t = 0; t < TILE_ROWS; t++) /* beyond the last query: that query again, unused */
        terms.x[t] = pattern + smaller(t, queries - 1) * keys;
    for (ptrdiff_t t = TILE_ROWS; t < 2 * TILE_ROWS; t++)
        for (ptrdiff_t s = 0; s < seen + t; s += CACHE_LINE / (ptrdiff_t)sizeof(real))
            __builtin_prefetch(pattern + t * keys + s, 0, 2);
    tile_of(&terms, (real *)sums, 1, queries, vectors);
    for (ptrdiff_t t = 0; t < queries; t++) {
        vector *sum = sums + t * TILE_VECTORS;
        add_terms(sum, pattern + t * keys + seen, 1, v + seen * width, width, smaller(keys, seen + t) - seen, vectors);
        memcpy(out + t * width, sum, (size_t)vectors * sizeof *sum);
    }
}

/* The last features, fewer than a vector. */
static void mix_rest(const kernel_job *j, const real *pattern, const real *v, ptrdiff_t seen, real *out, ptrdiff_t queries,
                     ptrdiff_t rest)
{
    const ptrdiff_t keys = j->size[1], width = j->size[2];
    for (ptrdiff_t t = 0; t < queries; t++) {
        real acc[LANES] = {0};
        for (ptrdiff_t s = 0; s < smaller(keys, seen + t); s++)
            for (ptrdiff_t d = 0; d < rest; d++)
                acc[d] += pattern[t * keys + s] * v[s * width + d];
        memcpy(out + t * width, acc, (size_t)rest * sizeof(real));
    }
}

FEATURES(mix) /* of queries, the first of which sees the keys below `first` */

static void mix_blocks(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t queries = j->size[0], keys = j->size[1], width = j->size[2], value_stride = j->size[3];
    const ptrdiff_t past = j->size[4];
    const ptrdiff_t blocks = (queries + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, first = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t last = smaller(queries, first + ATTENTION_BLOCK);
        const real *v = (const real *)j->in[1] + n * value_stride;
        for (ptrdiff_t t = first; t < last; t += TILE_ROWS) {
            const real *pattern = (const real *)j->in[0] + (n * queries + t) * keys;
            real *out = (real *)j->out + (n * queries + t) * width;
            mix_features(j, pattern, v, smaller(keys, past + t + 1), out, smaller(TILE_ROWS, last - t));
        }
    }
}

#endif
