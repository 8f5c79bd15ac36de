/* Rotary positions (Su et al. 2021, arXiv:2104.09864): every pair (a, b) of a row's numbers turned by the angle of its position,
 *   (a·cos − b·sin, b·cos + a·sin)
 * Pair i is the numbers 2i and 2i + 1 where interleaved, else i and i + D. An item is a row of one head and position.
 * in: x [N, H, T, 2·D], cosine [N, T, D], sine [N, T, D]; size: H, T, D; setting: 1 where interleaved, else 0. */
#ifndef LLMTRACE_ROTATE_H
#define LLMTRACE_ROTATE_H

#include "kernel.h"

static void rotate_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const ptrdiff_t heads = j->size[0], positions = j->size[1], pairs = j->size[2];
    const ptrdiff_t next = j->setting[0] != 0 ? 2 : 1, other = j->setting[0] != 0 ? 1 : pairs;
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t place = item / (heads * positions) * positions + item % positions;
        const real *x = (const real *)j->in[0] + item * 2 * pairs;
        const real *cosine = (const real *)j->in[1] + place * pairs, *sine = (const real *)j->in[2] + place * pairs;
        real *restrict out = (real *)j->out + item * 2 * pairs;
        for (ptrdiff_t i = 0; i < pairs; i++) {
            const real a = x[i * next], b = x[i * next + other];
            out[i * next] = a * cosine[i] - b * sine[i];
            out[i * next + other] = b * cosine[i] + a * sine[i];
        }
    }
}

#endif

ITEMS(rotate, 3, 1, 2)
