/* The instruction sets. inner.c is compiled for each of them, and the last that the processor has is used.
 *
 * A line is ISA(name, machine, flags of the compiler, whether this processor has it), the slowest first. To add one: a line here,
 * and the widths of its vectors and tiles in kernels/vector.h. setup.py reads the lines too. */
#ifndef LLMTRACE_ISAS_H
#define LLMTRACE_ISAS_H

#define HAS(feature) __builtin_cpu_supports(feature)
#ifdef LLMTRACE_X86
#include <cpuid.h>

/* Conversion of float16 numbers, which not every compiler's __builtin_cpu_supports knows. */
static inline int has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

#define LLMTRACE_ISAS(ISA)                                                                                             \
    ISA(baseline, any, "", 1)                                                                                          \
    ISA(avx2, x86, "-mavx2 -mfma -mf16c", HAS("avx2") && HAS("fma") && has_f16c())                                     \
    ISA(avx512, x86, "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512",                           \
        HAS("avx512f") && HAS("avx512bw") && HAS("avx512dq") && HAS("avx512vl"))

/* ON_x86(code) is the code, or nothing where this build is for another machine. */
#define ON_any(...) __VA_ARGS__
#ifdef LLMTRACE_X86
#define ON_x86(...) __VA_ARGS__
#else
#define ON_x86(...)
#endif

#endif
