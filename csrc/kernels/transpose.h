/* Transposing a matrix, by squares of four in squares of a cache line. Numbers are moved, never changed. */
#ifndef LLMTRACE_TRANSPOSE_H
#define LLMTRACE_TRANSPOSE_H

#include "kernel.h"

enum { FOUR = 4, SQUARE = 16 }; /* a cache line of floats, so that whole lines are read and whole lines are written */

typedef real four_numbers __attribute__((vector_size(FOUR * sizeof(real)), may_alias, aligned(sizeof(real))));

#ifdef __clang__
#define PICK(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#if LLMTRACE_REAL == 32
typedef int32_t four_places __attribute__((vector_size(FOUR * sizeof(real))));
#else
typedef int64_t four_places __attribute__((vector_size(FOUR * sizeof(real))));
#endif
#define PICK(a, b, i, j, k, l) __builtin_shuffle(a, b, (four_places){i, j, k, l})
#endif

ALWAYS_INLINE void transpose_four(const real *from, ptrdiff_t from_stride, real *to, ptrdiff_t to_stride)
{
    const four_numbers a = *(const four_numbers *)from, b = *(const four_numbers *)(from + from_stride);
    const four_numbers c = *(const four_numbers *)(from + 2 * from_stride), d = *(const four_numbers *)(from + 3 * from_stride);
    const four_numbers ab01 = PICK(a, b, 0, 4, 1, 5), ab23 = PICK(a, b, 2, 6, 3, 7);
    const four_numbers cd01 = PICK(c, d, 0, 4, 1, 5), cd23 = PICK(c, d, 2, 6, 3, 7);
    *(four_numbers *)to = PICK(ab01, cd01, 0, 1, 4, 5);
    *(four_numbers *)(to + to_stride) = PICK(ab01, cd01, 2, 3, 6, 7);
    *(four_numbers *)(to + 2 * to_stride) = PICK(ab23, cd23, 0, 1, 4, 5);
    *(four_numbers *)(to + 3 * to_stride) = PICK(ab23, cd23, 2, 3, 6, 7);
}

/* to[c · to_stride + r] = from[r · from_stride + c] for r < rows, c < columns. */
static __attribute__((noinline)) void transpose(const real *restrict from, ptrdiff_t from_stride, real *restrict to,
                                                ptrdiff_t to_stride, ptrdiff_t rows, ptrdiff_t columns)
{
    for (ptrdiff_t r = 0; r < rows; r += SQUARE)
        for (ptrdiff_t c = 0; c < columns; c += SQUARE) {
            const real *x = from + r * from_stride + c;
            real *out = to + c * to_stride + r;
            if (rows - r >= SQUARE && columns - c >= SQUARE) {
                for (int i = 0; i < SQUARE; i += FOUR)
                    for (int k = 0; k < SQUARE; k += FOUR)
                        transpose_four(x + k * from_stride + i, from_stride, out + i * to_stride + k, to_stride);
            } else {
                for (ptrdiff_t i = 0; i < smaller(SQUARE, columns - c); i++)
                    for (ptrdiff_t k = 0; k < smaller(SQUARE, rows - r); k++)
                        out[i * to_stride + k] = x[k * from_stride + i];
            }
        }
}

#endif
