/* The index of the largest entry of a row, the first of equals; a NaN is larger than everything. An item is a row.
 * The largest value is found side by side (softmax.h), then its first place. */
static void NAME(argmax)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const argmax_job *j = job;
    for (ptrdiff_t row = begin; row < end; row++) {
        const REAL *x = (const REAL *)j->x + row * j->width;
        const REAL m = NAME(largest_of)(x, j->width);
        ptrdiff_t place = 0;
        while (m == m ? x[place] != m : x[place] == x[place])
            place++;
        j->out[row] = place;
    }
}
