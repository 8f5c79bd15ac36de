/* Attention (Vaswani et al. 2017, arXiv:1706.03762, equation 1), one head at a time; n counts batch × heads.
 *   score[t, s] = (Σ_d q[t, d]·k[s, d]) / √D      for the keys s = 0 … S − T + t that query t may see, −∞ for the others
 *   mix[t, d]   = Σ_s pattern[t, s]·v[s, d]       over the same keys, ascending; the others are skipped, not multiplied by 0
 * Without `divided` the scores are bare products Σ_d q·k, and masked ones are 0: the gradient of a pattern, see attention_back.h.
 * An item is a block of ATTENTION_BLOCK queries of one n. No sum is split: lanes are different keys, or different features. */
#define ATTENTION_BLOCK 64

/* ---- scores: LANES keys side by side. A slab of them is turned on its side first, so that lanes lie next to each other. ---- */
#ifndef LANES
#define LANES 32
#define SLAB 64
#ifdef __AVX512F__ /* so many vectors of each of four rows are summed in registers (mix, below) */
#define FOUR_ROWS_OF 4
#else
#define FOUR_ROWS_OF 2
#endif
#endif

/* What one block of scores is made of and where it goes: out[t, lane] for lanes = LANES keys side by side, `stride` apart. */
typedef struct {
    REAL *out;
    ptrdiff_t stride;
    int divided;
    REAL divisor;
} NAME(score_target);

/* Some more terms of `queries` queries' sums with a slab of keys; the first slab begins them, the last one divides them. */
static inline __attribute__((always_inline)) void NAME(scores_of)(const REAL *restrict q, ptrdiff_t width, const REAL *restrict slab,
                                                                  ptrdiff_t depth, NAME(score_target) to, int begins, int ends,
                                                                  const int queries)
{
    REAL acc[4][LANES];
    for (int t = 0; t < queries; t++)
        for (int lane = 0; lane < LANES; lane++)
            acc[t][lane] = begins ? 0 : to.out[t * to.stride + lane];
    for (ptrdiff_t d = 0; d < depth; d++)
        for (int t = 0; t < queries; t++)
            for (int lane = 0; lane < LANES; lane++)
                acc[t][lane] += q[t * width + d] * slab[d * LANES + lane];
    if (ends && to.divided)
        for (int t = 0; t < queries; t++)
            for (int lane = 0; lane < LANES; lane++)
                acc[t][lane] = acc[t][lane] / to.divisor;
    for (int t = 0; t < queries; t++)
        for (int lane = 0; lane < LANES; lane++)
            to.out[t * to.stride + lane] = acc[t][lane];
}

/* The same for one query, as when a text is read on token by token: turning the keys would cost more than it saves. */
static inline void NAME(scores_of_one)(const REAL *restrict q, const REAL *restrict k, ptrdiff_t width, ptrdiff_t lanes,
                                       NAME(score_target) to)
{
    enum { CHAINS = 8 };
    for (ptrdiff_t lane = 0; lane < lanes; lane += CHAINS) {
        REAL acc[CHAINS] = {0};
        const REAL *key[CHAINS];
        for (ptrdiff_t c = 0; c < CHAINS; c++)
            key[c] = k + (lane + c < lanes ? lane + c : lanes - 1) * width;
        for (ptrdiff_t d = 0; d < width; d++)
            for (int c = 0; c < CHAINS; c++)
                acc[c] += q[d] * key[c][d];
        for (int c = 0; c < CHAINS; c++)
            to.out[lane + c] = to.divided ? acc[c] / to.divisor : acc[c];
    }
}

/* The scores of `queries` queries with `lanes` ≤ LANES keys: every sum over all of D, in order, slab after slab. */
static void NAME(score_block)(const REAL *q, const REAL *k, ptrdiff_t width, ptrdiff_t queries, ptrdiff_t lanes,
                              NAME(score_target) to)
{
    REAL slab[SLAB * LANES];
    if (queries == 1) {
        NAME(scores_of_one)(q, k, width, lanes, to);
        return;
    }
    for (ptrdiff_t start = 0, ends = 0; !ends; start += SLAB) { /* once even where the width is 0 */
        const ptrdiff_t depth = smaller(SLAB, width - start);
        const int begins = start == 0;
        ends = start + depth == width;
        for (ptrdiff_t lane = 0; lane < LANES; lane++) /* a lane without a key repeats the last one and is thrown away */
            for (ptrdiff_t d = 0; d < depth; d++)
                slab[d * LANES + lane] = k[(lane < lanes ? lane : lanes - 1) * width + start + d];
        NAME(score_target) at = to;
        ptrdiff_t t = 0;
        for (; t + 4 <= queries; t += 4, at.out += 4 * to.stride)
            NAME(scores_of)(q + t * width + start, width, slab, depth, at, begins, (int)ends, 4);
        for (; t < queries; t++, at.out += to.stride)
            NAME(scores_of)(q + t * width + start, width, slab, depth, at, begins, (int)ends, 1);
    }
}

