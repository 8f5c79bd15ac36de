/* Vectors of `real`, and how many of them fit the registers: one block of widths per instruction set (isas.h). */
#ifndef LLMTRACE_VECTOR_H
#define LLMTRACE_VECTOR_H

#include "kernel.h"

/* TILE_ROWS × TILE_VECTORS sums of a matrix product (tile.h) are as many as fit in the registers beside a panel's vectors and a
 * product. */
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#define TILE_ROWS 6
#define TILE_VECTORS 4
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#define TILE_ROWS 4
#define TILE_VECTORS 3
#elif defined(__aarch64__)
#define VECTOR_BYTES 16
#define TILE_ROWS 6
#define TILE_VECTORS 4
#else
#define VECTOR_BYTES 16
#define TILE_ROWS 4
#define TILE_VECTORS 3
#endif

_Static_assert(ROW_MULTIPLE % TILE_ROWS == 0 && TILE_ROWS <= 6, "blocks of rows are whole tiles, and tile_of knows them all");

#define LANES (VECTOR_BYTES / (int)sizeof(real)) /* numbers in a vector */
#define PANEL (TILE_VECTORS * LANES)             /* columns of a packed panel */

typedef real vector __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef real loose_vector __attribute__((vector_size(VECTOR_BYTES), may_alias, aligned(sizeof(real)))); /* at any element */

/* A number of memory in all lanes of a register. AVX-512 loads it there beside all else that happens; by itself, a compiler loads it
 * once for each product, which other programs on the same core may slow down, or copies it from a register, which takes a multiplier. */
ALWAYS_INLINE vector in_all_lanes(const real *x)
{
#if defined(__AVX512F__) && LLMTRACE_REAL == 32
    vector found;
    __asm__("vbroadcastss %1, %0" : "=v"(found) : "m"(*x));
    return found;
#elif defined(__AVX512F__)
    vector found;
    __asm__("vbroadcastsd %1, %0" : "=v"(found) : "m"(*x));
    return found;
#else
    return *x - (vector){0}; /* which is *x, also of −0 */
#endif
}

#ifdef __clang__ /* arrays of vectors become registers only where their loops are unrolled completely */
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#endif
