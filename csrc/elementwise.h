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

LLMTRACE_LOOP(add, a[i] + b[i])
LLMTRACE_LOOP(multiply, a[i] * b[i])
LLMTRACE_LOOP(scale, a[i] * s[0])
LLMTRACE_LOOP(exp, NAME(exp_of)(a[i]))
LLMTRACE_LOOP(log, NAME(log_of)(a[i]))
LLMTRACE_LOOP(tanh, NAME(tanh_of)(a[i]))
LLMTRACE_LOOP(erf, NAME(erf_of)(a[i]))
LLMTRACE_LOOP(relu, NAME(relu_of)(a[i]))
LLMTRACE_LOOP(sigmoid, NAME(sigmoid_of)(a[i]))
LLMTRACE_LOOP(silu, NAME(silu_of)(a[i]))
