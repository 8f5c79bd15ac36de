/* The scores of attention (Vaswani et al. 2017, arXiv:1706.03762, equation 1), one head at a time; n counts batch × heads:
 *   score[t, s] = (Σ_d q[t, d]·k[s, d]) / √D      for the keys s = 0 … S − T + t that query t may see, −∞ for the others
 * Undivided, masked ones are 0: the products Σ a·b that make the gradient of a pattern.
 * An item is a block of ATTENTION_BLOCK queries of one n. No sum is split: lanes are different keys, KEYS side by side. A slab of
 * them is transposed first, so that lanes lie next to each other.
 *
 * in: q [N, T, D], k [N, S, D], whose blocks may lie further apart than their size: a cache has room to grow. out [N, T, S].
 * size: T, S, D, elements from a block of k to the next, 1 where divided or else 0, P: query t sees the keys below P + t + 1,
 * which is S − T where later keys are masked, S where none is. */
#ifndef LLMTRACE_ATTENTION_SCORES_H
#define LLMTRACE_ATTENTION_SCORES_H

#include "kernel.h"

#include <string.h>

enum { KEYS = 32, SLAB = 64 };

/* What one block of scores is made of and where it goes: out[t, lane] for lanes = KEYS keys side by side, `stride` apart. */
typedef struct {
    real *out;
    ptrdiff_t stride;
    int divided;
    real divisor;
} score_target;

/* Some more terms of `queries` queries' sums with a slab of keys; the first slab starts them, the last one divides them. */
ALWAYS_INLINE void scores_of(const real *restrict q, ptrdiff_t width, const real *restrict slab, ptrdiff_t depth, score_target to,
                             int first, int last, const int queries)
{
    real acc[4][KEYS];
    for (int t = 0; t < queries; t++)
        for (int lane = 0; lane < KEYS; lane++)
            acc[t][lane] = first ? 0 : to.out[t * to.stride + lane];
    for (ptrdiff_t d = 0; d < depth; d++)
        for (int t = 0; t < queries; t++)
            for (int lane = 0; lane < KEYS; lane++)
                acc[t][lane] += q[t * width + d] * slab[d * KEYS + lane];
    if (last && to.divided)
        for (int t = 0; t < queries; t++)
            for (int lane = 0; lane < KEYS; lane++)
                acc[t][lane] = acc[t][lane] / to.divisor;
    for (int t = 0; t < queries; t++)
        for (int lane = 0; lane < KEYS; lane++)
            to.out[t * to.stride + lane] = acc[t][lane];
}

/* The scores of one query, as when a text is read on token by token: transposing the keys would cost more than it saves. */
static inline void scores_of_one(const real *restrict q, const real *restrict k, ptrdiff_t width, ptrdiff_t lanes,
                                 score_target to)
{
    enum { CHAINS = 8 };
    for (ptrdiff_t lane = 0; lane < lanes; lane += CHAINS) {
        real acc[CHAINS] = {0};
        const real *key[CHAINS];
        for (ptrdiff_t c = 0; c < CHAINS; c++)
            key[c] = k + (lane + c < lanes ? lane + c : lanes - 1) * width;
        for (ptrdiff_t d = 0; d < width; d++)
            for (int c = 0; c < CHAINS; c++)
                acc[c] += q[d] * key[c][d];
        for (int c = 0; c < CHAINS; c++)
            to.out[lane + c] = to.divided ? acc[c] / to.divisor : acc[c];
    }
}

/* The scores of `queries` queries with `lanes` ≤ KEYS keys: every sum over all of D, in order, slab after slab. */
static void score_block(const real *q, const real *k, ptrdiff_t width, ptrdiff_t queries, ptrdiff_t lanes, score_target to)
{
    real slab[SLAB * KEYS];
    if (queries == 1) {
        scores_of_one(q, k, width, lanes, to);
        return;
    }
    for (ptrdiff_t start = 0, last = 0; !last; start += SLAB) { /* once even where the width is 0 */
        const ptrdiff_t depth = smaller(SLAB, width - start);
        const int first = start == 0;
        last = start + depth == width;
        for (ptrdiff_t lane = 0; lane < KEYS; lane++) /* a lane without a key repeats the last one and is thrown away */
            for (ptrdiff_t d = 0; d < depth; d++)
                slab[d * KEYS + lane] = k[(lane < lanes ? lane : lanes - 1) * width + start + d];
        score_target at = to;
        ptrdiff_t t = 0;
        for (; t + 4 <= queries; t += 4, at.out += 4 * to.stride)
            scores_of(q + t * width + start, width, slab, depth, at, first, (int)last, 4);
        for (; t < queries; t++, at.out += to.stride)
            scores_of(q + t * width + start, width, slab, depth, at, first, (int)last, 1);
    }
}

static void attention_scores_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t all_queries = j->size[0], keys = j->size[1], width = j->size[2], key_stride = j->size[3];
    const int divided = (int)j->size[4];
    const ptrdiff_t blocks = (all_queries + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    const ptrdiff_t past = j->size[5];
    const real root = root_of((real)width);
    real last[ATTENTION_BLOCK * KEYS]; /* the scores with the last keys, where they are fewer than KEYS */
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, first = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t queries = smaller(ATTENTION_BLOCK, all_queries - first);
        const real *q = (const real *)j->in[0] + (n * all_queries + first) * width;
        const real *k = (const real *)j->in[1] + n * key_stride;
        real *out = (real *)j->out + (n * all_queries + first) * keys;
        for (ptrdiff_t key = 0; key < smaller(keys, past + first + queries); key += KEYS) {
            const ptrdiff_t lanes = smaller(KEYS, keys - key);
            const ptrdiff_t skip = key > past + first ? key - past - first : 0; /* earlier queries see none of these keys */
            real *scores = out + skip * keys + key;
            const score_target to = {lanes < KEYS ? last : scores, lanes < KEYS ? KEYS : keys, divided, root};
            score_block(q + skip * width, k + key * width, width, queries - skip, lanes, to);
            for (ptrdiff_t t = 0; lanes < KEYS && t < queries - skip; t++)
                memcpy(scores + t * keys, last + t * KEYS, (size_t)lanes * sizeof(real));
        }
        for (ptrdiff_t t = 0; t < queries; t++)
            for (ptrdiff_t key = past + first + t + 1; key < keys; key++)
                out[t * keys + key] = divided ? -(real)INFINITY : 0;
    }
}

#endif

KERNEL(attention_scores)
