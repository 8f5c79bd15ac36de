/* A self-test of the compiler's flags. The promise of the same bits everywhere needs every operation rounded once, in the order in
 * which it is written. Flags such as -ffast-math or -ffp-contract=fast give that away without a word; so this runs a few
 * operations whose bits they would change, compiled with the same flags as the kernels, once when the package is imported.
 *
 * Values come from volatile memory, so that the compiler can't work them out, and go through loops long enough for vectors. */
#ifndef LLMTRACE_PROMISE_H
#define LLMTRACE_PROMISE_H

#include "kernels/real.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

enum { PROMISE_PLACES = 37 }; /* odd: a few are left over behind the vectors */

#if LLMTRACE_REAL == 32
#define PROMISE_SMALL 0x1p-12f /* its square is lost beside 1 */
#define PROMISE_HUGE 1e30f
#define PROMISE_NORMAL FLT_MIN
#else
#define PROMISE_SMALL 0x1p-27
#define PROMISE_HUGE 1e300
#define PROMISE_NORMAL DBL_MIN
#endif

static void promise_fill(real *x, const volatile real *value)
{
    for (int i = 0; i < PROMISE_PLACES; i++)
        x[i] = *value;
}

static int promise_all_equal(const real *x, const volatile real *value)
{
    int equal = 1;
    for (int i = 0; i < PROMISE_PLACES; i++) {
        const real wanted = *value;
        equal &= memcmp(x + i, &wanted, sizeof wanted) == 0;
    }
    return equal;
}

/* (1 + e)² − (1 + 2e) is e² where the product isn't rounded before it is added to, and 0 where it is. */
static int promise_product_is_rounded(void)
{
    static const volatile real one_and_small = 1 + PROMISE_SMALL, less = -(1 + 2 * PROMISE_SMALL), zero = 0;
    real a[PROMISE_PLACES], b[PROMISE_PLACES];
    promise_fill(a, &one_and_small);
    promise_fill(b, &less);
    for (int i = 0; i < PROMISE_PLACES; i++)
        b[i] += a[i] * a[i];
    return promise_all_equal(b, &zero);
}

/* Left to right, 1 + h + 1 − h + 1 + h + 1 − h … + 1 is 1: all but the last are lost beside h. */
static int promise_sum_is_in_order(void)
{
    static const volatile real huge = PROMISE_HUGE, one = 1;
    real a[PROMISE_PLACES], sum = 0;
    for (int i = 0; i < PROMISE_PLACES; i++)
        a[i] = i % 4 == 1 ? huge : i % 4 == 3 ? -huge : one;
    for (int i = 0; i < PROMISE_PLACES; i++)
        sum += a[i];
    return sum == 1;
}

/* A product beyond the largest number is infinite, though the next factor would bring it back. */
static int promise_no_wider_numbers(void)
{
    static const volatile real huge = PROMISE_HUGE, infinite = (real)INFINITY;
    real a[PROMISE_PLACES], b[PROMISE_PLACES];
    promise_fill(a, &huge);
    promise_fill(b, &huge);
    for (int i = 0; i < PROMISE_PLACES; i++)
        b[i] = a[i] * b[i] / a[i];
    return promise_all_equal(b, &infinite);
}

/* 5 / 3 is another number than 5 · (1 / 3), and the root of a square is its base, however it is approximated. */
static int promise_quotients_and_roots_are_rounded_once(void)
{
    static const volatile real five = 5, three = 3, wanted = (real)5 / (real)3, square = 29929, base = 173;
    real a[PROMISE_PLACES], b[PROMISE_PLACES], c[PROMISE_PLACES];
    const real divisor = three;
    promise_fill(a, &five);
    promise_fill(b, &five);
    promise_fill(c, &square);
    for (int i = 0; i < PROMISE_PLACES; i++) {
        a[i] /= divisor;
        b[i] /= 3;
        c[i] = root_of(c[i]);
    }
    return promise_all_equal(a, &wanted) && promise_all_equal(b, &wanted) && promise_all_equal(c, &base);
}

/* Half the smallest normal number is a subnormal one, and the smallest of these is more than 0. */
static int promise_subnormals_are_kept(void)
{
    static const volatile real normal = PROMISE_NORMAL, half = (real)0.5, subnormal = PROMISE_NORMAL / 2;
    real a[PROMISE_PLACES], b[PROMISE_PLACES];
    promise_fill(a, &normal);
    promise_fill(b, &subnormal);
    for (int i = 0; i < PROMISE_PLACES; i++) {
        a[i] *= half;
        b[i] += b[i];
    }
    return promise_all_equal(a, &subnormal) && promise_all_equal(b, &normal);
}

/* −0 + 0 is 0, and a NaN is no number, not even itself. */
static int promise_zeros_and_nans_are_seen(void)
{
    static const volatile real less_than_zero = -(real)0, zero = 0, nan = (real)NAN;
    real a[PROMISE_PLACES], b[PROMISE_PLACES];
    int unequal = 0;
    promise_fill(a, &less_than_zero);
    promise_fill(b, &nan);
    for (int i = 0; i < PROMISE_PLACES; i++) {
        a[i] += 0;
        unequal += b[i] != b[i];
    }
    return promise_all_equal(a, &zero) && unequal == PROMISE_PLACES;
}

/* 0.1 is the double nearest to a tenth, not the float. */
static int promise_constants_are_doubles(void)
{
    const volatile double tenth = 0.1;
    const double tenth_again = tenth;
    uint64_t bits;
    memcpy(&bits, &tenth_again, sizeof bits);
    return bits == UINT64_C(0x3FB999999999999A);
}

/* The operation that this build gets wrong, or NULL. */
static const char *broken_promise(void)
{
    return !promise_product_is_rounded()                       ? "a * b + c"
           : !promise_sum_is_in_order()                        ? "a + b + c"
           : !promise_no_wider_numbers()                       ? "a * b / a"
           : !promise_quotients_and_roots_are_rounded_once()   ? "a / b"
           : !promise_subnormals_are_kept()                    ? "a / 2"
           : !promise_zeros_and_nans_are_seen()                ? "a == a"
           : !promise_constants_are_doubles()                  ? "0.1"
                                                               : NULL;
}

#endif
