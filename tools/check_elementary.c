/* The C half of tools/check_elementary.py: built as a shared library, once per set of compiler flags.
 *
 * With -DWITH_REFERENCE (x86-64 Linux, -lquadmath) check_range compares the float functions with ones that share nothing
 * with ours: the C library's 80-bit functions, good to about 2^-62, and, wherever those come within 2^-46 of the point
 * half-way between two floats, libquadmath's 113-bit functions. Without it, only the outputs can be asked for. */
#include "../csrc/elementary/exp.h"
#include "../csrc/elementary/log.h"
#include "../csrc/elementary/tanh.h"
#include "../csrc/elementary/erf.h"
#include "../csrc/elementary/sine.h"

#include <stddef.h>

enum { BLOCK = 4096, HARDEST = 32 };

/* Separate loops, written as the package's own are, so that they are vectorised as the package's own are. */
#define LOOPS(name)                                                                                                    \
    void name##_f32(const float *restrict x, float *restrict out, ptrdiff_t n)                                        \
    {                                                                                                                  \
        for (ptrdiff_t i = 0; i < n; i++)                                                                              \
            out[i] = name##_of_f32(x[i]);                                                                              \
    }                                                                                                                  \
    void name##_f64(const double *restrict x, double *restrict out, ptrdiff_t n)                                      \
    {                                                                                                                  \
        for (ptrdiff_t i = 0; i < n; i++)                                                                              \
            out[i] = name##_of_f64(x[i]);                                                                              \
    }
LOOPS(exp)
LOOPS(log)
LOOPS(tanh)
LOOPS(erf)
LOOPS(sin)
LOOPS(cos)

typedef void (*loop_f32)(const float *restrict, float *restrict, ptrdiff_t);
static const loop_f32 ours[] = {exp_f32, log_f32, tanh_f32, erf_f32, sin_f32, cos_f32};

static void fill(float *x, uint64_t first, uint64_t step)
{
    for (uint64_t i = 0; i < BLOCK; i++) {
        const uint32_t bits = (uint32_t)(first + i * step);
        memcpy(x + i, &bits, sizeof bits);
    }
}

static uint32_t bits_of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return x == x ? bits : 0x7FC00000u; /* all NaNs are one */
}

/* A sum over the inputs first, first + step, … < end, so that parts of the range may be added in any order. */
uint64_t hash_range(int function, uint64_t first, uint64_t end, uint64_t step)
{
    static _Thread_local float x[BLOCK], y[BLOCK];
    uint64_t hash = 0;
    for (; first < end; first += step * BLOCK) {
        fill(x, first, step);
        ours[function](x, y, BLOCK);
        for (uint64_t i = 0; i < BLOCK && first + i * step < end; i++) {
            uint64_t h = ((first + i * step) << 32 | bits_of_float(y[i])) * 0x9E3779B97F4A7C15u;
            h = (h ^ h >> 29) * 0xBF58476D1CE4E5B9u;
            hash += h ^ h >> 32;
        }
    }
    return hash;
}

#ifdef WITH_REFERENCE
#include <math.h>
#include <quadmath.h>

typedef struct { uint32_t input, expected; double distance; } hard_case; /* distance: in units of the last place */
typedef struct {
    uint64_t checked, wrong, undecided, quad_calls;
    uint32_t wrong_inputs[HARDEST];
    hard_case hardest[HARDEST]; /* the nearest to a midpoint first */
    int hard_count;
} report;

typedef long double (*function80)(long double);
typedef __float128 (*function113)(__float128);
static const function80 by_80_bits[] = {expl, logl, tanhl, erfl, sinl, cosl};
static const function113 by_113_bits[] = {expq, logq, tanhq, erfq, sinq, cosq};

static int is_trivial(long double y) { return y != y || y == 0 || isinf(y); }

/* How far y is from the nearest midpoint of two neighbouring floats, in units of the last place of the float. */
static __float128 distance_of(__float128 y)
{
    int exponent;
    frexpq(y, &exponent); /* |y| in [2^(exponent-1), 2^exponent) */
    const int last = exponent < -125 ? -149 : exponent - 24;
    const __float128 scaled = ldexpq(fabsq(y), -last);
    return fabsq(scaled - floorq(scaled) - 0.5Q);
}

/* The same for 80-bit numbers, quickly: true if y is certainly more than 2^-22 units from a midpoint. */
static int is_clear(long double y)
{
    uint64_t mantissa;
    uint16_t high;
    memcpy(&mantissa, &y, 8);
    memcpy(&high, (const char *)&y + 8, 2);
    const int exponent = (high & 0x7FFF) - 16383, dropped = 40 + (exponent < -126 ? -126 - exponent : 0);
    if (dropped > 63)
        return 0;
    const uint64_t rest = mantissa & (((uint64_t)1 << dropped) - 1), half = (uint64_t)1 << (dropped - 1);
    const uint64_t distance = rest > half ? rest - half : half - rest;
    return distance >> (dropped - 22) != 0;
}

static void remember(report *r, hard_case found)
{
    int i = r->hard_count < HARDEST ? r->hard_count++ : HARDEST - 1;
    if (i == HARDEST - 1 && r->hard_count == HARDEST && r->hardest[i].distance > 0 && r->hardest[i].distance <= found.distance)
        return;
    for (; i > 0 && r->hardest[i - 1].distance > found.distance; i--)
        r->hardest[i] = r->hardest[i - 1];
    r->hardest[i] = found;
}

static float expected_of(int function, float x, report *r)
{
    const long double y = by_80_bits[function](x);
    if (is_trivial(y) || fabsl(y) < 0x1p-151L || is_clear(y))
        return (float)y;
    const __float128 better = by_113_bits[function](x);
    const __float128 distance = distance_of(better);
    const float rounded = (float)better;
    r->quad_calls++;
    if (rounded == x || (fabsq(better) < 0x1p-150Q)) /* x itself is the answer, or 0: no midpoint is near */
        return rounded;
    r->undecided += distance < 0x1p-80Q;
    remember(r, (hard_case){bits_of_float(x), bits_of_float(rounded), (double)distance});
    return rounded;
}

void check_range(int function, uint64_t first, uint64_t end, uint64_t step, report *r)
{
    static _Thread_local float x[BLOCK], y[BLOCK];
    memset(r, 0, sizeof *r);
    for (; first < end; first += step * BLOCK) {
        fill(x, first, step);
        ours[function](x, y, BLOCK);
        for (uint64_t i = 0; i < BLOCK && first + i * step < end; i++) {
            r->checked++;
            if (bits_of_float(y[i]) == bits_of_float(expected_of(function, x[i], r)))
                continue;
            if (r->wrong < HARDEST)
                r->wrong_inputs[r->wrong] = bits_of_float(x[i]);
            r->wrong++;
        }
    }
}
#endif
