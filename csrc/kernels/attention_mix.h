/* The values that attention mixes by its pattern, one head at a time; n counts batch × heads:
 *   mix[t, d] = Σ_s pattern[t, s]·v[s, d]   over the keys s = 0 … S − T + t that query t sees, ascending; the others are skipped,
 * not multiplied by 0. An item is a block of ATTENTION_BLOCK queries of one n. No sum is split: lanes are different features.
 *
 * in: pattern [N, T, S], v [N, S, D], whose blocks may lie further apart than their size; out [N, T, D].
 * size: T, S, D, elements from a block of v to the next, P: query t sees the keys below P + t + 1 (see attention_scores.h). */
#ifndef LLMTRACE_ATTENTION_MIX_H
#define LLMTRACE_ATTENTION_MIX_H

#include "kernel.h"
#include "vector.h"

#include <string.h>

/* `vectors` vectors of features side by side, for `queries` queries that share the keys below `seen`; each later query sees one
 * key more. */
ALWAYS_INLINE void mix_of(const kernel_job *j, const real *pattern, const real *v, ptrdiff_t seen, real *out, const int queries,
                          const int vectors)
{
    const ptrdiff_t keys = j->size[1], width = j->size[2];
    loose_vector acc[4][8];
    UNROLL for (int t = 0; t < queries; t++)
        UNROLL for (int i = 0; i < vectors; i++)
            acc[t][i] = (loose_vector){0};
    for (ptrdiff_t s = 0; s < seen; s++)
        UNROLL for (int t = 0; t < queries; t++)
            UNROLL for (int i = 0; i < vectors; i++)
                acc[t][i] += pattern[t * keys + s] * *(const loose_vector *)(v + s * width + i * LANES);
    UNROLL for (int t = 0; t < queries; t++) {
        for (ptrdiff_t s = seen; s < smaller(keys, seen + t); s++) /* the keys that the earlier of these queries don't see */
            UNROLL for (int i = 0; i < vectors; i++)
                acc[t][i] += pattern[t * keys + s] * *(const loose_vector *)(v + s * width + i * LANES);
        UNROLL for (int i = 0; i < vectors; i++)
            *(loose_vector *)(out + t * width + i * LANES) = acc[t][i];
    }
}

/* The last features, fewer than a vector, of one query. */
static void mix_rest(const kernel_job *j, const real *pattern, const real *v, ptrdiff_t seen, real *out, ptrdiff_t rest)
{
    const ptrdiff_t width = j->size[2];
    real acc[LANES] = {0};
    for (ptrdiff_t s = 0; s < seen; s++)
        for (ptrdiff_t d = 0; d < rest; d++)
            acc[d] += pattern[s] * v[s * width + d];
    memcpy(out, acc, (size_t)rest * sizeof(real));
}

/* All features of `queries` queries. The widths are constants, so that the sums stay in registers: of four queries as many as
 * there are registers for, of a single one, whose sums would otherwise wait for each other, more. */
ALWAYS_INLINE void mix_features(const kernel_job *j, const real *pattern, const real *v, ptrdiff_t seen, real *out,
                                const int queries)
{
    const ptrdiff_t keys = j->size[1], width = j->size[2], most = queries == 1 ? 8 : MIX_VECTORS;
    for (ptrdiff_t d = 0, done; d < width; d += done) {
        const ptrdiff_t vectors = smaller(most, (width - d) / LANES);
        done = (vectors >= 8 ? 8 : vectors >= 4 ? 4 : vectors >= 2 ? 2 : 1) * LANES;
        if (vectors >= 8)
            mix_of(j, pattern, v + d, seen, out + d, queries, 8);
        else if (vectors >= 4)
            mix_of(j, pattern, v + d, seen, out + d, queries, 4);
        else if (vectors >= 2)
            mix_of(j, pattern, v + d, seen, out + d, queries, 2);
        else if (vectors == 1)
            mix_of(j, pattern, v + d, seen, out + d, queries, 1);
        else
            for (int t = 0; t < queries; t++)
                mix_rest(j, pattern + t * keys, v + d, smaller(keys, seen + t), out + t * width + d, width - d);
    }
}

static void attention_mix_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t queries = j->size[0], keys = j->size[1], width = j->size[2], value_stride = j->size[3];
    const ptrdiff_t past = j->size[4];
    const ptrdiff_t blocks = (queries + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, first = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t last = smaller(queries, first + ATTENTION_BLOCK);
        const real *v = (const real *)j->in[1] + n * value_stride;
        for (ptrdiff_t t = first, done; t < last; t += done) {
            const ptrdiff_t seen = smaller(keys, past + t + 1);
            const real *pattern = (const real *)j->in[0] + (n * queries + t) * keys;
            real *out = (real *)j->out + (n * queries + t) * width;
            done = last - t < 4 ? 1 : 4;
            if (done == 4)
                mix_features(j, pattern, v, seen, out, 4);
            else
                mix_features(j, pattern, v, seen, out, 1);
        }
    }
}

#endif

KERNEL(attention_mix)
