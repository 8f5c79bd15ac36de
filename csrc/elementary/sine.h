/* The sine and the cosine of x radians, correctly rounded (see elementary.h).
 *
 *     x = q·π/2 + r,   |r| ≤ π/4,   sin x = sin r, cos r, −sin r or −cos r, as q mod 4 says; cos x is one q further on
 *     sin r = r·(1 − r²/(2·3)·(1 − r²/(4·5)·(1 − …))),   cos r = 1 − r²/(1·2)·(1 − r²/(3·4)·(1 − …))
 *
 * Both types are worked out in the long arithmetic of wide.h: sines are taken of places, which are few, so speed matters
 * little, and one way is easier to check than two. sin ±0 = ±0; ±∞ and NaN give NaN. */
#ifndef LLMTRACE_SINE_H
#define LLMTRACE_SINE_H

#include "wide.h"

typedef struct { unsigned quarter; wide rest; } wide_turn; /* x = quarter·π/2 + rest, but for whole turns */

static const wide wide_half_pi = {0xC90FDAA22168C234u, 0xC4C6628B80DC1CD1u, 0, 0};

/* 2/π, behind 64 zeros: all bits that a double can meet. */
static const uint64_t two_over_pi[] = {
    0, 0xA2F9836E4E441529u, 0xFC2757D1F534DDC0u, 0xDB6295993C439041u, 0xFE5163ABDEBBC561u, 0xB7246E3A424DD2E0u,
    0x06492EEA09D1921Cu, 0xFE1DEB1CB129A73Eu, 0xE88235F52EBB4484u, 0xE99C7026B45F7E41u, 0x3991D639835339F4u,
    0x9C845F8BBDF9283Bu, 0x1FF897FFDE05980Fu, 0xEF2F118B5A0A6D1Fu, 0x6D367ECF27CB09B7u, 0x4F463F669E5FEA2Du,
    0x7527BAC7EBE5F17Bu, 0x3D0739F78A5292EAu, 0x6BFB5FB11F8D5D08u, 0x56033046FC7B6BABu, 0xF0CFBC209AF4361Du};

/* The 64 bits of the table that begin with its bit `from`, counted from 0. */
static inline uint64_t bits_from(int from)
{
    const uint64_t *word = two_over_pi + from / 64;
    const int shift = from % 64;
    return shift ? word[0] << shift | word[1] >> (64 - shift) : word[0];
}

/* x = m·2^e with a whole number m of 53 bits; x·2/π, of which whole turns, multiples of 4, are left out: these come of the bits
 * of 2/π in front of 2^(2−e). Of those behind, 256 are multiplied by m (Payne and Hanek, ACM SIGNUM 18, 1983). The product
 * begins with the quarter and has 254 bits behind it, at most 62 of them zeros (Muller, Elementary Functions, chapter 11). */
static inline wide_turn wide_turn_of(double x) /* x ≥ ½, finite */
{
    const uint64_t bits = bits_of(x), m = (bits & 0xFFFFFFFFFFFFFu) | 1ull << 52;
    const int e = (int)(bits >> 52) - 1075;
    uint64_t part[5] = {0, 0, 0, 0, 0}, carry = 0;
    for (int i = 3; i >= 0; i--) {
        uint64_t low;
        const uint64_t high = product_of(bits_from(e + 62 + 64 * i), m, &low);
        part[i] = low + carry, carry = high + (part[i] < low);
    }
    const unsigned up = part[0] >> 61 & 1; /* nearer to the next quarter: what is missing to it, negative */
    const unsigned quarter = (unsigned)(part[0] >> 62) + up;
    for (int i = 0; i < 4; i++)
        part[i] = (part[i] << 2 | part[i + 1] >> 62) ^ (up ? ~0ull : 0);
    const int skip = part[0] == 0; /* its first 64 bits are zeros */
    const uint64_t *first = part + skip;
    const int shift = __builtin_clzll(first[0]);
    wide rest = {first[0], first[1], -1 - 64 * skip - shift, (int)up};
    if (shift)
        rest.hi = rest.hi << shift | rest.lo >> (64 - shift), rest.lo = rest.lo << shift | first[2] >> (64 - shift);
    return (wide_turn){quarter, wide_multiply(rest, wide_half_pi)};
}

/* sin(x + ahead·π/2), x finite */
OUT_OF_LINE wide wide_sine(double x, unsigned ahead)
{
    wide_turn turn = magnitude_of(x) < 0.5 ? (wide_turn){0, wide_of(magnitude_of(x))} : wide_turn_of(magnitude_of(x));
    if (x < 0)
        turn.quarter = 0 - turn.quarter, turn.rest.negative ^= 1;
    turn.quarter += ahead;
    const wide square = wide_multiply(turn.rest, turn.rest);
    const uint32_t odd = turn.quarter & 1;
    wide sum = wide_one;
    for (uint32_t n = 32; n >= 2; n -= 2)
        sum = wide_add(wide_one, wide_negative(wide_divide_small(wide_multiply(sum, square), odd ? n * (n - 1) : n * (n + 1))));
    if (!odd)
        sum = wide_multiply(sum, turn.rest);
    return turn.quarter & 2 ? wide_negative(sum) : sum;
}

/* The sine of a float is never so small that its double were subnormal. */
static inline float float_of(wide x)
{
    const uint64_t odd = x.hi >> 11 | ((x.hi & 0x7FF) != 0) | (x.lo != 0); /* rounded to odd, as sum_to_odd does */
    return (float)double_of_bits(((uint64_t)(x.exponent + 1022) << 52) + odd + (x.negative ? SIGN_BIT : 0));
}

static inline int is_finite(double x) { return magnitude_of(x) < INFINITE; }
static inline float sin_of_f32(float x) { return x == 0 ? x : is_finite(x) ? float_of(wide_sine(x, 0)) : (float)NOT_A_NUMBER; }
static inline float cos_of_f32(float x) { return is_finite(x) ? float_of(wide_sine(x, 1)) : (float)NOT_A_NUMBER; }
static inline double sin_of_f64(double x) { return x == 0 ? x : is_finite(x) ? double_of(wide_sine(x, 0)) : NOT_A_NUMBER; }
static inline double cos_of_f64(double x) { return is_finite(x) ? double_of(wide_sine(x, 1)) : NOT_A_NUMBER; }

#endif
