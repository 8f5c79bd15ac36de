/* The gradient of attention's values (and keys): out[s, d] = Σ_t pattern[t, s]·x[t, d] over the queries t that see the key s,
 * ascending, so t = max(0, s − P) … T − 1, with P = S − T keys that were there before the first query, or P = S where every query
 * sees every key. x = dmix gives the gradient of v, and the gradient of scores as the pattern with x = q that of k.
 * An item is a block of ATTENTION_BLOCK keys of one n. Keys are the rows of tiles (tile.h): their pattern lies side by side, and
 * so do the features of x, which is the panel.
 *
 * in: pattern [N, T, S], x [N, T, D]; out [N, S, D]; size: T, S, D, P. */
#ifndef LLMTRACE_ATTENTION_BACK_H
#define LLMTRACE_ATTENTION_BACK_H

#include "tile.h"

#include <string.h>

/* `vectors` vectors of features of `keys` ≤ TILE_ROWS keys, the first of which is seen from query `first` on, each later one from
 * the next: the queries that don't see the later of these keys; then a tile of those that see them all. */
ALWAYS_INLINE void back_of(const kernel_job *j, const real *pattern, const real *x, ptrdiff_t first, real *out, ptrdiff_t keys,
                           const int vectors)
{
    const ptrdiff_t queries = j->size[0], stride = j->size[1], width = j->size[2];
    const ptrdiff_t shared = smaller(queries, first + keys - 1 > 0 ? first + keys - 1 : 0);
    vector sums[TILE_ROWS * TILE_VECTORS];
    tile_terms terms = {.x_step = stride, .panel = x + shared * width, .panel_step = width, .depth = queries - shared};
    for (ptrdiff_t s = 0; s < TILE_ROWS; s++) /* beyond the last key: that key again, unused */
        terms.x[s] = pattern + shared * stride + smaller(s, keys - 1);
    for (ptrdiff_t s = 0; s < keys; s++) {
        vector *sum = sums + s * TILE_VECTORS;
        for (int i = 0; i < vectors; i++)
            sum[i] = (vector){0};
        const ptrdiff_t t = first + s > 0 ? first + s : 0;
        add_terms(sum, pattern + t * stride + s, stride, x + t * width, width, shared - t, vectors);
    }
    terms.ahead = (const char *)terms.x[TILE_ROWS - 1] + CACHE_LINE, terms.ahead_step = stride * (ptrdiff_t)sizeof(real);
    terms.lines = 1;
    tile_of(&terms, (real *)sums, 0, keys, vectors);
    for (ptrdiff_t s = 0; s < keys; s++)
        memcpy(out + s * width, sums + s * TILE_VECTORS, (size_t)vectors * sizeof *sums);
}

/* The last features, fewer than a vector. */
static void back_rest(const kernel_job *j, const real *pattern, const real *x, ptrdiff_t first, real *out, ptrdiff_t keys,
                      ptrdiff_t rest)
{
    const ptrdiff_t queries = j->size[0], stride = j->size[1], width = j->size[2];
    for (ptrdiff_t s = 0; s < keys; s++) {
        real acc[LANES] = {0};
        for (ptrdiff_t t = first + s > 0 ? first + s : 0; t < queries; t++)
            for (ptrdiff_t d = 0; d < rest; d++)
                acc[d] += pattern[t * stride + s] * x[t * width + d];
        memcpy(out + s * width, acc, (size_t)rest * sizeof(real));
    }
}

FEATURES(back) /* of keys; `first` is the first query that sees the first of them, where not negative */

static void attention_back_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t queries = j->size[0], keys = j->size[1], width = j->size[2], past = j->size[3];
    const ptrdiff_t blocks = (keys + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, start = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t last = smaller(keys, start + ATTENTION_BLOCK);
        const real *pattern = (const real *)j->in[0] + n * queries * keys;
        const real *x = (const real *)j->in[1] + n * queries * width;
        for (ptrdiff_t s = start; s < last; s += TILE_ROWS) {
            real *out = (real *)j->out + (n * keys + s) * width;
            back_features(j, pattern + s, x, s - past, out, smaller(TILE_ROWS, last - s));
        }
    }
}

#endif

KERNEL(attention_back)
