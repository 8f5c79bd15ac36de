/* Numbers of 128 bits, made from whole-number arithmetic: ± (hi·2^64 + lo) · 2^(exponent − 127), top bit of hi set.
 *
 * A double has 53 bits; to round exp, log, tanh or erf of a double correctly, one must know the result to nearly 118
 * bits in the worst cases (Lefèvre & Muller, "Worst cases for correct rounding of the elementary functions in double
 * precision", ARITH-15, 2001). Whole numbers have no rounding modes, so the same bits come out everywhere.
 * Each operation drops what does not fit: an error below 2^-126 of the result. Zero is hi = lo = 0. */
#ifndef LLMTRACE_WIDE_H
#define LLMTRACE_WIDE_H

#include "elementary.h"

typedef struct { uint64_t hi, lo; int exponent, negative; } wide;

static const wide wide_one = {SIGN_BIT, 0, 0, 0};
static const wide wide_ln2 = {0xB17217F7D1CF79ABu, 0xC9E3B39803F2F6AFu, -1, 0};
static const wide wide_ln2_rest = {0xC9E3B39803F2F6AFu, 0x40F343267298B62Eu, -65, 0}; /* ln 2 less its first 64 bits */
static const wide wide_two_over_root_pi = {0x906EBA8214DB688Du, 0x71D48A7F6BFEC344u, 0, 0};

/* Shift left until the top bit is set. */
static inline wide wide_normal(wide x)
{
    if (x.hi == 0 && x.lo == 0)
        return (wide){0, 0, 0, 0};
    if (x.hi == 0)
        x.hi = x.lo, x.lo = 0, x.exponent -= 64;
    const int shift = __builtin_clzll(x.hi); /* how many leading zeros */
    if (shift)
        x.hi = x.hi << shift | x.lo >> (64 - shift), x.lo <<= shift, x.exponent -= shift;
    return x;
}

static inline wide wide_of(double x) /* exact; x is finite */
{
    const uint64_t bits = bits_of(x), fraction = bits & 0xFFFFFFFFFFFFFu;
    const int biased = (int)(bits >> 52 & 0x7FF), normal = biased != 0;
    return wide_normal((wide){fraction | (uint64_t)normal << 52, 0, biased + !normal - 1023 + 11, (int)(bits >> 63)});
}

/* The nearest double, ties to even; subnormal and infinite results included. */
static inline double double_of(wide x)
{
    uint64_t top = x.hi | (x.lo != 0); /* its lowest bit now also says whether anything nonzero follows */
    int exponent = x.exponent;
    if (top == 0)
        return 0;
    if (exponent > 1023)
        return x.negative ? -INFINITE : INFINITE;
    if (exponent < -1022) {
        const int lost = -1022 - exponent;
        top = lost > 63 ? top != 0 : top >> lost | (top << (64 - lost) != 0);
        exponent = -1022;
    }
    uint64_t kept = top >> 11;
    const uint64_t rest = top & 0x7FF;
    kept += rest > 0x400 || (rest == 0x400 && (kept & 1)); /* a carry out of the fraction raises the exponent, as it should */
    return double_of_bits(((uint64_t)(exponent + 1022) << 52) + kept + (x.negative ? SIGN_BIT : 0));
}

/* All 128 bits of a·b, by halves of 32 bits, as on paper. */
static inline uint64_t product_of(uint64_t a, uint64_t b, uint64_t *low)
{
    const uint64_t half = 0xFFFFFFFFu, a0 = a & half, a1 = a >> 32, b0 = b & half, b1 = b >> 32;
    const uint64_t middle = a1 * b0 + (a0 * b0 >> 32), second = a0 * b1 + (middle & half);
    *low = a * b;
    return a1 * b1 + (middle >> 32) + (second >> 32);
}

static inline wide wide_multiply(wide a, wide b)
{
    uint64_t lo, ignored;
    uint64_t hi = product_of(a.hi, b.hi, &lo);
    const uint64_t cross[2] = {product_of(a.hi, b.lo, &ignored), product_of(a.lo, b.hi, &ignored)};
    for (int i = 0; i < 2; i++)
        lo += cross[i], hi += lo < cross[i];
    return wide_normal((wide){hi, lo, a.exponent + b.exponent + 1, a.negative ^ b.negative});
}

static inline wide wide_divide_small(wide x, uint32_t n) /* digit by digit in base 2^32, n > 0 */
{
    uint64_t digits[5] = {x.hi >> 32, x.hi & 0xFFFFFFFFu, x.lo >> 32, x.lo & 0xFFFFFFFFu, 0}, rest = 0;
    for (int i = 0; i < 5; i++) {
        const uint64_t dividend = rest << 32 | digits[i];
        digits[i] = dividend / n, rest = dividend % n;
    }
    wide q = wide_normal((wide){digits[0] << 32 | digits[1], digits[2] << 32 | digits[3], x.exponent, x.negative});
    q.lo |= digits[4] >> (32 - (x.exponent - q.exponent) % 32); /* the fifth digit fills the places that normalising freed */
    return q;
}

static inline wide wide_divide(wide a, wide b) /* bit by bit; b is not zero */
{
    wide q = {0, 0, a.exponent - b.exponent, a.negative ^ b.negative};
    for (int i = 0, carry = 0; i < 128; i++) {
        const int fits = carry || a.hi > b.hi || (a.hi == b.hi && a.lo >= b.lo);
        q.hi = q.hi << 1 | q.lo >> 63, q.lo = q.lo << 1 | (uint64_t)fits;
        if (fits)
            a.hi -= b.hi + (a.lo < b.lo), a.lo -= b.lo;
        carry = (int)(a.hi >> 63);
        a.hi = a.hi << 1 | a.lo >> 63, a.lo <<= 1;
    }
    return wide_normal(q);
}

static inline wide wide_negative(wide x)
{
    x.negative ^= 1;
    return x;
}

static inline wide wide_scale(wide x, int k) /* x·2^k */
{
    x.exponent += k;
    return x;
}

static inline wide wide_add(wide a, wide b)
{
    if (b.hi == 0 || (a.hi != 0 && a.exponent - b.exponent > 127))
        return a;
    if (a.hi == 0 || b.exponent - a.exponent > 127)
        return b;
    if (a.exponent < b.exponent || (a.exponent == b.exponent && (a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo)))) {
        const wide larger = b;
        b = a, a = larger;
    }
    const int shift = a.exponent - b.exponent;
    if (shift >= 64)
        b.lo = b.hi >> (shift - 64), b.hi = 0;
    else if (shift > 0)
        b.lo = b.lo >> shift | b.hi << (64 - shift), b.hi >>= shift;
    if (a.negative != b.negative) {
        a.hi -= b.hi + (a.lo < b.lo), a.lo -= b.lo;
        return wide_normal(a);
    }
    a.lo += b.lo;
    const uint64_t carry = a.lo < b.lo, sum = a.hi + b.hi, total = sum + carry;
    if (sum < a.hi || total < sum) /* one bit longer */
        return (wide){SIGN_BIT | total >> 1, total << 63 | a.lo >> 1, a.exponent + 1, a.negative};
    a.hi = total;
    return a;
}

#endif
