/* One step of training, element by element, every parenthesis as computed. Constants such as 1 − β come in as settings:
 * they are worked out in double and rounded once. */
#ifndef LLMTRACE_OPTIMISER_H
#define LLMTRACE_OPTIMISER_H

#include "kernel.h"

/* sign(±0) = +0, sign(NaN) = NaN. */
static inline real sign_of(real x) { return x > 0 ? 1 : (x < 0 ? -1 : (x == x ? 0 : x)); }

static inline real regularise_of(real gradient, real weight, const real *s) /* l1, l2 */
{
    return (gradient + s[1] * weight) + s[0] * sign_of(weight);
}

static inline real adam_update_of(real weight, real mean, real square, const real *s)
{
    const real rate = s[0], mean_correction = s[1], square_correction = s[2], epsilon = s[3], decay = s[4];
    const real step = (mean / mean_correction) / (root_of(square / square_correction) + epsilon);
    return (weight - decay * weight) - rate * step;
}

#endif

ELEMENTWISE(regularise, 2, 2, 2, regularise_of(a[i], b[i], s))
ELEMENTWISE(momentum, 2, 1, 1, s[0] * a[i] + b[i])
ELEMENTWISE(sgd_step, 2, 1, 1, a[i] - s[0] * b[i])
ELEMENTWISE(adam_mean, 2, 2, 2, s[0] * a[i] + s[1] * b[i])
ELEMENTWISE(adam_square, 2, 2, 2, s[0] * a[i] + s[1] * (b[i] * b[i]))
ELEMENTWISE(adam_update, 3, 5, 16, adam_update_of(a[i], b[i], c[i], s))
ELEMENTWISE(clip_factor, 1, 1, 4, a[i] > s[0] ? s[0] / a[i] : (a[i] == a[i] ? 1 : a[i]))
