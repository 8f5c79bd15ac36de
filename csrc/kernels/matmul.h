/* out[r, j] = (Σ_k x[r, k] · w[k, j], k ascending) + bias[j]
 *
 * The sums of a tile of a few rows × one panel of columns stay in registers while k runs over the whole depth:
 *
 *                  w's panel: PANEL columns, packed so that one k is one short stretch of memory
 *                  ┌─────────┐
 *                  │ k  ───► │    for each k: every row's x[r, k] times the panel's numbers of that k, added to the row's sums.
 *         x        ├─────────┤    Lanes are different columns j, so no sum is ever split or reordered.
 *      ┌───────┐   ┌─────────┐
 *      │ k ──► │   │  sums   │ ROWS at a time, each VECTORS vectors wide
 *      └───────┘   └─────────┘
 *
 * The depth is taken in segments, sums resting in memory (same bits) between them, so that a panel's segment is still in the
 * cache when the next tile of rows needs it; and so that x may be split into heads, where a segment never crosses a head.
 *
 * Each product is rounded, then each sum: a multiplier and an adder work side by side, and both are busy nearly all the time.
 * ROWS × VECTORS sums are as many as fit in the registers beside the panel's vectors and a product. */
#ifndef MATMUL_ONCE
#define MATMUL_ONCE
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#define ROWS 6
#define VECTORS 4
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#define ROWS 4
#define VECTORS 3
#elif defined(__aarch64__)
#define VECTOR_BYTES 16
#define ROWS 6
#define VECTORS 4
#else
#define VECTOR_BYTES 16
#define ROWS 4
#define VECTORS 3
#endif
#define SEGMENT 768 /* so many k at a time: with a block of rows, a panel's segment fills two thirds of a cache of 1 MB */
#define PANEL_f32 (VECTORS * VECTOR_BYTES / 4)
#define PANEL_f64 (VECTORS * VECTOR_BYTES / 8)
#ifdef __clang__ /* arrays of vectors become registers only where their loops are unrolled completely */
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* Where a row begins, and how far from there a column stands; see matrix_layout in inner.h. */
static inline ptrdiff_t row_place(const matrix_layout *l, ptrdiff_t row)
{
    return row / l->positions * l->sequence_stride + row % l->positions * l->run;
}

static inline ptrdiff_t column_place(const matrix_layout *l, ptrdiff_t column)
{
    return column / l->run * l->head_stride + column % l->run;
}

static inline ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
#endif

#ifdef REAL_IS_DOUBLE
#define PANEL PANEL_f64
#else
#define PANEL PANEL_f32
#endif
#define LANES_OF_VECTOR (VECTOR_BYTES / (int)sizeof(REAL))

typedef REAL NAME(vector) __attribute__((vector_size(VECTOR_BYTES), may_alias));

/* sums[r, :] = (0 where `begins`, else sums[r, :]) + Σ_k x[r][k · step] · panel[k, :] for `rows` ≤ ROWS rows and `depth` values of
 * k. */
static inline __attribute__((always_inline)) void NAME(tile)(const REAL *const x[], const ptrdiff_t step, const REAL *panel,
                                                             ptrdiff_t depth, REAL *sums, const int begins, const int rows)
{
    NAME(vector) sum[ROWS][VECTORS];
    const REAL *row[ROWS];
    UNROLL for (int r = 0; r < rows; r++) {
        row[r] = x[r];
        UNROLL for (int v = 0; v < VECTORS; v++)
            sum[r][v] = begins ? (NAME(vector)){0} : *(const NAME(vector) *)(sums + r * PANEL + v * LANES_OF_VECTOR);
    }
    for (ptrdiff_t k = 0; k < depth; k++, panel += PANEL) {
        NAME(vector) w[VECTORS];
        ptrdiff_t at[VECTORS]; /* k · step, for each vector */
        UNROLL for (int v = 0; v < VECTORS; v++) {
            w[v] = *(const NAME(vector) *)(panel + v * LANES_OF_VECTOR);
            at[v] = k * step;
#ifdef __AVX512F__
            /* AVX-512 multiplies by a number in memory for free, while copying that number to all lanes of a register first
             * occupies a multiplier (a fifth of the time). The compiler would copy, since the number is used VECTORS times;
             * so we hide from it that these are the same place. */
            __asm__ volatile("" : "+r"(at[v]));
#endif
        }
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int v = 0; v < VECTORS; v++)
                sum[r][v] = sum[r][v] + w[v] * row[r][at[v]];
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < VECTORS; v++)
            *(NAME(vector) *)(sums + r * PANEL + v * LANES_OF_VECTOR) = sum[r][v];
}

