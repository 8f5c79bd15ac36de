/* What the inner loops and Cython know of each other. The loops themselves are in kernels/; README.md says what belongs where.
 *
 * Every kernel has one shape: it works on the items [begin, end) of a job. An item is whatever splits the work without
 * splitting a sum: an element, a row, a tile. The thread pool hands out ranges of items; since no sum crosses an item, the split
 * never changes a bit. */
#ifndef LLMTRACE_INNER_H
#define LLMTRACE_INNER_H

#include "isas.h"

#include <stddef.h>

enum { MOST_INPUTS = 4, MOST_AXES = 4, MOST_SIZES = 11, MOST_SETTINGS = 6 };

/* What a kernel is given. Which input and which size is which, its header says. Pointers are to the numbers of the kernel's type
 * (some inputs to int64_t), NULL where an input is absent; sizes count elements, never bytes; one that is not given is −1. */
typedef struct {
    const void *in[MOST_INPUTS];
    void *out;
    ptrdiff_t size[MOST_SIZES];
    double setting[MOST_SETTINGS];
} kernel_job;

typedef void (*range_fn)(const kernel_job *job, ptrdiff_t begin, ptrdiff_t end);

enum kernel_kind {
    KIND_ELEMENTWISE, /* one independent operation per element: `elementwise` of Cython runs any of them by name */
    KIND_ROWS,        /* an item is a row of the first input: `RowKernel` of Cython runs any of them by name */
    KIND_OTHER        /* a function of Cython describes the job */
};

typedef struct {
    const char *name;
    range_fn run;
    enum kernel_kind kind;
    int inputs, settings;
    int cost; /* about so many additions per element */
} kernel_entry;

typedef struct {
    const char *name; /* of the instruction set */
    int count;
    const kernel_entry *kernels;
    ptrdiff_t panel; /* outputs side by side in one packed panel; see kernels/matmul.h */
    const char *(*broken_promise)(void); /* an operation whose bits the compiler's flags change, or NULL; see promise.h */
} inner_table;

/* inner_avx2_f32, inner_avx2_f64 and so on: the same kernels in the same order. */
#define ISA(name, machine, flags, supported) ON_##machine(extern const inner_table inner_##name##_f32, inner_##name##_f64;)
LLMTRACE_ISAS(ISA)
#undef ISA

/* An item of a matrix product is a panel and a block of at most ROW_GROUP rows, a multiple of ROW_MULTIPLE; of fewer, but not below
 * LEAST_GROUP, where they have more than GROUP_NUMBERS numbers: a block and a panel stay in the cache side by side. */
enum { ROW_GROUP = 96, LEAST_GROUP = 48, ROW_MULTIPLE = 12, GROUP_NUMBERS = 96 * 1536 };

/* An item of attention is a block of so many queries, or keys, of one head. */
enum {
    ATTENTION_BLOCK = 64,
    ATTENTION_NUMBERS = 1 << 17 /* so many scores of a block of queries at most, where nobody keeps them (kernels/attend.h) */
};

#endif
