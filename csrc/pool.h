/* A pool of threads that sleeps when idle.
 *
 * pool_run hands the items [0, items) to the calling thread and to the workers in chunks of `grain` items and returns when
 * all are done: 0, or −1 where `interrupted` (asked by the calling thread behind a chunk, at most every 20 ms; may be NULL)
 * returned nonzero; then chunks not yet begun are dropped. One job at a time: a second thread that calls meanwhile, or a
 * nested call, computes alone. After fork() the child starts with no workers and makes its own when it needs them. */
#ifndef LLMTRACE_POOL_H
#define LLMTRACE_POOL_H

#include "inner.h"

/* Says what will be needed after the next job: threads that idle then bring of these bytes what their caches hold. Only a guess. */
void pool_expect(const void *data, ptrdiff_t bytes);
int pool_run(range_fn kernel, const kernel_job *job, ptrdiff_t items, ptrdiff_t grain, int (*interrupted)(void));
void pool_set_threads(int threads); /* counts the calling thread; at least 1 */
int pool_threads(void);             /* until it is set: the processors that this process may use */

#endif
