/* Embedding: row ids[i] of the table, copied. An item is a position. Cython has checked the ids. */
static void NAME(embedding)(const void *job, ptrdiff_t begin, ptrdiff_t end)
{
    const embedding_job *j = job;
    for (ptrdiff_t i = begin; i < end; i++)
        memcpy((REAL *)j->out + i * j->width, (const REAL *)j->table + j->ids[i] * j->width, (size_t)j->width * sizeof(REAL));
}
