/* Softmax of rows: m = max x;  e = exp(x − m);  p = e / Σe. An item is a row.
 * Where causal, row (…, query) keeps the keys 0 … width − queries + query; the rest is masked and written as 0.
 * The maximum is the first of the largest entries; a NaN anywhere makes the whole row NaN. */
static void NAME(softmax)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const softmax_job *j = job;
    for (ptrdiff_t row = begin; row < end; row++) {
        const REAL *x = (const REAL *)j->x + row * j->width;
        REAL *restrict out = (REAL *)j->out + row * j->width;
        const ptrdiff_t kept = j->causal ? j->width - j->queries + 1 + row % j->queries : j->width;
        if (kept == 0)
            continue;
        REAL m = x[0], sum = 0;
        for (ptrdiff_t i = 1; i < kept; i++)
            m = (m == m && x[i] <= m) || m != m ? m : x[i];
        for (ptrdiff_t i = 0; i < kept; i++)
            out[i] = NAME(exp_of)(x[i] - m);
        for (ptrdiff_t i = 0; i < kept; i++)
            sum += out[i];
        for (ptrdiff_t i = 0; i < kept; i++)
            out[i] = out[i] / sum;
        for (ptrdiff_t i = kept; i < j->width; i++)
            out[i] = 0;
    }
}
