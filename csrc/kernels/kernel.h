/* What every kernel's header needs: the type `real`, the job, and the lines that make and list kernels.
 *
 * A header's functions stand inside its include guard; below the guard, one line says of each kernel what it is:
 *
 *     ELEMENTWISE(name, inputs, settings, cost, expression)   out[i] = expression, of the elements a[i], b[i], c[i] of its inputs
 *                                                             and of the settings s[0], s[1] …, rounded to `real`
 *     ROWS(name, inputs, settings, cost)                      from name_rows(job, row, rows), see rows.h
 *     ITEMS(name, inputs, settings, cost)                     name_kernel(job, begin, end), whose items are rows all the same
 *     KERNEL(name)                                            name_kernel(job, begin, end), whose items are something else
 *
 * The cost is about so many additions per element. inner.c reads the lines twice: the first time they make the kernels (below and
 * in rows.h), the second time, with other meanings, they list them. So no header of kernels includes another one. */
#ifndef LLMTRACE_KERNEL_H
#define LLMTRACE_KERNEL_H

#include "inner.h"
#include "real.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { CACHE_LINE = 64 };

#define ELEMENTWISE(name, inputs, settings, cost, expression)                                                          \
    static void name##_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)                                     \
    {                                                                                                                  \
        const real *a = j->in[0], *b = j->in[1], *c = j->in[2];                                                        \
        real *restrict out = j->out;                                                                                   \
        real s[MOST_SETTINGS];                                                                                         \
        for (int k = 0; k < MOST_SETTINGS; k++)                                                                        \
            s[k] = (real)j->setting[k];                                                                                \
        (void)a, (void)b, (void)c, (void)s;                                                                            \
        for (ptrdiff_t i = begin; i < end; i++)                                                                        \
            out[i] = expression;                                                                                       \
    }

#define ITEMS(name, inputs, settings, cost)
#define KERNEL(name)

static inline ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

#endif
