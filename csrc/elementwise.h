/* Loops of one independent operation per element. An item is an element. */

static void NAME(add)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const elementwise_job *j = job;
    const REAL *a = j->a, *b = j->b;
    REAL *restrict out = j->out;
    for (ptrdiff_t i = begin; i < end; i++)
        out[i] = a[i] + b[i];
}

static void NAME(multiply)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const elementwise_job *j = job;
    const REAL *a = j->a, *b = j->b;
    REAL *restrict out = j->out;
    for (ptrdiff_t i = begin; i < end; i++)
        out[i] = a[i] * b[i];
}

static void NAME(scale)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const elementwise_job *j = job;
    const REAL *a = j->a;
    const REAL factor = (REAL)j->factor;
    REAL *restrict out = j->out;
    for (ptrdiff_t i = begin; i < end; i++)
        out[i] = a[i] * factor;
}

/* relu(NaN) is NaN and relu(−0) is +0, as in max(x, 0) written x > 0 ? x : (x is NaN ? x : 0). */
static inline REAL NAME(relu_of)(REAL x) { return x > 0 ? x : (x == x ? 0 : x); }
static inline REAL NAME(sigmoid_of)(REAL x) { return 1 / (1 + NAME(exp_of)(-x)); }
static inline REAL NAME(silu_of)(REAL x) { return x * NAME(sigmoid_of)(x); }

#define LLMTRACE_UNARY(name)                                                                                           \
    static void NAME(name)(const void *job, ptrdiff_t begin, ptrdiff_t end)                                            \
    {                                                                                                                  \
        const elementwise_job *j = job;                                                                                \
        const REAL *a = j->a;                                                                                          \
        REAL *restrict out = j->out;                                                                                   \
        for (ptrdiff_t i = begin; i < end; i++)                                                                        \
            out[i] = NAME(name##_of)(a[i]);                                                                            \
    }
LLMTRACE_UNARY(exp)
LLMTRACE_UNARY(log)
LLMTRACE_UNARY(tanh)
LLMTRACE_UNARY(erf)
LLMTRACE_UNARY(relu)
LLMTRACE_UNARY(sigmoid)
LLMTRACE_UNARY(silu)
