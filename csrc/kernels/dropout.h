/* Dropout (Srivastava et al. 2014, JMLR 15): +0 where the random number of a place is below the rate, else x times `factor`.
 * in: x; setting: rate, factor, seed, first; element i has the random number of the place first + i. An item is an element.
 * `random24` gives 24 bits, so that its number in [0, 1) is exact in float. */
#ifndef LLMTRACE_DROPOUT_H
#define LLMTRACE_DROPOUT_H

#include "kernel.h"
#include "rng.h"

static void dropout_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const real *x = j->in[0];
    real *restrict out = j->out;
    const real rate = (real)j->setting[0], factor = (real)j->setting[1];
    const uint64_t key = mixed((uint64_t)j->setting[2]), first = (uint64_t)j->setting[3];
    for (ptrdiff_t i = begin; i < end; i++) {
        const real u = (real)random24(key, first + (uint64_t)i) * (real)0x1p-24, kept = x[i] * factor;
        out[i] = u < rate ? 0 : kept;
    }
}

#endif

ITEMS(dropout, 1, 4, 8)
