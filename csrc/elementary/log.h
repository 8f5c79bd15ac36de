/* The natural logarithm, correctly rounded (see elementary.h).
 *
 *     x = 2^k · m,   √½ ≤ m < √2,   log x = k·ln 2 + log m
 *     log m = 2·artanh(s) = 2·(s + s³/3 + s⁵/5 + …),   s = (m − 1) / (m + 1),   |s| ≤ 0.1716
 *
 * m − 1 is exact, so nothing is lost near x = 1. log(±0) = −∞, log(∞) = ∞; a negative number or NaN gives NaN. */
#ifndef LLMTRACE_LOG_H
#define LLMTRACE_LOG_H

#include "wide.h"

#define ROOT_HALF_BITS 0x3FE6A09E667F3BCDu /* the bits of √½ */
#define ONE_BITS 0x3FF0000000000000u
#define FRACTION_BITS 0xFFFFFFFFFFFFFu

static inline float log_of_f32(float x)
{
    const double d = x; /* a subnormal float is an ordinary double */
    /* Move √½ … √2 to 1 … 2: the exponent is then k, and the fraction, moved back, is m. */
    const uint64_t moved = bits_of(d) + (ONE_BITS - ROOT_HALF_BITS);
    const double m = double_of_bits((moved & FRACTION_BITS) + ROOT_HALF_BITS);
    /* k as a double: put k + 1023 into the lowest bits of 2^52. */
    const double k = double_of_bits(0x4330000000000000u | moved >> 52) - (0x1p52 + 1023);

    /* With f = m − 1, 2·s = f − s·f; log m = f − (f²/2 − s·(f²/2 + R)), R = 2·s²/3 + 2·s⁴/5 + …, fitted to 2^-59.
     * Only the bracket is rounded, and it is small beside f. */
    const double f = m - 1, s = f / (2 + f), z = s * s, half_square = 0.5 * f * f;
    double R = 0x1.2f04f960c177ap-3;
    R = multiply_add(R, z, 0x1.39a1ca2fe3f78p-3);
    R = multiply_add(R, z, 0x1.74663e1afe449p-3);
    R = multiply_add(R, z, 0x1.c71c520e47e09p-3);
    R = multiply_add(R, z, 0x1.24924941e9f1bp-2);
    R = multiply_add(R, z, 0x1.999999997fe49p-2);
    R = multiply_add(R, z, 0x1.5555555555592p-1);
    R = R * z;

    /* k·ln 2 is an exact part and a rest; what rounding head + f loses is carried into the small terms. */
    const double head = k * 0x1.62e42fefa2000p-1, sum = head + f, lost = (head - sum) + f;
    const double tail = k * 0x1.9ef35793c7673p-41 - (half_square - s * (half_square + R));
    double y = sum_to_odd(sum, lost + tail);

    y = d < INFINITE ? y : d; /* ∞ and NaN are their own logarithms */
    y = d < 0 ? NOT_A_NUMBER : y;
    y = d == 0 ? -INFINITE : y;
    return (float)y;
}

OUT_OF_LINE double log_of_f64(double x)
{
    if (!(x < INFINITE)) /* ∞ and NaN */
        return x;
    if (x <= 0)
        return x < 0 ? NOT_A_NUMBER : -INFINITE;
    wide m = wide_of(x);
    const int k = m.exponent + (m.hi >= 0xB504F333F9DE6485u); /* √2 to 64 bits: m > √2 counts as 2·(m/2) */
    m.exponent -= k;
    const wide minus_one = wide_negative(wide_one);
    const wide s = wide_divide(wide_add(m, minus_one), wide_add(m, wide_one)), z = wide_multiply(s, s);
    wide sum = {0, 0, 0, 0};
    for (uint32_t n = 53; n >= 3; n -= 2)
        sum = wide_multiply(z, wide_add(sum, wide_divide_small(wide_one, n)));
    sum = wide_scale(wide_multiply(s, wide_add(wide_one, sum)), 1);
    return double_of(wide_add(wide_multiply(wide_of(k), wide_ln2), sum));
}

#endif
