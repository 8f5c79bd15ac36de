/* `real`, the type of numbers of this pass over the kernels, float or double, and the elementary functions of it. */
#ifndef LLMTRACE_REAL_H
#define LLMTRACE_REAL_H

#include "elementary/erf.h"
#include "elementary/exp.h"
#include "elementary/log.h"
#include "elementary/sine.h"
#include "elementary/tanh.h"

#include <math.h>

#ifndef LLMTRACE_REAL
#define LLMTRACE_REAL 32 /* bits; setup.py compiles for 32 and for 64 */
#endif

#if LLMTRACE_REAL == 32
typedef float real;
#define REAL_SUFFIX _f32
static inline real exp_of(real x) { return exp_of_f32(x); }
static inline real log_of(real x) { return log_of_f32(x); }
static inline real tanh_of(real x) { return tanh_of_f32(x); }
static inline real erf_of(real x) { return erf_of_f32(x); }
static inline real sin_of(real x) { return sin_of_f32(x); }
static inline real cos_of(real x) { return cos_of_f32(x); }
static inline real root_of(real x) { return sqrtf(x); }
static inline real absolute_of(real x) { return fabsf(x); }
#else
typedef double real;
#define REAL_SUFFIX _f64
static inline real exp_of(real x) { return exp_of_f64(x); }
static inline real log_of(real x) { return log_of_f64(x); }
static inline real tanh_of(real x) { return tanh_of_f64(x); }
static inline real erf_of(real x) { return erf_of_f64(x); }
static inline real sin_of(real x) { return sin_of_f64(x); }
static inline real cos_of(real x) { return cos_of_f64(x); }
static inline real root_of(real x) { return sqrt(x); }
static inline real absolute_of(real x) { return fabs(x); }
#endif

#endif
