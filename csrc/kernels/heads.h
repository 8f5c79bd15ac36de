/* Between heads [N, H, T, D] and heads side by side [N, T, H·D]; nothing is computed. An item is a position of one n. */
static void NAME(move_heads)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const move_heads_job *j = job;
    const REAL *x = j->x;
    REAL *out = j->out;
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / j->positions, t = item % j->positions;
        for (ptrdiff_t head = 0; head < j->heads; head++) {
            const ptrdiff_t apart = ((n * j->heads + head) * j->positions + t) * j->width, beside = (item * j->heads + head) * j->width;
            memcpy(out + (j->merged ? beside : apart), x + (j->merged ? apart : beside), (size_t)j->width * sizeof(REAL));
        }
    }
}
