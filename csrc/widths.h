/* The widths in which weights are stored and stay in memory: float16, bfloat16, and blocks of a few bits a weight, as GGUF files
 * have them (https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h).
 *
 * A line is WIDTH(name, weights of a block, bytes of a block, its fields…); a field is {where it begins in a block, the bytes of
 * one of its units, how many units}. kernels/widen.h has for each width a function that makes float32 numbers of it. */
#ifndef LLMTRACE_WIDTHS_H
#define LLMTRACE_WIDTHS_H

#define LLMTRACE_WIDTHS(WIDTH)                                                                                         \
    WIDTH(F16, 1, 2, {0, 2, 1})                                                                                        \
    WIDTH(BF16, 1, 2, {0, 2, 1})                                                                                       \
    WIDTH(Q4_0, 32, 18, {0, 2, 1}, {2, 1, 16})                                                                         \
    WIDTH(Q4_1, 32, 20, {0, 2, 2}, {4, 1, 16})                                                                         \
    WIDTH(Q5_0, 32, 22, {0, 2, 1}, {2, 4, 1}, {6, 1, 16})                                                              \
    WIDTH(Q5_1, 32, 24, {0, 2, 2}, {4, 4, 1}, {8, 1, 16})                                                              \
    WIDTH(Q8_0, 32, 34, {0, 2, 1}, {2, 1, 32})                                                                         \
    WIDTH(Q4_K, 256, 144, {0, 2, 2}, {4, 1, 140})                                                                      \
    WIDTH(Q5_K, 256, 176, {0, 2, 2}, {4, 1, 172})                                                                      \
    WIDTH(Q6_K, 256, 210, {0, 1, 208}, {208, 2, 1})

enum { MOST_FIELDS = 4 };

typedef struct {
    const char *name;
    int weights, bytes;
    struct {
        int offset, unit, count;
    } fields[MOST_FIELDS]; /* behind the last, a count of 0 */
} stored_width;

/* A width's number is its place here, from 1: 0 is that of numbers which are not widened. */
#define WIDTH(name, weights, bytes, ...) {#name, weights, bytes, {__VA_ARGS__}},
static const stored_width stored_widths[] = {{"", 1, 0, {{0, 0, 0}}}, LLMTRACE_WIDTHS(WIDTH)};
#undef WIDTH

#define WIDTH(name, ...) WIDTH_##name,
enum { NOT_STORED, LLMTRACE_WIDTHS(WIDTH) };
#undef WIDTH

enum { STORED_WIDTHS = sizeof stored_widths / sizeof *stored_widths };

#endif
