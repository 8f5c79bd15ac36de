/* Dropout (Srivastava et al. 2014, JMLR 15): +0 where the random number of a place is below the rate, else x times `factor`.
 * An item is an element. `chance_of` gives 24 bits, so that its number in [0, 1) is exact in float. */
static void NAME(dropout)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const dropout_job *j = job;
    const REAL *x = j->x;
    REAL *restrict out = j->out;
    const REAL rate = (REAL)j->rate, factor = (REAL)j->factor;
    const uint64_t key = stirred(j->seed), first = j->first;
    for (ptrdiff_t i = begin; i < end; i++) {
        const REAL chance = (REAL)chance_of(key, first + (uint64_t)i) * (REAL)0x1p-24, kept = x[i] * factor;
        out[i] = chance < rate ? 0 : kept;
    }
}
