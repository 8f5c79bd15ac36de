/* Float32 numbers of weights that stay in memory as they are stored, panel by panel: w = scale · q + minimum, the product rounded,
 * then the sum, as llmtrace/storage/quantised.py says it.
 *
 * A panel holds PANEL columns of a weight, block after block of k. Inside a block, each unit of each field (widths.h) lies side by
 * side for the PANEL columns: first PANEL scales, then PANEL first bytes, PANEL second bytes … So the lanes of a vector are
 * columns, as everywhere in a matrix product, and a panel takes the bytes that its columns have in the file. */
#ifndef LLMTRACE_WIDEN_H
#define LLMTRACE_WIDEN_H

#include "kernel.h"
#include "vector.h"
#include "widths.h"

#include <stdint.h>
#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#if LLMTRACE_REAL == 32 /* what is widened is float32 */

enum {
    GROUP = 32, /* so many k are widened at once; a quantised block is whole groups */
    STREAMS = 4 /* so many places of memory are read side by side */
};

typedef int32_t lanes_int __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t lanes_bits __attribute__((vector_size(VECTOR_BYTES)));
typedef uint16_t lanes_half __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef int8_t lanes_byte __attribute__((vector_size(VECTOR_BYTES / 4)));

/* Bytes as whole numbers, signed and unsigned. Compilers take many instructions for what these processors do in one. */
#if defined(__AVX512F__)
ALWAYS_INLINE lanes_int signed_at(const void *place) { return (lanes_int)_mm512_cvtepi8_epi32(_mm_loadu_si128(place)); }
ALWAYS_INLINE lanes_int unsigned_at(const void *place) { return (lanes_int)_mm512_cvtepu8_epi32(_mm_loadu_si128(place)); }
#elif defined(__AVX2__)
ALWAYS_INLINE lanes_int signed_at(const void *place) { return (lanes_int)_mm256_cvtepi8_epi32(_mm_loadl_epi64(place)); }
ALWAYS_INLINE lanes_int unsigned_at(const void *place) { return (lanes_int)_mm256_cvtepu8_epi32(_mm_loadl_epi64(place)); }
#else
ALWAYS_INLINE lanes_int signed_at(const void *place)
{
    lanes_byte found;
    memcpy(&found, place, sizeof found);
    return __builtin_convertvector(found, lanes_int);
}
ALWAYS_INLINE lanes_int unsigned_at(const void *place) { return signed_at(place) & 255; }
#endif

ALWAYS_INLINE vector numbers_of(lanes_int q) { return __builtin_convertvector(q, vector); }

/* The lowest four bits of each, as numbers: what AVX-512 looks up, whatever the other bits are. */
ALWAYS_INLINE vector nibbles_of(lanes_int q)
{
#ifdef __AVX512F__
    const vector each = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return (vector)_mm512_permutexvar_ps((__m512i)q, (__m512)each);
#else
    return numbers_of(q & 15);
#endif
}

/* scale · q + minimum. A scale of at most 17 bits times a q of at most 5 needs no rounding to float32: fused or not, this is rounded
 * once, and has the same bits. No other product of llmtrace is fused. */
ALWAYS_INLINE vector above(vector minimum, vector scale, vector q)
{
#if defined(__AVX512F__)
    return (vector)_mm512_fmadd_ps((__m512)scale, (__m512)q, (__m512)minimum);
#elif defined(__FMA__)
    return (vector)_mm256_fmadd_ps((__m256)scale, (__m256)q, (__m256)minimum);
#else
    return scale * q + minimum;
#endif
}

ALWAYS_INLINE vector bf16_at(const uint8_t *place)
{
    lanes_half found;
    memcpy(&found, place, sizeof found);
    return (vector)(__builtin_convertvector(found, lanes_bits) << 16);
}

ALWAYS_INLINE vector f16_at(const uint8_t *place)
{
#ifdef __AVX512F__
    return (vector)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)place));
#elif defined(__F16C__)
    return (vector)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)place));
