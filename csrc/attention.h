/* Attention (Vaswani et al. 2017, arXiv:1706.03762, equation 1), one head at a time; n counts batch × heads.
 *   score[t, s] = (Σ_d q[t, d]·k[s, d]) / √D      for the keys s = 0 … S − T + t that query t may see, −∞ for the others
 *   mix[t, d]   = Σ_s pattern[t, s]·v[s, d]       over the same keys, ascending; the others are skipped, not multiplied by 0
 * An item is a block of ATTENTION_BLOCK queries of one n. No sum is split: lanes are different keys, or different features. */
#define ATTENTION_BLOCK 64

/* ---- scores: LANES keys side by side. A slab of them is turned on its side first, so that lanes lie next to each other. ---- */
#ifndef LANES
#define LANES 32
#define SLAB 64
#endif

static inline __attribute__((always_inline)) void NAME(scores_of)(const REAL *restrict q, ptrdiff_t stride, const REAL *restrict slab, ptrdiff_t depth,
                                   REAL *restrict sums, const int queries)
{
    REAL acc[4][LANES];
    for (int t = 0; t < queries; t++)
        for (int lane = 0; lane < LANES; lane++)
            acc[t][lane] = sums[t * LANES + lane];
    for (ptrdiff_t d = 0; d < depth; d++)
        for (int t = 0; t < queries; t++)
            for (int lane = 0; lane < LANES; lane++)
                acc[t][lane] += q[t * stride + d] * slab[d * LANES + lane];
    for (int t = 0; t < queries; t++)
        for (int lane = 0; lane < LANES; lane++)
            sums[t * LANES + lane] = acc[t][lane];
}

/* The same for one query, as when a text is read on token by token: turning the keys would cost more than it saves. */
static inline void NAME(scores_of_one)(const REAL *restrict q, const REAL *restrict k, ptrdiff_t width, ptrdiff_t lanes,
                                       REAL *restrict sums)
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
            sums[lane + c] = acc[c];
    }
}

/* The scores of `queries` queries with `lanes` ≤ LANES keys: every sum over all of D, in order, slab after slab. */
static void NAME(score_block)(const attention_scores_job *j, const REAL *q, const REAL *k, ptrdiff_t queries, ptrdiff_t lanes,
                              REAL *sums)
{
    REAL slab[SLAB * LANES];
    if (queries == 1) {
        NAME(scores_of_one)(q, k, j->width, lanes, sums);
        return;
    }
    for (ptrdiff_t i = 0; i < queries * LANES; i++)
        sums[i] = 0;
    for (ptrdiff_t start = 0; start < j->width; start += SLAB) {
        const ptrdiff_t depth = j->width - start < SLAB ? j->width - start : SLAB;
        for (ptrdiff_t lane = 0; lane < LANES; lane++) /* a lane without a key repeats the last one and is thrown away */
            for (ptrdiff_t d = 0; d < depth; d++)
                slab[d * LANES + lane] = k[(lane < lanes ? lane : lanes - 1) * j->width + start + d];
        ptrdiff_t t = 0;
        for (; t + 4 <= queries; t += 4)
            NAME(scores_of)(q + t * j->width + start, j->width, slab, depth, sums + t * LANES, 4);
        for (; t < queries; t++)
            NAME(scores_of)(q + t * j->width + start, j->width, slab, depth, sums + t * LANES, 1);
    }
}

static void NAME(attention_scores)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const attention_scores_job *j = job;
    const ptrdiff_t blocks = (j->queries + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    const REAL root = NAME(root_of)((REAL)j->width);
    REAL sums[ATTENTION_BLOCK * LANES];
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, first = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t queries = j->queries - first < ATTENTION_BLOCK ? j->queries - first : ATTENTION_BLOCK;
        const ptrdiff_t past = j->keys - j->queries; /* query t sees the keys below past + t + 1 */
        const REAL *q = (const REAL *)j->q + (n * j->queries + first) * j->width;
        const REAL *k = (const REAL *)j->k + n * j->key_stride;
        REAL *out = (REAL *)j->out + (n * j->queries + first) * j->keys;
        for (ptrdiff_t key = 0; key < past + first + queries; key += LANES) {
            const ptrdiff_t lanes = j->keys - key < LANES ? j->keys - key : LANES;
            const ptrdiff_t skip = key > past + first ? key - past - first : 0; /* earlier queries see none of these keys */
            NAME(score_block)(j, q + skip * j->width, k + key * j->width, queries - skip, lanes, sums);
            for (ptrdiff_t t = skip; t < queries; t++)
                for (ptrdiff_t lane = 0; lane < lanes; lane++)
                    out[t * j->keys + key + lane] = sums[(t - skip) * LANES + lane] / root;
        }
        for (ptrdiff_t t = 0; t < queries; t++)
            for (ptrdiff_t key = past + first + t + 1; key < j->keys; key++)
                out[t * j->keys + key] = -(REAL)INFINITY;
    }
}

/* ---- mix: `width` features side by side, for `queries` queries that share the keys below `keys`. ---- */
static inline __attribute__((always_inline)) void NAME(mix_of)(const REAL *restrict pattern, ptrdiff_t pattern_stride, const REAL *restrict v, ptrdiff_t v_stride,
                                ptrdiff_t keys, ptrdiff_t seen, REAL *restrict out, const int queries, const int width)
{
    REAL acc[4][SLAB];
    for (int t = 0; t < queries; t++)
        for (int d = 0; d < width; d++)
            acc[t][d] = 0;
    for (ptrdiff_t s = 0; s < keys; s++)
        for (int t = 0; t < queries; t++)
            for (int d = 0; d < width; d++)
                acc[t][d] += pattern[t * pattern_stride + s] * v[s * v_stride + d];
    for (int t = 0; t < queries; t++) {
        for (ptrdiff_t s = keys; s < seen + t; s++) /* the keys that the earlier of these queries don't see */
            for (int d = 0; d < width; d++)
                acc[t][d] += pattern[t * pattern_stride + s] * v[s * v_stride + d];
        for (int d = 0; d < width; d++)
            out[t * v_stride + d] = acc[t][d];
    }
}

static void NAME(attention_mix)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const attention_mix_job *j = job;
    const ptrdiff_t blocks = (j->queries + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK, width = j->width;
    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t n = item / blocks, first = item % blocks * ATTENTION_BLOCK;
        const ptrdiff_t last = j->queries - first < ATTENTION_BLOCK ? j->queries : first + ATTENTION_BLOCK;
        for (ptrdiff_t t = first; t < last; t += 4) {
            const int queries = last - t < 4 ? (int)(last - t) : 4;
            const ptrdiff_t seen = j->keys - j->queries + t + 1;
            const REAL *pattern = (const REAL *)j->pattern + (n * j->queries + t) * j->keys;
            for (ptrdiff_t d = 0; d < width; d += SLAB) {
                const REAL *v = (const REAL *)j->v + n * j->value_stride + d;
                REAL *out = (REAL *)j->out + (n * j->queries + t) * width + d;
                if (queries == 4 && width - d >= SLAB)
                    NAME(mix_of)(pattern, j->keys, v, width, seen, seen, out, 4, SLAB);
                else
                    NAME(mix_of)(pattern, j->keys, v, width, seen, seen, out, queries,
                                 width - d < SLAB ? (int)(width - d) : SLAB);
            }
        }
    }
}
