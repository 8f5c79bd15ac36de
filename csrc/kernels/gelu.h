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

/* out = (0.5·x) · (1 + t), t = tanh(inner): its slope is 0.5·(1 + t) + (0.5·x) · ((1 − t·t) · slope of inner). */
static inline REAL NAME(gelu_tanh_gradient_of)(REAL x, REAL dout)
{
    const REAL root_two_over_pi = (REAL)0.79788456080286535588, cubic = (REAL)0.044715, three_cubic = (REAL)0.134145;
    const REAL half = (REAL)0.5, squared = x * x;
    const REAL t = NAME(tanh_of)(root_two_over_pi * (x + cubic * (squared * x)));
    const REAL slope = root_two_over_pi * (1 + three_cubic * squared);
    return dout * (half * (1 + t) + (half * x) * ((1 - t * t) * slope));
}

/* out = (0.5·x) · (1 + erf(x/√2)): its slope is 0.5·(1 + erf) + x · density, the bell curve exp(−x²/2) / √(2π). */
static inline REAL NAME(gelu_erf_gradient_of)(REAL x, REAL dout)
{
    const REAL root_two = (REAL)1.41421356237309504880, one_over_root_two_pi = (REAL)0.39894228040143267794;
    const REAL half = (REAL)0.5, density = NAME(exp_of)(-(half * (x * x))) * one_over_root_two_pi;
    return dout * (half * (1 + NAME(erf_of)(x / root_two)) + x * density);
}

LLMTRACE_LOOP(gelu_tanh, NAME(gelu_tanh_of)(a[i]))
LLMTRACE_LOOP(gelu_erf, NAME(gelu_erf_of)(a[i]))
LLMTRACE_LOOP(gelu_tanh_gradient, NAME(gelu_tanh_gradient_of)(a[i], b[i]))
LLMTRACE_LOOP(gelu_erf_gradient, NAME(gelu_erf_gradient_of)(a[i], b[i]))
