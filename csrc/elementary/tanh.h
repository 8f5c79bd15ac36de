/* The hyperbolic tangent, correctly rounded (see elementary.h).
 *
 *     tanh x = u / (u + 2),   u = e^(2|x|) − 1,   and tanh(−x) = −tanh x
 *
 * u is made without cancellation: with e^(2|x|) = 2^k·(1 + p) from exp.h, u = 2^k·p + (2^k − 1). It is as exact for
 * tiny x as for large. tanh(±0) = ±0, tanh(±∞) = ±1, NaN gives NaN. */
#ifndef LLMTRACE_TANH_H
#define LLMTRACE_TANH_H

#include "exp.h"

static inline float tanh_of_f32(float x)
{
    double size = magnitude_of(x);
    size = size > 10 ? 10 : size; /* tanh 10 = 1 − 2^-27.9 rounds to 1 */
    const exp_parts e = exp_split(2 * size);
    const double u = multiply_add(e.power, e.rest, e.power - 1);
    return (float)with_sign_of(u / (u + 2), x);
}

OUT_OF_LINE double tanh_of_f64(double x)
{
    if (x != x || x == 0)
        return x;
    const double size = magnitude_of(x);
    if (size > 20) /* tanh 20 = 1 − 2^-56.7 rounds to 1 */
        return with_sign_of(1, x);
    const wide_exp_parts e = wide_exp_split(wide_scale(wide_of(size), 1), 2 * size);
    const wide minus_one = wide_negative(wide_one);
    const wide u = wide_add(wide_scale(e.rest, e.power), wide_add(wide_scale(wide_one, e.power), minus_one));
    return with_sign_of(double_of(wide_divide(u, wide_add(u, wide_scale(wide_one, 1)))), x);
}

#endif
