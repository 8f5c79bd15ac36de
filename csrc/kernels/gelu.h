/* GELU (Hendrycks & Gimpel 2016, arXiv:1606.08415), its tanh and its erf form, every parenthesis as computed. */
#ifndef LLMTRACE_GELU_H
#define LLMTRACE_GELU_H

#include "kernel.h"

static inline real gelu_tanh_of(real x)
{
    const real root_two_over_pi = (real)0.79788456080286535588, cubic = (real)0.044715;
    const real inner = root_two_over_pi * (x + cubic * ((x * x) * x));
    return ((real)0.5 * x) * (1 + tanh_of(inner));
}

static inline real gelu_erf_of(real x)
{
    const real root_two = (real)1.41421356237309504880;
    return ((real)0.5 * x) * (1 + erf_of(x / root_two));
}

/* out = (0.5·x) · (1 + t), t = tanh(inner): its slope is 0.5·(1 + t) + (0.5·x) · ((1 − t·t) · slope of inner). */
static inline real gelu_tanh_gradient_of(real x, real dout)
{
    const real root_two_over_pi = (real)0.79788456080286535588, cubic = (real)0.044715, three_cubic = (real)0.134145;
    const real half = (real)0.5, squared = x * x;
    const real t = tanh_of(root_two_over_pi * (x + cubic * (squared * x)));
    const real slope = root_two_over_pi * (1 + three_cubic * squared);
    return dout * (half * (1 + t) + (half * x) * ((1 - t * t) * slope));
}

/* out = (0.5·x) · (1 + erf(x/√2)): its slope is 0.5·(1 + erf) + x · density, the bell curve exp(−x²/2) / √(2π). */
static inline real gelu_erf_gradient_of(real x, real dout)
{
    const real root_two = (real)1.41421356237309504880, one_over_root_two_pi = (real)0.39894228040143267794;
    const real half = (real)0.5, density = exp_of(-(half * (x * x))) * one_over_root_two_pi;
    return dout * (half * (1 + erf_of(x / root_two)) + x * density);
}

#endif

ELEMENTWISE(gelu_tanh, 1, 0, 16, gelu_tanh_of(a[i]))
ELEMENTWISE(gelu_erf, 1, 0, 16, gelu_erf_of(a[i]))
ELEMENTWISE(gelu_tanh_gradient, 2, 0, 24, gelu_tanh_gradient_of(a[i], b[i]))
ELEMENTWISE(gelu_erf_gradient, 2, 0, 32, gelu_erf_gradient_of(a[i], b[i]))
