/* The index of the largest entry of a row, the first of equals; a NaN is larger than everything. An item is a row. */
static void NAME(argmax)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const argmax_job *j = job;
    for (ptrdiff_t row = begin; row < end; row++) {
        const REAL *x = (const REAL *)j->x + row * j->width;
        ptrdiff_t best = 0;
        for (ptrdiff_t i = 1; i < j->width && x[best] == x[best]; i++)
            if (!(x[i] <= x[best]))
                best = i;
        j->out[row] = best;
    }
}