#else
    lanes_half found;
    memcpy(&found, place, sizeof found);
    const lanes_bits half = __builtin_convertvector(found, lanes_bits), shifted = (half & 0x7FFF) << 13;
    /* The exponent is counted from 15, in float32 from 127; a subnormal number is 2^−14 · (1 + fraction) − 2^−14. */
    const lanes_bits infinite = (lanes_bits)(shifted >= (31u << 23)); /* or no number: the largest exponent stays the largest */
    const lanes_bits normal = shifted + (112u << 23) + (infinite & (112u << 23));
    const lanes_bits small = (lanes_bits)((vector)(shifted + (113u << 23)) - 0x1p-14f);
    const lanes_bits is_small = (lanes_bits)(shifted < (1u << 23));
    return (vector)((is_small & small) | (~is_small & normal) | (half & 0x8000) << 16);
#endif
}

/* What becomes of the numbers: `out` [count, PANEL]; or, where x is there, sums[j] = sums[j] + x[k] · w[k, j] in registers.
 * Meanwhile the panel that is needed next comes into the cache from `ahead` on, in STREAMS that begin `apart` bytes from each
 * other, `step` bytes for each k. */
typedef struct {
    float *out;
    const float *x;
    const char *ahead;
    ptrdiff_t apart, step;
    vector sum[TILE_VECTORS];
} widened;

/* Each function below widens `count` k of one group of a block, all GROUP where there are blocks; `b` is the block in its panel.
 *
 * FROM(first, stop, w) takes the numbers w of vector v of each k; BYTES(offset, i) are byte i of a field at `offset`, as whole
 * numbers. QUANTISED(first, stop, q, w) first makes the whole numbers q of all columns j of a k as bytes, where more of them fit a
 * vector; in its w, Q are those of the vector, and in its q, BYTE(offset, i) is that of column j. */
#define WIDEN(name)                                                                                                    \
    ALWAYS_INLINE void widen_##name(const uint8_t *b, const int group, const int count, widened *to, const int multiply)
#define BYTE(offset, i) b[((ptrdiff_t)(offset) + (i)) * PANEL + j]
#define BYTES(offset, i) unsigned_at(b + ((ptrdiff_t)(offset) + (i)) * PANEL + v * LANES)
#define TAKE(...)                                                                                                      \
    UNROLL for (int v = 0; v < TILE_VECTORS; v++)                                                                      \
    {                                                                                                                  \
        const vector w = __VA_ARGS__;                                                                                  \
        if (multiply && v * CACHE_LINE + CACHE_LINE / 2 < to->step)                                                    \
            __builtin_prefetch(to->ahead + k % STREAMS * to->apart + k / STREAMS * to->step + v * CACHE_LINE, 0, 2);   \
        if (multiply)                                                                                                  \
            to->sum[v] = to->sum[v] + w * to->x[k];                                                                    \
        else                                                                                                           \
            *(vector *)(to->out + k * PANEL + v * LANES) = w;                                                          \
    }
#define FROM(first, stop, ...)                                                                                         \
    UNROLL for (int k = first; k < stop; k++)                                                                          \
        TAKE(__VA_ARGS__)
#define QUANTISED(first, stop, q, ...)                                                                                 \
    UNROLL for (int k = first; k < stop; k++) {                                                                        \
        int8_t whole[PANEL] __attribute__((aligned(VECTOR_BYTES)));                                                    \
        for (int j = 0; j < PANEL; j++)                                                                                \
            whole[j] = (int8_t)(q);                                                                                    \
        TAKE(__VA_ARGS__)                                                                                              \
    }
#define Q numbers_of(signed_at(whole + v * LANES))
#define EACH_VECTOR UNROLL for (int v = 0; v < TILE_VECTORS; v++)

/* PANEL float16 numbers of a field. */
ALWAYS_INLINE void f16_field(const uint8_t *field, vector *numbers) { EACH_VECTOR numbers[v] = f16_at(field + 2 * v * LANES); }

WIDEN(F16)
{
    (void)group;
    FROM(0, count, f16_at(b + 2 * (k * PANEL + v * LANES)))
}

WIDEN(BF16)
{
    (void)group;
    FROM(0, count, bf16_at(b + 2 * (k * PANEL + v * LANES)))
}

