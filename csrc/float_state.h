/* The state of the floating-point unit: rounding to nearest, subnormals kept, nothing trapped.
 * Kernels set it on every thread that computes and put back whatever others had set, sticky flags included. */
#ifndef LLMTRACE_FLOAT_STATE_H
#define LLMTRACE_FLOAT_STATE_H

#include <stdint.h>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
typedef unsigned int float_state;
static inline float_state float_state_enter(void)
{
    float_state before = _mm_getcsr();
    _mm_setcsr(0x1F80); /* all exceptions masked, round to nearest, no flush-to-zero, no denormals-are-zero */
    return before;
}
static inline void float_state_leave(float_state before) { _mm_setcsr(before); }

#elif defined(__aarch64__)
typedef struct { uint64_t control, status; } float_state;
static inline float_state float_state_enter(void)
{
    float_state before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before.control));
    __asm__ volatile("mrs %0, fpsr" : "=r"(before.status));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return before;
}
static inline void float_state_leave(float_state before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before.control));
    __asm__ volatile("msr fpsr, %0" : : "r"(before.status));
}

#else
#include <fenv.h>
typedef fenv_t float_state;
static inline float_state float_state_enter(void)
{
    float_state before;
    fegetenv(&before);
    fesetenv(FE_DFL_ENV);
    return before;
}
static inline void float_state_leave(float_state before) { fesetenv(&before); }
#endif

#endif
