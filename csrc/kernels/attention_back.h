/* The way back through attention: out[s, d] = Σ_t pattern[t, s]·x[t, d] over the queries t that see the key s, ascending, so
 * t = max(0, s − P) … T − 1 with P = S − T keys that were there before the first query. With x = dmix it is the gradient of v.
 * An item is a block of ATTENTION_BLOCK keys of one n. Four keys go side by side, whose pattern lies side by side, times the
 * features of x, which do too. */
static inline __attribute__((always_inline)) void NAME(back_of)(const attention_back_job *j, const REAL *pattern, const REAL *x,
                                                                ptrdiff_t first, REAL *out, const int keys, const int vectors)
{
    const ptrdiff_t stride = j->keys, width = j->width;
    ptrdiff_t t = first > 0 ? first : 0;
    NAME(loose) acc[4][8];
    UNROLL for (int s = 0; s < keys; s++)
        UNROLL for (int i = 0; i < vectors; i++)
            acc[s][i] = (NAME(loose)){0};
    for (; t < smaller(first + keys - 1, j->queries); t++) /* queries that don't see the later of these keys */
        UNROLL for (int s = 0; s < keys; s++)
            if (s <= t - first)
                UNROLL for (int i = 0; i < vectors; i++)
                    acc[s][i] += pattern[t * stride + s] * *(const NAME(loose) *)(x + t * width + i * LANES_OF_VECTOR);
    for (; t < j->queries; t++)
        UNROLL for (int s = 0; s < keys; s++)
            UNROLL for (int i = 0; i < vectors; i++)
                acc[s][i] += pattern[t * stride + s] * *(const NAME(loose) *)(x + t * width + i * LANES_OF_VECTOR);
    UNROLL for (int s = 0; s < keys; s++)
        UNROLL for (int i = 0; i < vectors; i++)
            *(NAME(loose) *)(out + s * width + i * LANES_OF_VECTOR) = acc[s][i];
}

/* The last features, fewer than a vector, of one key. */
static void NAME(back_rest)(const attention_back_job *j, const REAL *pattern, const REAL *x, ptrdiff_t first, REAL *out, ptrdiff_t rest)
{
    REAL acc[LANES_OF_VECTOR] = {0};
    for (ptrdiff_t t = first > 0 ? first : 0; t < j->queries; t++)
        for (ptrdiff_t d = 0; d < rest; d++)
            acc[d] += pattern[t * j->keys] * x[t * j->width + d];
    memcpy(out, acc, (size_t)rest * sizeof(REAL));
}

/* All features of `keys` keys; see mix_features. `first` is the first query that sees the first key, where not negative. */
static inline __attribute__((always_inline)) void NAME(back_features)(const attention_back_job *j, const REAL *pattern,
                                                                      const REAL *x, ptrdiff_t first, REAL *out, const int keys)
{
    for (ptrdiff_t d = 0, done; d < j->width; d += done) {
        const ptrdiff_t vectors = smaller(FOUR_ROWS_OF, (j->width - d) / LANES_OF_VECTOR);
        done = (vectors >= 4 ? 4 : vectors >= 2 ? 2 : 1) * LANES_OF_VECTOR;
        if (vectors >= 4)
            NAME(back_of)(j, pattern, x + d, first, out + d, keys, 4);
        else if (vectors >= 2)
            NAME(back_of)(j, pattern, x + d, first, out + d, keys, 2);
        else if (vectors == 1)
            NAME(back_of)(j, pattern, x + d, first, out + d, keys, 1);
        else
            for (int s = 0; s < keys; s++)
                NAME(back_rest)(j, pattern + s, x + d, first + s, out + s * j->width + d, j->width - d);
    }
}

static void NAME(attention_back)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const attention_back_job *j = job;
    const ptrdiff_t blocks = (j->keys + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, begins = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t last = smaller(j->keys, begins + ATTENTION_BLOCK);
        const REAL *pattern = (const REAL *)j->pattern + n * j->queries * j->keys;
        const REAL *x = (const REAL *)j->x + n * j->queries * j->width;
        for (ptrdiff_t s = begins, done; s < last; s += done) {
            const ptrdiff_t first = s - (j->keys - j->queries);
            REAL *out = (REAL *)j->out + (n * j->keys + s) * j->width;
            done = last - s < 4 ? 1 : 4;
            if (done == 4)
                NAME(back_features)(j, pattern + s, x, first, out, 4);
            else
                NAME(back_features)(j, pattern + s, x, first, out, 1);
        }
    }
}
#undef LANES_OF_VECTOR
