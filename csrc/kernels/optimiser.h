/* One step of training, element by element, every parenthesis as computed. Constants such as 1 − keep come in as settings:
 * they are worked out in double and rounded once. */

/* sign(±0) = +0, sign(NaN) = NaN. */
static inline REAL NAME(sign_of)(REAL x) { return x > 0 ? 1 : (x < 0 ? -1 : (x == x ? 0 : x)); }

static inline REAL NAME(penalise_of)(REAL gradient, REAL weight, const REAL *s) /* l1, l2 */
{
    return (gradient + s[1] * weight) + s[0] * NAME(sign_of)(weight);
}

static inline REAL NAME(adam_update_of)(REAL weight, REAL mean, REAL square, const REAL *s)
{
    const REAL rate = s[0], mean_share = s[1], square_share = s[2], epsilon = s[3], decay = s[4];
    const REAL step = (mean / mean_share) / (NAME(root_of)(square / square_share) + epsilon);
    return (weight - decay * weight) - rate * step;
}

LLMTRACE_LOOP(penalise, NAME(penalise_of)(a[i], b[i], s))
LLMTRACE_LOOP(velocity, s[0] * a[i] + b[i])
LLMTRACE_LOOP(descend, a[i] - s[0] * b[i])
LLMTRACE_LOOP(adam_mean, s[0] * a[i] + s[1] * b[i])
LLMTRACE_LOOP(adam_square, s[0] * a[i] + s[1] * (b[i] * b[i]))
LLMTRACE_LOOP(adam_update, NAME(adam_update_of)(a[i], b[i], c[i], s))
LLMTRACE_LOOP(clip_factor, a[i] > s[0] ? s[0] / a[i] : (a[i] == a[i] ? 1 : a[i]))
