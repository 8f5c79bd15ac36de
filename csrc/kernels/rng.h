/* Random numbers that are a function of a seed and a place: SplitMix64, bit for bit as in llmtrace/rng.py. */
#ifndef LLMTRACE_RNG_H
#define LLMTRACE_RNG_H

#include <stdint.h>

/* SplitMix64's finaliser (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"). */
static inline uint64_t mixed(uint64_t number)
{
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9u;
    number = (number ^ number >> 27) * 0x94D049BB133111EBu;
    return number ^ number >> 31;
}

/* The first 24 of the bits at a place, as a whole number; `key` is the mixed seed. */
static inline int32_t random24(uint64_t key, uint64_t place)
{
    return (int32_t)(mixed((place + 1) * 0x9E3779B97F4A7C15u + key) >> 40);
}

#endif
