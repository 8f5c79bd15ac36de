/* The error function 2/√π · ∫ e^(−t²) dt from 0 to x, correctly rounded (see elementary.h).
 *
 *     |x| < 1:   erf x = x·S(x²)                           (S: the even power series, 2/√π·(1 − x²/3 + x⁴/10 − …))
 *     |x| ≥ 1:   erf x = 1 − e^(−x²)·L(t),   t = (|x| − 3) / (|x| + 3)   (L: e^(x²)·erfc x, which varies slowly)
 *
 * and erf(−x) = −erf x. Both polynomials have 13 coefficients, so one evaluation serves both: only the variable and
 * the coefficients are chosen. x² is exact in double. erf(±0) = ±0, erf(±∞) = ±1, NaN gives NaN. */
#ifndef LLMTRACE_ERF_H
#define LLMTRACE_ERF_H

#include "exp.h"

static inline float erf_of_f32(float x)
{
    double size = magnitude_of(x);
    size = size > 3.95 ? 3.95 : size; /* erf 3.95 = 1 − 2^-25.4 rounds to 1 */
    const int small = size < 1;
    const double square = size * size, t = small ? square : (size - 3) / (size + 3);

    double p = small ? 0x1.05f2992c62ea9p-34 : -0x1.b7d09bb2c1b4ap-18;
    p = multiply_add(p, t, small ? -0x1.389a2967bdaefp-30 : -0x1.aab700f5c10bbp-18);
    p = multiply_add(p, t, small ? 0x1.f7b46ce3a4798p-27 : 0x1.2ce65a5261c6ep-14);
    p = multiply_add(p, t, small ? -0x1.5f1ed878ea3cap-23 : 0x1.a60d47167279fp-15);
    p = multiply_add(p, t, small ? 0x1.b9df26ef3d24ep-20 : -0x1.37ed1cbc0bd0fp-11);
    p = multiply_add(p, t, small ? -0x1.f4d1e3c4d91b3p-17 : 0x1.735d4fddf579ep-11);
    p = multiply_add(p, t, small ? 0x1.f9a321e441ec0p-14 : 0x1.17c9e5c8254dep-8);
    p = multiply_add(p, t, small ? -0x1.c02db3db872ffp-11 : -0x1.8fa5842fbfb70p-6);
    p = multiply_add(p, t, small ? 0x1.565bcd0dc1044p-8 : 0x1.258b13c2b13cep-4);
    p = multiply_add(p, t, small ? -0x1.b82ce31285202p-6 : -0x1.336ffbf097445p-3);
    p = multiply_add(p, t, small ? 0x1.ce2f21a042b46p-4 : 0x1.f6ff2040dc5d8p-3);
    p = multiply_add(p, t, small ? -0x1.812746b0379e6p-2 : -0x1.4e102b9cf8e69p-2);
    p = multiply_add(p, t, small ? 0x1.0a6db446b8ea4p-30 : 0x1.6e9827d229d2dp-3);

    /* 2/√π is a part of 29 bits, whose product with a float is exact, and a rest, which is p's last coefficient. */
    const exp_parts e = exp_split(-square);
    const double first = small ? size * 0x1.20dd75p+0 : 1, factor = small ? size : -(e.power * (1 + e.rest));
    return (float)with_sign_of(first + factor * p, x);
}

/* erf x = 2/√π · x · e^(−x²) · (1 + y/3·(1 + y/5·(1 + y/7·(1 + …)))), y = 2x²: nothing is subtracted
 * (Abramowitz & Stegun, Handbook of Mathematical Functions, 7.1.6). */
OUT_OF_LINE double erf_of_f64(double x)
{
    if (x != x || x == 0)
        return x;
    if (magnitude_of(x) > 6) /* erf 6 = 1 − 2^-55.4 rounds to 1 */
        return with_sign_of(1, x);
    const wide size = wide_of(magnitude_of(x)), square = wide_multiply(size, size), y = wide_scale(square, 1);
    wide sum = wide_one;
    for (uint32_t n = 52 + 3 * (uint32_t)(x * x); n >= 1; n--)
        sum = wide_add(wide_one, wide_divide_small(wide_multiply(sum, y), 2 * n + 1));
    const wide_exp_parts e = wide_exp_split(wide_negative(square), -(x * x));
    const wide bell = wide_scale(wide_add(wide_one, e.rest), e.power); /* e^(−x²) */
    return with_sign_of(double_of(wide_multiply(wide_multiply(wide_two_over_root_pi, size), wide_multiply(bell, sum))), x);
}

#endif
