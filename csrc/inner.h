/* The inner loops: what is compiled once per instruction set, and how Cython reaches it.
 *
 * Every kernel has one shape: it works on the items [begin, end) of a job described by a struct of its own.
 * An item is whatever splits the work without splitting a sum: an element, a row, a tile. The thread pool hands out
 * ranges of items; since no sum crosses an item, the split never changes a bit.
 */
#ifndef LLMTRACE_INNER_H
#define LLMTRACE_INNER_H

#include <stddef.h>
#include <stdint.h>

typedef void (*range_fn)(const void *job, ptrdiff_t begin, ptrdiff_t end);

/* One line per kernel: to add one, write its header, include it in loops.h and name it here. */
#define LLMTRACE_KERNELS(K)                                                                                            \
    K(dropout) K(embedding) K(layer_norm) K(softmax) K(argmax)                                                         \
    K(matmul) K(outer_sum) K(attention_scores) K(attention_mix)                                                        \
    K(transpose) K(column_sum) K(embedding_gradient) K(row_squares) K(total) K(move_heads)                             \
    K(attention_back) K(softmax_gradient) K(layer_norm_gradient) K(cross_entropy) K(cross_entropy_gradient)

/* Kernels of one independent operation per element (elementwise.h): how many inputs and settings each has, and about how many
 * additions it costs. `llmtrace._kernels.elementwise` calls any of them by name. */
#define LLMTRACE_ELEMENTWISE(E)                                                                                        \
    E(add, 2, 0, 1) E(multiply, 2, 0, 1) E(scale, 1, 1, 1) E(divide_by, 1, 1, 4) E(relu, 1, 0, 1)                      \
    E(exp, 1, 0, 16) E(log, 1, 0, 16) E(tanh, 1, 0, 16) E(erf, 1, 0, 16)                                               \
    E(sigmoid, 1, 0, 16) E(silu, 1, 0, 16) E(gelu_tanh, 1, 0, 16) E(gelu_erf, 1, 0, 16)                               \
    E(subtract, 2, 0, 1) E(divide, 2, 0, 4) E(root, 1, 0, 4)                                                           \
    E(relu_gradient, 2, 0, 1) E(tanh_gradient, 2, 0, 2) E(sigmoid_gradient, 2, 0, 2) E(silu_gradient, 2, 0, 20)        \
    E(erf_gradient, 2, 0, 16) E(gelu_tanh_gradient, 2, 0, 24) E(gelu_erf_gradient, 2, 0, 32)                           \
    E(squared_error, 2, 0, 1) E(squared_error_gradient, 3, 0, 2)                                                       \
    E(absolute_error, 2, 0, 1) E(absolute_error_gradient, 3, 0, 2)                                                     \
    E(penalise, 2, 2, 2) E(velocity, 2, 1, 1) E(descend, 2, 1, 1) E(clip_factor, 1, 1, 4)                              \
    E(adam_mean, 2, 2, 2) E(adam_square, 2, 2, 2) E(adam_update, 3, 5, 16)

enum kernel_id {
#define K(name) KERNEL_##name,
#define E(name, inputs, settings, cost) KERNEL_##name,
    LLMTRACE_KERNELS(K) LLMTRACE_ELEMENTWISE(E)
#undef K
#undef E
    KERNEL_COUNT
};

typedef struct {
    const char *name;              /* "baseline", "avx2", "avx512" */
    range_fn f32[KERNEL_COUNT];
    range_fn f64[KERNEL_COUNT];
    ptrdiff_t panel_f32, panel_f64; /* outputs side by side in one packed panel (see matmul.h) */
} inner_table;

extern const inner_table inner_baseline;
#ifdef LLMTRACE_X86
extern const inner_table inner_avx2, inner_avx512;
#endif

/* ---- jobs. Pointers are to float or to double, as the kernel's type says. Sizes count elements, never bytes. ---- */

#define MOST_INPUTS 3
#define MOST_SETTINGS 6
typedef struct { const void *in[MOST_INPUTS]; void *out; double setting[MOST_SETTINGS]; } elementwise_job;

