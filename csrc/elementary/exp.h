/* The exponential function, correctly rounded (see elementary.h).
 *
 *     e^x = 2^k · e^r,   k = x / ln 2 rounded to an integer,   r = x − k·ln 2,   |r| ≤ ln 2 / 2 = 0.3466
 *
 * ln 2 is held as a short part, so that k times it is exact, and the rest (Cody & Waite, Software Manual for the
 * Elementary Functions, 1980). Multiplying by 2^k is exact too; a result too small or too large for a float becomes
 * subnormal, 0 or infinite when it is rounded to float. NaN gives NaN. */
#ifndef LLMTRACE_EXP_H
#define LLMTRACE_EXP_H

#include "wide.h"

/* e^r − 1 for |r| ≤ 0.3466: r + r²·q(r), where q was fitted with a relative error below 2^-61. */
static inline double expm1_reduced(double r)
{
    const double square = r * r; /* even and odd terms are summed side by side, for neither has to wait for the other */
    double even = 0x1.1f9576384cf5ep-29, odd = 0x1.af5ea66b0b9bap-26;
    even = multiply_add(even, square, 0x1.27e4c591491b4p-22);
    odd = multiply_add(odd, square, 0x1.71ddf862c970ep-19);
    even = multiply_add(even, square, 0x1.a01a01b0c025ep-16);
    odd = multiply_add(odd, square, 0x1.a01a01afde980p-13);
    even = multiply_add(even, square, 0x1.6c16c16c1442cp-10);
    odd = multiply_add(odd, square, 0x1.111111110f6c1p-7);
    even = multiply_add(even, square, 0x1.555555555555ap-5);
    odd = multiply_add(odd, square, 0x1.5555555555559p-3);
    even = multiply_add(even, square, 0.5);
    return multiply_add(square, multiply_add(r, odd, even), r);
}

typedef struct { double power, rest; } exp_parts; /* e^x = power · (1 + rest), power = 2^k */

static inline exp_parts exp_split(double x) /* |x| < 700 */
{
    const double shifted = multiply_add(x, 0x1.71547652b82fep+0, ROUND_TO_INTEGER), k = shifted - ROUND_TO_INTEGER;
    const double r = multiply_add(-k, 0x1.9ef35793c7673p-41, multiply_add(-k, 0x1.62e42fefa2000p-1, x));
    return (exp_parts){two_to_the(shifted), expm1_reduced(r)};
}

static inline float exp_of_f32(float x)
{
    double d = x;
    d = d < -104 ? -104 : d; /* e^-104 < 2^-150 rounds to 0, */
    d = d > 89 ? 89 : d;     /* e^89 > 2^128 rounds to infinity; NaN passes both comparisons */
    const exp_parts e = exp_split(d);
    return (float)multiply_add(e.power, e.rest, e.power);
}

/* e^r − 1 for |r| ≤ 0.35: r·(1 + r/2·(1 + r/3·(1 + …))), 28 terms. */
static inline wide wide_expm1_reduced(wide r)
{
    wide sum = wide_one;
    for (uint32_t n = 28; n >= 2; n--)
        sum = wide_add(wide_one, wide_divide_small(wide_multiply(sum, r), n));
    return wide_multiply(sum, r);
}

typedef struct { int power; wide rest; } wide_exp_parts; /* e^x = 2^power · (1 + rest) */

/* near is x to 53 bits, |x| < 800; k times the first 64 bits of ln 2 is exact. */
static inline wide_exp_parts wide_exp_split(wide x, double near)
{
    const double k = near * 0x1.71547652b82fep+0 + ROUND_TO_INTEGER - ROUND_TO_INTEGER;
    const wide first = {wide_ln2.hi, 0, wide_ln2.exponent, 0}, less = wide_of(-k);
    const wide r = wide_add(wide_add(x, wide_multiply(less, first)), wide_multiply(less, wide_ln2_rest));
    return (wide_exp_parts){(int)k, wide_expm1_reduced(r)};
}

OUT_OF_LINE double exp_of_f64(double x)
{
    if (x != x)
        return x;
    if (x > 710) /* e^710 > 2^1024 */
        return INFINITE;
    if (x < -746) /* e^-746 < 2^-1075 */
        return 0;
    const wide_exp_parts e = wide_exp_split(wide_of(x), x);
    return double_of(wide_scale(wide_add(wide_one, e.rest), e.power));
}

#endif