WIDEN(Q4_0)
{
    vector scale[TILE_VECTORS];
    (void)group, (void)count;
    f16_field(b, scale);
    QUANTISED(0, 16, (BYTE(2, k) & 15) - 8, scale[v] * Q)
    QUANTISED(16, 32, (BYTE(2, k - 16) >> 4) - 8, scale[v] * Q)
}

WIDEN(Q4_1)
{
    vector scale[TILE_VECTORS], minimum[TILE_VECTORS];
    (void)group, (void)count;
    f16_field(b, scale);
    f16_field(b + 2 * PANEL, minimum);
    FROM(0, 16, above(minimum[v], scale[v], nibbles_of(BYTES(4, k))))
    FROM(16, 32, above(minimum[v], scale[v], nibbles_of(BYTES(4, k - 16) >> 4)))
}

/* The fifth bit of weight k at its place: bit k of the 32 that each column has. */
ALWAYS_INLINE lanes_int fifth_bit(lanes_bits bits, int k)
{
    return (lanes_int)((k < 4 ? bits << (4 - k) : bits >> (k - 4)) & 16);
}

ALWAYS_INLINE void fifth_bits(const uint8_t *field, lanes_bits *bits) { memcpy(bits, field, 4 * PANEL); }

WIDEN(Q5_0)
{
    vector scale[TILE_VECTORS];
    lanes_bits fifth[TILE_VECTORS];
    (void)group, (void)count;
    f16_field(b, scale);
    fifth_bits(b + 2 * PANEL, fifth);
    FROM(0, 4, scale[v] * numbers_of(((BYTES(6, k) & 15) | fifth_bit(fifth[v], k)) - 16))
    FROM(4, 16, scale[v] * numbers_of(((BYTES(6, k) & 15) | fifth_bit(fifth[v], k)) - 16))
    FROM(16, 32, scale[v] * numbers_of((BYTES(6, k - 16) >> 4 | fifth_bit(fifth[v], k)) - 16))
}

WIDEN(Q5_1)
{
    vector scale[TILE_VECTORS], minimum[TILE_VECTORS];
    lanes_bits fifth[TILE_VECTORS];
    (void)group, (void)count;
    f16_field(b, scale);
    f16_field(b + 2 * PANEL, minimum);
    fifth_bits(b + 4 * PANEL, fifth);
    FROM(0, 4, above(minimum[v], scale[v], numbers_of((BYTES(8, k) & 15) | fifth_bit(fifth[v], k))))
    FROM(4, 16, above(minimum[v], scale[v], numbers_of((BYTES(8, k) & 15) | fifth_bit(fifth[v], k))))
    FROM(16, 32, above(minimum[v], scale[v], numbers_of(BYTES(8, k - 16) >> 4 | fifth_bit(fifth[v], k))))
}

WIDEN(Q8_0)
{
    vector scale[TILE_VECTORS];
    (void)group, (void)count;
    f16_field(b, scale);
    FROM(0, 32, scale[v] * numbers_of(signed_at(b + (2 + k) * PANEL + v * LANES)))
}

/* The scales and minima of a group of Q4_K and Q5_K: six bits each in 12 bytes, times two float16 numbers. */
ALWAYS_INLINE void k_scales(const uint8_t *b, int group, vector *scale, vector *minimum)
{
    const int g = group & 3;
    int8_t scales[PANEL], minima[PANEL];
    for (int j = 0; j < PANEL; j++) {
        const uint8_t low = BYTE(4, g), high = BYTE(8, g), rest = BYTE(12, g);
        scales[j] = (int8_t)(group < 4 ? low & 63 : (rest & 15) | (low >> 2 & 48));
        minima[j] = (int8_t)(group < 4 ? high & 63 : rest >> 4 | (high >> 2 & 48));
    }
    f16_field(b, scale);
    f16_field(b + 2 * PANEL, minimum);
    EACH_VECTOR
    {
        scale[v] = scale[v] * numbers_of(signed_at(scales + v * LANES));
        minimum[v] = -(minimum[v] * numbers_of(signed_at(minima + v * LANES)));
    }
}

