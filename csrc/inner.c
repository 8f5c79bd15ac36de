/* Compiled once per instruction set (setup.py gives -DLLMTRACE_ISA=avx2 -mavx2 …), for float and for double each.
 * Always with -ffp-contract=off: a multiplication and an addition are two roundings. */
#include "inner.h"

#include <math.h>
#include <string.h>

#include "exp.h"
#include "log.h"
#include "tanh.h"
#include "erf.h"
#include "chance.h"

#define REAL float
#define NAME(f) f##_f32
#include "loops.h"
#undef REAL
#undef NAME

#define REAL double
#define NAME(f) f##_f64
#define REAL_IS_DOUBLE
#include "loops.h"
#undef REAL
#undef NAME

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

const inner_table JOIN(inner_, LLMTRACE_ISA) = {
    .name = TEXT(LLMTRACE_ISA),
#define K(name) name##_f32,
#define E(name, inputs, settings, cost) name##_f32,
    .f32 = {LLMTRACE_KERNELS(K) LLMTRACE_ELEMENTWISE(E)},
#undef K
#undef E
#define K(name) name##_f64,
#define E(name, inputs, settings, cost) name##_f64,
    .f64 = {LLMTRACE_KERNELS(K) LLMTRACE_ELEMENTWISE(E)},
#undef K
#undef E
    .panel_f32 = PANEL_f32,
    .panel_f64 = PANEL_f64,
};
