/* What the headers of the elementary functions share: doubles seen as bits.
 *
 * The float functions work in double and round once, at the very end. They use + − × ÷ only, never a library call or
 * a table; and every choice is a `condition ? this : that` between two computed values, so the compiler can treat
 * several elements at a time. That the final rounding is right is not argued but checked, for all 2^32 inputs, by
 * tools/check_elementary.py: both of what rounds every step and of what fuses some (multiply_add). There is only one
 * right rounding, so every IEEE machine gives the same bits.
 * The double functions are in the second half of each header; they use the long arithmetic of wide.h.
 *
 * The polynomials were fitted by the Remez exchange (minimax; Muller, Elementary Functions, 3rd ed., chapter 3)
 * on the interval named beside them, then each coefficient was rounded to double. */
#ifndef LLMTRACE_ELEMENTARY_H
#define LLMTRACE_ELEMENTARY_H

#include <stdint.h>
#include <string.h>

/* The functions of double are long and never vectorised: one copy of each will do. */
#define OUT_OF_LINE static __attribute__((noinline, unused))

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double double_of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define SIGN_BIT 0x8000000000000000u
#define INFINITE double_of_bits(0x7FF0000000000000u)
#define NOT_A_NUMBER double_of_bits(0x7FF8000000000000u)

static inline double magnitude_of(double x) { return double_of_bits(bits_of(x) & ~SIGN_BIT); }
static inline double with_sign_of(double size, double x) { return double_of_bits(bits_of(size) | (bits_of(x) & SIGN_BIT)); }

/* a·b + c: one rounding where the processor does both at once, two elsewhere. For the float functions alone, whose rest of
 * error is rounded away in either case. */
#if defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
static inline double multiply_add(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
static inline double multiply_add(double a, double b, double c) { return a * b + c; }
#endif

/* large + small, rounded to odd: a sum that does not fit a double becomes whichever of its two neighbours has an odd last
 * bit. Rounding that to float is then like rounding the exact sum, even if it nearly is the midpoint of two floats; the
 * usual sum could become that midpoint (Boldo & Melquiond, IEEE Trans. Computers 57(4), 2008). |small| ≤ |large|. */
static inline double sum_to_odd(double large, double small)
{
    const double sum = large + small, lost = small - (sum - large); /* exactly what the sum lost: Dekker 1971 */
    const uint64_t bits = bits_of(sum), step = lost != 0 ? ~bits & 1 : 0, inwards = (bits_of(lost) ^ bits) >> 63;
    return double_of_bits(bits + step - 2 * (step & inwards));
}

/* Adding 1.5·2^52 leaves no room for a fraction: the sum is rounded to an integer, which stands in its lowest bits.
 * Good for |x| < 2^51 (Muller et al., Handbook of Floating-Point Arithmetic). */
#define ROUND_TO_INTEGER 0x1.8p52

/* 2^k, where k is the integer in `shifted` = k + ROUND_TO_INTEGER, |k| ≤ 1022: k + 1023 moved into the exponent's place. */
static inline double two_to_the(double shifted) { return double_of_bits((bits_of(shifted) + 1023) << 52); }

#endif
