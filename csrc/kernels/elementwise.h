/* Kernels of one independent operation per element, with their gradients. */
#ifndef LLMTRACE_ELEMENTWISE_H
#define LLMTRACE_ELEMENTWISE_H

#include "kernel.h"

/* relu(NaN) is NaN and relu(−0) is +0, as in max(x, 0) written x > 0 ? x : (x is NaN ? x : 0). */
static inline real relu_of(real x) { return x > 0 ? x : (x == x ? 0 : x); }
static inline real sigmoid_of(real x) { return 1 / (1 + exp_of(-x)); }
static inline real silu_of(real x) { return x * sigmoid_of(x); }

/* Gradients, as in llmtrace/ops: what makes a comparison false for NaN must still let the NaN through. */
static inline real edit_of(real x, real value, real kept) { return kept > 0 ? x : (kept == kept ? value : kept); }
static inline real relu_gradient_of(real x, real dout) { return x > 0 ? dout : (x == x ? 0 : x); }

static inline real silu_gradient_of(real x, real dout)
{
    const real s = sigmoid_of(x);
    return dout * (s * (1 + x * (1 - s)));
}

static inline real erf_gradient_of(real x, real dout)
{
    const real two_over_root_pi = (real)1.12837916709551257390;
    return dout * (two_over_root_pi * exp_of(-(x * x)));
}

static inline real squared_error_of(real a, real b)
{
    const real difference = a - b;
    return difference * difference;
}

static inline real absolute_error_gradient_of(real a, real b, real dout)
{
    return a > b ? dout : (a < b ? -dout : (a == b ? 0 : a + b));
}

/* out = x · factor. in: x, factor [1]: one number that was itself computed. */
static void multiply_scalar_kernel(const kernel_job *j, ptrdiff_t begin, ptrdiff_t end)
{
    const real *x = j->in[0], factor = *(const real *)j->in[1];
    real *restrict out = j->out;
    for (ptrdiff_t i = begin; i < end; i++)
        out[i] = x[i] * factor;
}

#endif

ITEMS(multiply_scalar, 2, 0, 1)
ELEMENTWISE(add, 2, 0, 1, a[i] + b[i])
ELEMENTWISE(multiply, 2, 0, 1, a[i] * b[i])
ELEMENTWISE(subtract, 2, 0, 1, a[i] - b[i])
ELEMENTWISE(divide, 2, 0, 4, a[i] / b[i])
ELEMENTWISE(sqrt, 1, 0, 4, root_of(a[i]))
ELEMENTWISE(scale, 1, 1, 1, a[i] * s[0])
ELEMENTWISE(divide_by, 1, 1, 4, a[i] / s[0])
ELEMENTWISE(exp, 1, 0, 16, exp_of(a[i]))
ELEMENTWISE(log, 1, 0, 16, log_of(a[i]))
ELEMENTWISE(tanh, 1, 0, 16, tanh_of(a[i]))
ELEMENTWISE(erf, 1, 0, 16, erf_of(a[i]))
ELEMENTWISE(sin, 1, 0, 1000, sin_of(a[i]))
ELEMENTWISE(cos, 1, 0, 1000, cos_of(a[i]))
ELEMENTWISE(relu, 1, 0, 1, relu_of(a[i]))
ELEMENTWISE(sigmoid, 1, 0, 16, sigmoid_of(a[i]))
ELEMENTWISE(silu, 1, 0, 16, silu_of(a[i]))
ELEMENTWISE(edit, 3, 0, 1, edit_of(a[i], b[i], c[i]))
ELEMENTWISE(relu_gradient, 2, 0, 1, relu_gradient_of(a[i], b[i]))
ELEMENTWISE(tanh_gradient, 2, 0, 2, b[i] * (1 - a[i] * a[i]))
ELEMENTWISE(sigmoid_gradient, 2, 0, 2, b[i] * (a[i] * (1 - a[i])))
ELEMENTWISE(silu_gradient, 2, 0, 20, silu_gradient_of(a[i], b[i]))
ELEMENTWISE(erf_gradient, 2, 0, 16, erf_gradient_of(a[i], b[i]))
ELEMENTWISE(sin_gradient, 2, 0, 1000, b[i] * cos_of(a[i]))
ELEMENTWISE(cos_gradient, 2, 0, 1000, b[i] * -sin_of(a[i]))
ELEMENTWISE(squared_error, 2, 0, 1, squared_error_of(a[i], b[i]))
ELEMENTWISE(squared_error_gradient, 3, 0, 2, c[i] * (2 * (a[i] - b[i])))
ELEMENTWISE(absolute_error, 2, 0, 1, absolute_of(a[i] - b[i]))
ELEMENTWISE(absolute_error_gradient, 3, 0, 2, absolute_error_gradient_of(a[i], b[i], c[i]))