static void NAME(attention_scores)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const attention_scores_job *j = job;
    const ptrdiff_t blocks = (j->queries + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    const REAL root = NAME(root_of)((REAL)j->width);
    REAL last[ATTENTION_BLOCK * LANES]; /* the scores with the last keys, where they are fewer than LANES */
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, first = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t queries = j->queries - first < ATTENTION_BLOCK ? j->queries - first : ATTENTION_BLOCK;
        const ptrdiff_t past = j->keys - j->queries; /* query t sees the keys below past + t + 1 */
        const REAL *q = (const REAL *)j->q + (n * j->queries + first) * j->width;
        const REAL *k = (const REAL *)j->k + n * j->key_stride;
        REAL *out = (REAL *)j->out + (n * j->queries + first) * j->keys;
        for (ptrdiff_t key = 0; key < past + first + queries; key += LANES) {
            const ptrdiff_t lanes = smaller(LANES, j->keys - key);
            const ptrdiff_t skip = key > past + first ? key - past - first : 0; /* earlier queries see none of these keys */
            REAL *scores = out + skip * j->keys + key;
            const NAME(score_target) to = {lanes < LANES ? last : scores, lanes < LANES ? LANES : j->keys, j->divided, root};
            NAME(score_block)(q + skip * j->width, k + key * j->width, j->width, queries - skip, lanes, to);
            for (ptrdiff_t t = 0; lanes < LANES && t < queries - skip; t++)
                memcpy(scores + t * j->keys, last + t * LANES, (size_t)lanes * sizeof(REAL));
        }
        for (ptrdiff_t t = 0; t < queries; t++)
            for (ptrdiff_t key = past + first + t + 1; key < j->keys; key++)
                out[t * j->keys + key] = j->divided ? -(REAL)INFINITY : 0;
    }
}

/* ---- mix: `vectors` vectors of features side by side, for `queries` queries that share the keys below `seen`; each later query
 * sees one key more. ---- */
typedef REAL NAME(loose) __attribute__((vector_size(VECTOR_BYTES), may_alias, aligned(sizeof(REAL)))); /* at any element */
#define LANES_OF_VECTOR (VECTOR_BYTES / (int)sizeof(REAL))

static inline __attribute__((always_inline)) void NAME(mix_of)(const attention_mix_job *j, const REAL *pattern, const REAL *v,
                                                               ptrdiff_t seen, REAL *out, const int queries, const int vectors)
{
    const ptrdiff_t keys = j->keys, width = j->width;
    NAME(loose) acc[4][8];
    UNROLL for (int t = 0; t < queries; t++)
        UNROLL for (int i = 0; i < vectors; i++)
            acc[t][i] = (NAME(loose)){0};
    for (ptrdiff_t s = 0; s < seen; s++)
        UNROLL for (int t = 0; t < queries; t++)
            UNROLL for (int i = 0; i < vectors; i++)
                acc[t][i] += pattern[t * keys + s] * *(const NAME(loose) *)(v + s * width + i * LANES_OF_VECTOR);
    UNROLL for (int t = 0; t < queries; t++) {
        for (ptrdiff_t s = seen; s < seen + t; s++) /* the keys that the earlier of these queries don't see */
            UNROLL for (int i = 0; i < vectors; i++)
                acc[t][i] += pattern[t * keys + s] * *(const NAME(loose) *)(v + s * width + i * LANES_OF_VECTOR);
        UNROLL for (int i = 0; i < vectors; i++)
            *(NAME(loose) *)(out + t * width + i * LANES_OF_VECTOR) = acc[t][i];
    }
}

/* The last features, fewer than a vector, of one query. */
static void NAME(mix_rest)(const attention_mix_job *j, const REAL *pattern, const REAL *v, ptrdiff_t seen, REAL *out, ptrdiff_t rest)
{
    REAL acc[LANES_OF_VECTOR] = {0};
    for (ptrdiff_t s = 0; s < seen; s++)
        for (ptrdiff_t d = 0; d < rest; d++)
            acc[d] += pattern[s] * v[s * j->width + d];
    memcpy(out, acc, (size_t)rest * sizeof(REAL));
}

/* All features of `queries` queries. The widths are constants, so that the sums stay in registers: of four queries as many as
 * there are registers for, of a single one, whose sums would otherwise wait for each other, more. */
static inline __attribute__((always_inline)) void NAME(mix_features)(const attention_mix_job *j, const REAL *pattern, const REAL *v,
                                                                     ptrdiff_t seen, REAL *out, const int queries)
{
    const ptrdiff_t most = queries == 1 ? 8 : FOUR_ROWS_OF;
    for (ptrdiff_t d = 0, done; d < j->width; d += done) {
        const ptrdiff_t vectors = smaller(most, (j->width - d) / LANES_OF_VECTOR);
        done = (vectors >= 8 ? 8 : vectors >= 4 ? 4 : vectors >= 2 ? 2 : 1) * LANES_OF_VECTOR;
        if (vectors >= 8)
            NAME(mix_of)(j, pattern, v + d, seen, out + d, queries, 8);
        else if (vectors >= 4)
            NAME(mix_of)(j, pattern, v + d, seen, out + d, queries, 4);
        else if (vectors >= 2)
            NAME(mix_of)(j, pattern, v + d, seen, out + d, queries, 2);
        else if (vectors == 1)
            NAME(mix_of)(j, pattern, v + d, seen, out + d, queries, 1);
        else
            for (int t = 0; t < queries; t++)
                NAME(mix_rest)(j, pattern + t * j->keys, v + d, seen + t, out + t * j->width + d, j->width - d);
    }
}

static void NAME(attention_mix)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const attention_mix_job *j = job;
    const ptrdiff_t blocks = (j->queries + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, first = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t last = smaller(j->queries, first + ATTENTION_BLOCK);
        const REAL *v = (const REAL *)j->v + n * j->value_stride;
        for (ptrdiff_t t = first, done; t < last; t += done) {
            const ptrdiff_t seen = j->keys - j->queries + t + 1;
            const REAL *pattern = (const REAL *)j->pattern + (n * j->queries + t) * j->keys;
            REAL *out = (REAL *)j->out + (n * j->queries + t) * j->width;
            done = last - t < 4 ? 1 : 4;
            if (done == 4)
                NAME(mix_features)(j, pattern, v, seen, out, 4);
            else
                NAME(mix_features)(j, pattern, v, seen, out, 1);
        }
    }
}