WIDEN(Q4_K)
{
    vector scale[TILE_VECTORS], minimum[TILE_VECTORS];
    const int from = 16 + group / 2 * 32;
    (void)count;
    k_scales(b, group, scale, minimum);
    if (group % 2)
        QUANTISED(0, 32, BYTE(from, k) >> 4, above(minimum[v], scale[v], Q))
    else
        QUANTISED(0, 32, BYTE(from, k) & 15, above(minimum[v], scale[v], Q))
}

WIDEN(Q5_K)
{
    vector scale[TILE_VECTORS], minimum[TILE_VECTORS];
    const int from = 48 + group / 2 * 32;
    const uint8_t bit = (uint8_t)(1 << group);
    (void)count;
    k_scales(b, group, scale, minimum);
    if (group % 2)
        QUANTISED(0, 32, (BYTE(from, k) >> 4) + (BYTE(16, k) & bit ? 16 : 0), above(minimum[v], scale[v], Q))
    else
        QUANTISED(0, 32, (BYTE(from, k) & 15) + (BYTE(16, k) & bit ? 16 : 0), above(minimum[v], scale[v], Q))
}

WIDEN(Q6_K)
{
    vector scale[TILE_VECTORS];
    const int half = group / 4, quarter = group % 4, from = 64 * half + 32 * (quarter & 1), high = 128 + 32 * half;
    (void)count;
    for (int first = 0; first < GROUP; first += 16) { /* so many have a scale of their own */
        f16_field(b + 208 * PANEL, scale);
        EACH_VECTOR scale[v] = scale[v] * numbers_of(signed_at(b + (192 + 2 * group + first / 16) * PANEL + v * LANES));
#define PART(low, bits) QUANTISED(first, first + 16, ((low) | ((bits) << 4)) - 32, scale[v] * Q)
        if (quarter == 0)
            PART(BYTE(from, k) & 15, BYTE(high, k) & 3)
        else if (quarter == 1)
            PART(BYTE(from, k) & 15, BYTE(high, k) >> 2 & 3)
        else if (quarter == 2)
            PART(BYTE(from, k) >> 4, BYTE(high, k) >> 4 & 3)
        else
            PART(BYTE(from, k) >> 4, BYTE(high, k) >> 6)
#undef PART
    }
}

/* Each width in two ways: to memory, and multiplied at once. */
#define WIDTH(name, weights, bytes, ...)                                                                               \
    static void store_##name(const uint8_t *b, int group, int count, widened *to)                                      \
    {                                                                                                                  \
        widen_##name(b, group, count, to, 0);                                                                          \
    }                                                                                                                  \
    static void multiply_##name(const uint8_t *b, int group, int count, widened *to)                                   \
    {                                                                                                                  \
        widened own = *to;                                                                                             \
        own.step = (bytes) * PANEL / (weights); /* a constant */                                                       \
        widen_##name(b, group, count, &own, 1);                                                                        \
        *to = own;                                                                                                     \
    }
LLMTRACE_WIDTHS(WIDTH)
#undef WIDTH

typedef void (*widening)(const uint8_t *, int, int, widened *);
#define WIDTH(name, ...) {store_##name, multiply_##name},
static const widening widenings[STORED_WIDTHS][2] = {{NULL, NULL}, LLMTRACE_WIDTHS(WIDTH)};
#undef WIDTH

/* The panel's numbers of `count` values of k, from k on, a multiple of GROUP, group by group. */
ALWAYS_INLINE void widen(const int width, const uint8_t *panel, ptrdiff_t k, ptrdiff_t count, widened *to, const int multiply)
{
    const ptrdiff_t weights = stored_widths[width].weights, bytes = stored_widths[width].bytes * PANEL;
    for (ptrdiff_t i = 0; i < count; i += GROUP, k += GROUP) {
        widenings[width][multiply](panel + k / weights * bytes, (int)(k % weights / GROUP), (int)smaller(GROUP, count - i), to);
        if (multiply)
            to->x += GROUP, to->ahead += GROUP / STREAMS * bytes / weights;
        else
            to->out += GROUP * PANEL;
    }
}

#endif
#endif
