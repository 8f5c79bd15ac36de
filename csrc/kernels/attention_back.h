/* The gradient of attention's values (and keys): out[s, d] = Σ_t pattern[t, s]·x[t, d] over the queries t that see the key s,
 * ascending, so t = max(0, s − P) … T − 1, with P = S − T keys that were there before the first query, or P = S where every query
 * sees every key. With x = dmix it is the
 * gradient of v.
 * An item is a block of ATTENTION_BLOCK keys of one n. Four keys go side by side, whose pattern lies side by side, times the
 * features of x, which do too.
 *
 * in: pattern [N, T, S], x [N, T, D]; out [N, S, D]; size: T, S, D, P. */
#ifndef LLMTRACE_ATTENTION_BACK_H
#define LLMTRACE_ATTENTION_BACK_H

#include "kernel.h"
#include "vector.h"

#include <string.h>

ALWAYS_INLINE void back_of(const kernel_job *j, const real *pattern, const real *x, ptrdiff_t first, real *out, const int keys,
                           const int vectors)
{
    const ptrdiff_t queries = j->size[0], stride = j->size[1], width = j->size[2];
    ptrdiff_t t = first > 0 ? first : 0;
    loose_vector acc[4][8];
    UNROLL for (int s = 0; s < keys; s++)
        UNROLL for (int i = 0; i < vectors; i++)
            acc[s][i] = (loose_vector){0};
    for (; t < smaller(first + keys - 1, queries); t++) /* queries that don't see the later of these keys */
        UNROLL for (int s = 0; s < keys; s++)
            if (s <= t - first)
                UNROLL for (int i = 0; i < vectors; i++)
                    acc[s][i] += pattern[t * stride + s] * *(const loose_vector *)(x + t * width + i * LANES);
    for (; t < queries; t++)
        UNROLL for (int s = 0; s < keys; s++)
            UNROLL for (int i = 0; i < vectors; i++)
                acc[s][i] += pattern[t * stride + s] * *(const loose_vector *)(x + t * width + i * LANES);
    UNROLL for (int s = 0; s < keys; s++)
        UNROLL for (int i = 0; i < vectors; i++)
            *(loose_vector *)(out + s * width + i * LANES) = acc[s][i];
}

/* The last features, fewer than a vector, of one key. */
static void back_rest(const kernel_job *j, const real *pattern, const real *x, ptrdiff_t first, real *out, ptrdiff_t rest)
{
    const ptrdiff_t queries = j->size[0], stride = j->size[1], width = j->size[2];
    real acc[LANES] = {0};
    for (ptrdiff_t t = first > 0 ? first : 0; t < queries; t++)
        for (ptrdiff_t d = 0; d < rest; d++)
            acc[d] += pattern[t * stride] * x[t * width + d];
    memcpy(out, acc, (size_t)rest * sizeof(real));
}

/* All features of `keys` keys; see mix_features. `first` is the first query that sees the first key, where not negative. */
ALWAYS_INLINE void back_features(const kernel_job *j, const real *pattern, const real *x, ptrdiff_t first, real *out,
                                 const int keys)
{
    const ptrdiff_t width = j->size[2];
    for (ptrdiff_t d = 0, done; d < width; d += done) {
        const ptrdiff_t vectors = smaller(MIX_VECTORS, (width - d) / LANES);
        done = (vectors >= 4 ? 4 : vectors >= 2 ? 2 : 1) * LANES;
        if (vectors >= 4)
            back_of(j, pattern, x + d, first, out + d, keys, 4);
        else if (vectors >= 2)
            back_of(j, pattern, x + d, first, out + d, keys, 2);
        else if (vectors == 1)
            back_of(j, pattern, x + d, first, out + d, keys, 1);
        else
            for (int s = 0; s < keys; s++)
                back_rest(j, pattern + s, x + d, first + s, out + s * width + d, width - d);
    }
}

static void attention_back_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t queries = j->size[0], keys = j->size[1], width = j->size[2], past = j->size[3];
    const ptrdiff_t blocks = (keys + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, start = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t last = smaller(keys, start + ATTENTION_BLOCK);
        const real *pattern = (const real *)j->in[0] + n * queries * keys;
        const real *x = (const real *)j->in[1] + n * queries * width;
        for (ptrdiff_t s = start, done; s < last; s += done) {
            const ptrdiff_t first = s - past;
            real *out = (real *)j->out + (n * keys + s) * width;
            done = last - s < 4 ? 1 : 4;
            if (done == 4)
                back_features(j, pattern + s, x, first, out, 4);
            else
                back_features(j, pattern + s, x, first, out, 1);
        }
    }
}

#endif

KERNEL(attention_back)
