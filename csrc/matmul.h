/* out[r, j] = (Σ_k x[r, k] · w[k, j], k ascending) + bias[j], w packed in panels. PLACEHOLDER LOOPS, being replaced. */
#ifdef REAL_IS_DOUBLE
#define PANEL_f64 8
#define PANEL PANEL_f64
#else
#define PANEL_f32 16
#define PANEL PANEL_f32
#endif

static inline ptrdiff_t NAME(place)(const matrix_layout *l, ptrdiff_t row, ptrdiff_t column)
{
    return (row / l->positions) * l->sequence_stride + (row % l->positions) * l->run + (column / l->run) * l->head_stride +
           column % l->run;
}

static void NAME(matmul)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const matmul_job *m = job;
    const REAL *x = m->x, *panels = m->panels, *bias = m->bias;
    REAL *out = m->out;
    for (ptrdiff_t item = begin; item < end; item++) {
        ptrdiff_t row = item / m->columns, column = item % m->columns;
        const REAL *panel = panels + (column / PANEL) * m->depth * PANEL + column % PANEL;
        REAL sum = 0;
        for (ptrdiff_t k = 0; k < m->depth; k++)
            sum += x[NAME(place)(&m->x_layout, row, k)] * panel[k * PANEL];
        out[NAME(place)(&m->out_layout, row, column)] = bias ? sum + bias[column] : sum;
    }
}
#undef PANEL
