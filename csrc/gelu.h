/* GELU (Hendrycks & Gimpel 2016, arXiv:1606.08415), its tanh and its erf form, every parenthesis as computed. */

static inline REAL NAME(gelu_tanh_of)(REAL x)
{
    const REAL root_two_over_pi = (REAL)0.79788456080286535588, cubic = (REAL)0.044715;
    const REAL inner = root_two_over_pi * (x + cubic * ((x * x) * x));
    return ((REAL)0.5 * x) * (1 + NAME(tanh_of)(inner));
}

static inline REAL NAME(gelu_erf_of)(REAL x)
{
    const REAL root_two = (REAL)1.41421356237309504880;
    return ((REAL)0.5 * x) * (1 + NAME(erf_of)(x / root_two));
}

LLMTRACE_LOOP(gelu_tanh, NAME(gelu_tanh_of)(a[i]))
LLMTRACE_LOOP(gelu_erf, NAME(gelu_erf_of)(a[i]))
