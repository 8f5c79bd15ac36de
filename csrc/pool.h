/* A pool of threads that sleeps when idle.
 *
 * pool_run hands the items [0, items) to the calling thread and to the workers in chunks of `grain` items and returns when
 * all are done: 0, or −1 where `interrupted` (asked by the calling thread behind a chunk, at most every 20 ms; may be NULL)
 * returned nonzero; then chunks not yet begun are dropped. One job at a time: a second thread that calls meanwhile, or a
 * nested call, computes alone. After fork() the child starts with no workers and makes its own when it needs them.
 *
 * A job may want `scratch` bytes for each thread, usually 0: the kernel finds them by pool_scratch, their contents undefined. Where
 * there are none for a worker it leaves the job to others; where there are none for the caller, nothing is done: −2. */
#ifndef LLMTRACE_POOL_H
#define LLMTRACE_POOL_H

#include "inner.h"

#include <stdatomic.h>

/* A job that waits for those before it. */
typedef struct {
    range_fn kernel;
    kernel_job job;
    ptrdiff_t items, grain, scratch;
    ptrdiff_t expected; /* bytes, from in[3] of the job on, that will be needed next */
} waiting_job;

/* Jobs to be done one after the other. While the caller still adds some, a worker computes alone what is there already, chunk after
 * chunk: series_ready says how many may be computed, and lets a worker begin, or begin again, if one is free; series_stop, before any
 * is moved or freed, waits until it has left; series_finish does all the rest of `count` jobs, with what pool_run returns. A worker
 * leaves by itself where nothing comes for a while, and the pool is free for others. */
typedef struct {
    waiting_job *jobs;
    atomic_ptrdiff_t ready;
    ptrdiff_t done, next; /* jobs that are done, and the first item of the one behind these that nobody has begun */
} job_series;

void series_ready(job_series *s, ptrdiff_t count);
void series_stop(job_series *s);
int series_finish(job_series *s, ptrdiff_t count, int (*interrupted)(void));

/* Says what will be needed after the next job: threads that idle then bring of these bytes what their caches hold. Only a guess. */
void pool_expect(const void *data, ptrdiff_t bytes);
int pool_run(range_fn kernel, const kernel_job *job, ptrdiff_t items, ptrdiff_t grain, ptrdiff_t scratch,
             int (*interrupted)(void));
void *pool_scratch(void);
void pool_set_threads(int threads); /* counts the calling thread; at least 1 */
int pool_threads(void);             /* until it is set: the processors that this process may use */

#endif
