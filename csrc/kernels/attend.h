/* Attention whose scores and pattern nobody keeps: of some queries of a head after another, all steps from the scores to the mix, so that
 * what lies in between stays in the cache. The functions of scores.h, softmax_rows.h and mix.h make it, and so the same bits.
 * An item is a block of queries of one n (batch × heads of queries); `copies` such n share one block of keys and values.
 *
 * in: q [N, T, D], k, v [N / copies, S, D], whose blocks may lie further apart than their size; out [N, T, D].
 * size: T, S, D, elements from a block of k to the next, the same of v, P: query t sees the keys below P + t + 1 (see scores.h),
 * copies, queries of a block. setting: what the scores are multiplied by, if not 1. scratch (pool.h): 2 × queries of a block × S. */
#ifndef LLMTRACE_ATTEND_H
#define LLMTRACE_ATTEND_H

#include "mix.h"
#include "pool.h"
#include "scores.h"
#include "softmax_rows.h"

static void attend_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t all_queries = j->size[0], keys = j->size[1], width = j->size[2], past = j->size[5], block = j->size[7];
    const ptrdiff_t blocks = (all_queries + block - 1) / block;
    const real factor = (real)j->setting[0];
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, first = item % blocks * block, queries = smaller(block, all_queries - first);
        const ptrdiff_t masked = past != keys, seen = masked ? past + first + queries : keys, before = masked ? past + first : keys;
        const real *q = (const real *)j->in[0] + (n * all_queries + first) * width;
        const real *k = (const real *)j->in[1] + n / j->size[6] * j->size[3], *v = (const real *)j->in[2] + n / j->size[6] * j->size[4];
        real *const scores = pool_scratch(), *const pattern = scores + block * keys;
        score_blocks(&(kernel_job){.in = {q, k}, .out = scores, .size = {queries, seen, width, 0, 1, before}}, 0, 1);
        if (factor != 1)
            for (ptrdiff_t i = 0; i < queries * seen; i++)
                scores[i] = scores[i] * factor;
        const kernel_job shares = {.in = {scores}, .out = pattern, .size = {masked ? queries : seen, masked ? before : -1}};
        softmax_kernel(&shares, 0, seen ? queries : 0);
        mix_blocks(&(kernel_job){.in = {pattern, v}, .out = (real *)j->out + (n * all_queries + first) * width,
                                 .size = {queries, seen, width, 0, before}}, 0, 1);
    }
}

#endif

KERNEL(attend)
