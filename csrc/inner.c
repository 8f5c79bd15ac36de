/* Compiled once per instruction set and type of numbers (setup.py gives -DLLMTRACE_ISA=avx2 -mavx2 -DLLMTRACE_REAL=32 …),
 * always with -ffp-contract=off: a multiplication and an addition are two roundings. */
#include "inner.h"
#include "kernels/all.h" /* makes the kernels */
#include "kernels/vector.h"
#include "promise.h"

#undef ELEMENTWISE
#undef ROWS
#undef ITEMS
#undef KERNEL
#define ELEMENTWISE(name, inputs, settings, cost, expression) {#name, name##_kernel, KIND_ELEMENTWISE, inputs, settings, cost},
#define ROWS(name, inputs, settings, cost) {#name, name##_kernel, KIND_ROWS, inputs, settings, cost},
#define ITEMS(name, inputs, settings, cost) {#name, name##_kernel, KIND_ROWS, inputs, settings, cost},
#define KERNEL(name) {#name, name##_kernel, KIND_OTHER, 0, 0, 0},
static const kernel_entry kernels[] = {
#include "kernels/all.h" /* lists them: of each header only the lines below its guard are read again */
};

#define JOIN_(a, b, c) a##b##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

const inner_table JOIN(inner_, LLMTRACE_ISA, REAL_SUFFIX) = {
    .name = TEXT(LLMTRACE_ISA),
    .count = sizeof kernels / sizeof *kernels,
    .kernels = kernels,
    .panel = PANEL,
    .broken_promise = broken_promise,
};
