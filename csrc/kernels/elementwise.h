/* Loops of one independent operation per element. An item is an element.
 *
 * A kernel is a function `name_of` of the elements at one place, and LLMTRACE_LOOP makes the loop over all places. Where a
 * kernel has settings, `name_of` takes them last, as an array, rounded to the type of the elements. */
#define LLMTRACE_LOOP(name, expression)                                                                                \
    static void NAME(name)(const void *job, ptrdiff_t begin, ptrdiff_t end)                                            \
    {                                                                                                                  \
        const elementwise_job *j = job;                                                                                \
        const REAL *a = j->in[0], *b = j->in[1], *c = j->in[2];                                                        \
        REAL *restrict out = j->out;                                                                                   \
        REAL s[MOST_SETTINGS];                                                                                         \
        for (int k = 0; k < MOST_SETTINGS; k++)                                                                        \
            s[k] = (REAL)j->setting[k];                                                                                \
        (void)a, (void)b, (void)c, (void)s;                                                                            \
        for (ptrdiff_t i = begin; i < end; i++)                                                                        \
            out[i] = expression;                                                                                       \
    }

/* relu(NaN) is NaN and relu(−0) is +0, as in max(x, 0) written x > 0 ? x : (x is NaN ? x : 0). */
static inline REAL NAME(relu_of)(REAL x) { return x > 0 ? x : (x == x ? 0 : x); }
static inline REAL NAME(sigmoid_of)(REAL x) { return 1 / (1 + NAME(exp_of)(-x)); }
static inline REAL NAME(silu_of)(REAL x) { return x * NAME(sigmoid_of)(x); }

/* Gradients, as in llmtrace/ops: what makes a comparison false for NaN must still let the NaN through. */
static inline REAL NAME(relu_gradient_of)(REAL x, REAL dout) { return x > 0 ? dout : (x == x ? 0 : x); }

static inline REAL NAME(silu_gradient_of)(REAL x, REAL dout)
{
    const REAL s = NAME(sigmoid_of)(x);
    return dout * (s * (1 + x * (1 - s)));
}

static inline REAL NAME(erf_gradient_of)(REAL x, REAL dout)
{
    const REAL two_over_root_pi = (REAL)1.12837916709551257390;
    return dout * (two_over_root_pi * NAME(exp_of)(-(x * x)));
}

static inline REAL NAME(squared_error_of)(REAL a, REAL b)
{
    const REAL difference = a - b;
    return difference * difference;
}

static inline REAL NAME(absolute_error_gradient_of)(REAL a, REAL b, REAL dout)
{
    return a > b ? dout : (a < b ? -dout : (a == b ? 0 : a + b));
}

LLMTRACE_LOOP(add, a[i] + b[i])
LLMTRACE_LOOP(multiply, a[i] * b[i])
LLMTRACE_LOOP(subtract, a[i] - b[i])
LLMTRACE_LOOP(divide, a[i] / b[i])
LLMTRACE_LOOP(root, NAME(root_of)(a[i]))
LLMTRACE_LOOP(scale, a[i] * s[0])
LLMTRACE_LOOP(divide_by, a[i] / s[0])
LLMTRACE_LOOP(exp, NAME(exp_of)(a[i]))
LLMTRACE_LOOP(log, NAME(log_of)(a[i]))
LLMTRACE_LOOP(tanh, NAME(tanh_of)(a[i]))
LLMTRACE_LOOP(erf, NAME(erf_of)(a[i]))
LLMTRACE_LOOP(relu, NAME(relu_of)(a[i]))
LLMTRACE_LOOP(sigmoid, NAME(sigmoid_of)(a[i]))
LLMTRACE_LOOP(silu, NAME(silu_of)(a[i]))
LLMTRACE_LOOP(relu_gradient, NAME(relu_gradient_of)(a[i], b[i]))
LLMTRACE_LOOP(tanh_gradient, b[i] * (1 - a[i] * a[i]))
LLMTRACE_LOOP(sigmoid_gradient, b[i] * (a[i] * (1 - a[i])))
LLMTRACE_LOOP(silu_gradient, NAME(silu_gradient_of)(a[i], b[i]))
LLMTRACE_LOOP(erf_gradient, NAME(erf_gradient_of)(a[i], b[i]))
LLMTRACE_LOOP(squared_error, NAME(squared_error_of)(a[i], b[i]))
LLMTRACE_LOOP(squared_error_gradient, c[i] * (2 * (a[i] - b[i])))
LLMTRACE_LOOP(absolute_error, NAME(size_of)(a[i] - b[i]))
LLMTRACE_LOOP(absolute_error_gradient, NAME(absolute_error_gradient_of)(a[i], b[i], c[i]))
