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

static inline ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

enum { ELEMENTS_AT_ONCE = 256, ELEMENTS_AHEAD = 1024 };

/* Asks for `count` numbers from x on, which are needed soon: where much is computed of each, no processor looks so far ahead by
 * itself. `written`: they will be overwritten. */
ALWAYS_INLINE void expect(const real *x, ptrdiff_t count, const int written)
{
    for (ptrdiff_t i = 0; i < count; i += CACHE_LINE / (ptrdiff_t)sizeof(real))
        __builtin_prefetch(x + i, written, 2);
}

#define ELEMENTWISE(name, inputs, settings, cost, expression)                                                          \
    static void name##_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)                                     \
    {                                                                                                                  \
        const real *a = j->in[0], *b = j->in[1], *c = j->in[2];                                                        \
        real *restrict out = j->out;                                                                                   \
        real s[MOST_SETTINGS];                                                                                         \
        for (int k = 0; k < MOST_SETTINGS; k++)                                                                        \
            s[k] = (real)j->setting[k];                                                                                \
        (void)a, (void)b, (void)c, (void)s;                                                                            \
        for (ptrdiff_t first = begin, last; first < end; first = last) {                                               \
            last = smaller(end, first + ELEMENTS_AT_ONCE);                                                             \
            for (int k = 0; k < inputs; k++)                                                                           \
                expect((const real *)j->in[k] + first + ELEMENTS_AHEAD, ELEMENTS_AT_ONCE, 0);                          \
            expect((const real *)j->out + first + ELEMENTS_AHEAD, ELEMENTS_AT_ONCE, 1);                                \
            for (ptrdiff_t i = first; i < last; i++)                                                                   \
                out[i] = expression;                                                                                   \
        }                                                                                                              \
    }

#define ITEMS(name, inputs, settings, cost)
#define KERNEL(name)

#endif