/* Element i has the random number of the place first + i. */
typedef struct { const void *x; void *out; uint64_t seed, first; double rate, factor; } dropout_job;

typedef struct { const int64_t *ids; const void *table; void *out; ptrdiff_t width; } embedding_job;

typedef struct { const void *x, *gain, *bias; void *out; ptrdiff_t width; double epsilon; } layer_norm_job; /* gain: may be NULL */

/* A row r keeps its first `width` entries, or, where causal, the first `width - queries + 1 + (r mod queries)`. */
typedef struct { const void *x; void *out; ptrdiff_t width, queries; int causal; } softmax_job;

typedef struct { const void *x; int64_t *out; ptrdiff_t width; } argmax_job;

/* Where the element (row, column) of a matrix stands when its columns may be split into heads:
 *   (row / positions) * sequence_stride + (row % positions) * run + (column / run) * head_stride + column % run
 * A plain matrix of C columns: run = C, positions = rows. Heads [H, T, D]: run = D, head_stride = T·D, sequence_stride = H·T·D. */
typedef struct { ptrdiff_t positions, sequence_stride, run, head_stride; } matrix_layout;

#define ROW_GROUP 96 /* the most rows of an item of matmul */

typedef struct {
    const void *x, *panels, *bias; /* bias may be NULL */
    void *out;
    ptrdiff_t rows, depth, columns;
    matrix_layout x_layout, out_layout;
    ptrdiff_t row_group; /* ≤ ROW_GROUP; an item is so many rows (the last has fewer) × one panel; see matmul.h */
} matmul_job;

/* q [N, T, D], k [N, S, D], out [N, T, S]; N = batch × heads; query t sees the keys 0 … S - T + t. An item: (n, block of queries).
 * The blocks of keys (and of values, below) may lie further apart than their size: a cache has room to grow. */
typedef struct { const void *q, *k; void *out; ptrdiff_t queries, keys, width, key_stride; int divided; } attention_scores_job;

/* pattern [N, T, S], v [N, S, D], out [N, T, D]. */
typedef struct { const void *pattern, *v; void *out; ptrdiff_t queries, keys, width, value_stride; } attention_mix_job;

/* ---- jobs of the backward pass. `start`, where the sums begin, may be NULL. ---- */

/* x [rows, columns], rows x_stride apart, becomes the panels of the weight [columns, rows]; see transpose.h. */
typedef struct { const void *x; void *out; ptrdiff_t rows, columns, x_stride, panel; } transpose_job;

/* a [positions, a_width], b [positions, b_width]; start, out [a_width, b_width]. Items as of matmul. */
typedef struct { const void *a, *b, *start; void *out; ptrdiff_t positions, a_width, b_width, row_group; } outer_sum_job;

/* a, b [rows, width], b may be NULL; start, out [width]. */
typedef struct { const void *a, *b, *start; void *out; ptrdiff_t rows, width; } column_sum_job;

/* ids [positions], dout [positions, width]; start, out [rows, width]. */
typedef struct { const int64_t *ids; const void *dout, *start; void *out; ptrdiff_t positions, rows, width; } embedding_gradient_job;

typedef struct { const void *x; void *out; ptrdiff_t width; } row_squares_job;

typedef struct { const void *x, *start; void *out; ptrdiff_t count; } total_job;

/* merged: x [N, H, T, D] and out [N, T, H·D]; otherwise the other way round. */
typedef struct { const void *x; void *out; ptrdiff_t heads, positions, width; int merged; } move_heads_job;

/* pattern [N, T, S], x [N, T, D], out [N, S, D]. */
typedef struct { const void *pattern, *x; void *out; ptrdiff_t queries, keys, width; } attention_back_job;

typedef struct { const void *p, *dout; void *out; ptrdiff_t width, queries; int causal; } softmax_gradient_job; /* as softmax_job */

typedef struct { const void *x, *dout, *gain; void *out; ptrdiff_t width; double epsilon; } layer_norm_gradient_job;

/* Of the loss: out [rows], no dout. Of its gradient: out [rows, width], dout [rows]. */
typedef struct { const void *x; const int64_t *target; const void *dout; void *out; ptrdiff_t width; } cross_entropy_job;

#endif
