/* Vectors of `real`, and how many of them fit the registers: one block of widths per instruction set (isas.h). */
#ifndef LLMTRACE_VECTOR_H
#define LLMTRACE_VECTOR_H

#include "inner.h"
#include "real.h"

/* TILE_ROWS × TILE_VECTORS sums of a matrix product (tile.h) are as many as fit in the registers beside a panel's vectors and a
 * product. */
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#define TILE_ROWS 6
#define TILE_VECTORS 4
#define MULTIPLIES_BY_MEMORY 1
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

#ifdef __clang__ /* arrays of vectors become registers only where their loops are unrolled completely */
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#endif