/* The same with the number of rows as a constant, which keeps the sums in registers. */
static inline __attribute__((always_inline)) void NAME(tile_of)(const REAL *const x[], const ptrdiff_t step, const REAL *panel,
                                                                ptrdiff_t depth, REAL *sums, int begins, ptrdiff_t rows)
{
    switch (rows) {
#if ROWS > 4
    case 6: NAME(tile)(x, step, panel, depth, sums, begins, 6); break;
    case 5: NAME(tile)(x, step, panel, depth, sums, begins, 5); break;
#endif
    case 4: NAME(tile)(x, step, panel, depth, sums, begins, 4); break;
    case 3: NAME(tile)(x, step, panel, depth, sums, begins, 3); break;
    case 2: NAME(tile)(x, step, panel, depth, sums, begins, 2); break;
    default: NAME(tile)(x, step, panel, depth, sums, begins, 1);
    }
}

/* out = sums + bias, for `count` ≤ PANEL columns from `column` on. */
static void NAME(write_row)(const matmul_job *m, const REAL *sums, ptrdiff_t row, ptrdiff_t column, ptrdiff_t count)
{
    const REAL *bias = m->bias;
    for (ptrdiff_t j = 0, stop; j < count; j = stop) { /* as far as the columns lie side by side */
        REAL *out = (REAL *)m->out + row_place(&m->out_layout, row) + column_place(&m->out_layout, column + j) - j;
        stop = smaller(count, j + m->out_layout.run - (column + j) % m->out_layout.run);
        if (bias)
            for (ptrdiff_t i = j; i < stop; i++)
                out[i] = sums[i] + bias[column + i];
        else
            memcpy(out + j, sums + j, (size_t)(stop - j) * sizeof(REAL));
    }
}

/* An item is a block of at most ROW_GROUP rows and one panel; panels change fastest. */
static void NAME(matmul)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const matmul_job *m = job;
    const ptrdiff_t panels = (m->columns + PANEL - 1) / PANEL, depth = m->depth;
    REAL sums[ROW_GROUP * PANEL] __attribute__((aligned(VECTOR_BYTES)));
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t first = item / panels * m->row_group, column = item % panels * PANEL;
        const ptrdiff_t rows = smaller(m->row_group, m->rows - first);
        const REAL *panel = (const REAL *)m->panels + column * depth;
        if (depth == 0)
            memset(sums, 0, sizeof sums);
        for (ptrdiff_t k = 0, count; k < depth; k += count) {
            count = smaller(smaller(SEGMENT, depth - k), m->x_layout.run - k % m->x_layout.run);
            for (ptrdiff_t r = 0; r < rows; r += ROWS) {
                const REAL *x[ROWS];
                for (ptrdiff_t i = 0; i < ROWS; i++) /* beyond the last row: that row again, unused */
                    x[i] = (const REAL *)m->x + column_place(&m->x_layout, k) +
                           row_place(&m->x_layout, first + smaller(r + i, rows - 1));
                NAME(tile_of)(x, 1, panel + k * PANEL, count, sums + r * PANEL, k == 0, smaller(ROWS, rows - r));
            }
        }
        for (ptrdiff_t r = 0; r < rows; r++)
            NAME(write_row)(m, sums + r * PANEL, first + r, column, smaller(PANEL, m->columns - column));
    }
}
