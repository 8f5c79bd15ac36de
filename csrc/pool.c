/* One job at a time, whose chunks every thread draws one after the other (parts.h); see pool.h.
 *
 *   caller                                        worker
 *   opens the job, wakes workers                  idle: fetches what is expected, watches `jobs_opened` for SPIN_NS, then sleeps
 *   chunk, chunk, chunk … until none is left      joins while the job is open and has a seat: `running` + 1
 *   closes the job: nobody joins or draws         chunk, chunk … until none is left or the job is closed
 *   waits until `running` is 0                    leaves: `running` − 1
 *
 * Joining and closing happen under `lock`, so once closed and left no worker can touch the job, which lives on the caller's
 * stack. A caller that finds the pool busy, or has a single chunk, does not open its job and computes all of it itself. */
#define _GNU_SOURCE
#include "pool.h"
#include "float_state.h"
#include "parts.h"
#include "processors.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define SPIN_NS 200000
#define MORE_NS 1000000 /* the same where it is certain that more is to come: of a series */
#define ASK_NS 20000000 /* how often the caller asks `interrupted` */
#define STACK_BYTES (1 << 20)
#define ALIGNMENT 64 /* of a thread's own memory */
#define CACHE_BYTES (3 << 19) /* of what is expected, for each worker; caches of a core have 2 MB */
#define PIECE 4096            /* so much of it at a time, in PIECE_STREAMS streams: memory gives more to several than to one */
#define PIECE_STREAMS 4

typedef struct {
    range_fn kernel;
    const kernel_job *job;
    ptrdiff_t first, items, grain, scratch; /* first: the one that chunk 0 begins with */
    int parts;
    atomic_int open;
    int processor; /* where the caller was when it opened the job */
    job_part part[MOST_PARTS];
} shared_job;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards current, seats, workers, sleeping, and a rise of running */
static pthread_mutex_t ending = PTHREAD_MUTEX_INITIALIZER; /* of a series: who comes meanwhile waits until the worker has left */
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER, left = PTHREAD_COND_INITIALIZER;
static shared_job *current;
static shared_job open_series = {.parts = 1}; /* stands for a series that a worker has begun, and keeps the pool busy; has no chunks */
static _Atomic(job_series *) series_begun; /* that one, or NULL; who makes it NULL also ends that */
static int seats, workers, sleeping;
static atomic_int running, busy, threads, finishing; /* finishing: so many series */
static atomic_uint jobs_opened;
static _Atomic(const char *) expected; /* what pool_expect said last */
static atomic_ptrdiff_t expected_bytes;
static _Thread_local shared_job *mine; /* the open job of this very thread */
static _Thread_local long long asked;  /* when it asked `interrupted` last */
static _Thread_local void *scratch;    /* of the job that it computes */

static long long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Waits while the condition holds, `most` nanoseconds at most, without going to sleep. */
#define SPIN_WHILE(condition, most)                                                                                    \
    for (long long until = now_ns() + (most); (condition) && now_ns() < until;)                                        \
        for (int i = 0; i < 20 && (condition); i++)                                                                    \
            pause_briefly();

/* ---- what is needed next ------------------------------------------------------------------------------------------- */

void pool_expect(const void *data, ptrdiff_t bytes)
{
    atomic_store(&expected, data); /* a worker that takes the other's length for it fetches too much or too little */
    atomic_store(&expected_bytes, bytes);
}

/* Brings the beginning of this worker's part into its cache, until job `seen` is no more the last one. A prefetch of memory that is gone
 * does nothing. */
static void fetch_expected(unsigned seen, int worker)
{
    static _Thread_local const char *fetched;
    const ptrdiff_t bytes = atomic_load(&expected_bytes), part = bytes / pool_threads();
    if (!part)
        return;
    const char *from = atomic_load(&expected) + worker % pool_threads() * part;
    if (from == fetched)
        return;
    fetched = from;
    const char *end = from + (part < CACHE_BYTES ? part : CACHE_BYTES);
    for (; from < end && atomic_load_explicit(&jobs_opened, memory_order_relaxed) == seen; from += PIECE)
        for (int i = 0; i < PIECE / PIECE_STREAMS; i += 64)
            for (int stream = 0; stream < PIECE_STREAMS; stream++)
                __builtin_prefetch(from + stream * (PIECE / PIECE_STREAMS) + i, 0, 2);
}

/* ---- memory of a thread's own -------------------------------------------------------------------------------------- */

void *pool_scratch(void) { return (char *)scratch + (-(uintptr_t)scratch & (ALIGNMENT - 1)); }

/* Memory for the job that this thread is about to compute, which may come in the middle of another: `before` is that one's. 0 where
 * there is none. */
static int scratch_begin(ptrdiff_t bytes, void **before)
{
    void *found = bytes > 0 ? malloc((size_t)bytes + ALIGNMENT) : NULL; /* aligned_alloc of glibc takes more each time */
    *before = scratch;
    scratch = found;
    return bytes <= 0 || found;
}

static void scratch_end(void *before)
{
    free(scratch);
    scratch = before;
}

/* ---- workers ------------------------------------------------------------------------------------------------------- */

static ptrdiff_t smallest(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* Computes the next chunk of part `own`, or one of another part; 0 where there is none. */
static int compute_chunk(shared_job *s, int own)
{
    const ptrdiff_t chunk = draw_chunk(s->part, s->parts, own), begin = s->first + chunk * s->grain;
    if (chunk < 0)
        return 0;
    s->kernel(s->job, begin, smallest(s->items, begin + s->grain));
    return 1;
}

/* The same of a series, whose chunks come one after the other; waits a while for more. */
static int compute_next(job_series *series)
{
    void *outer;
    SPIN_WHILE(atomic_load(&open_series.open) && series->done == atomic_load(&series->ready), MORE_NS)
    if (!atomic_load(&open_series.open) || series->done == atomic_load(&series->ready))
        return 0;
    const waiting_job *j = &series->jobs[series->done];
    const int ready = scratch_begin(j->scratch, &outer);
    if (ready && series->next < j->items) {
        const ptrdiff_t begin = series->next;
        series->next = smallest(j->items, begin + j->grain);
        j->kernel(&j->job, begin, series->next);
    }
    scratch_end(outer);
    if (series->next >= j->items)
        series->done++, series->next = 0;
    return ready;
}

static void *work(void *number)
{
    const int worker = (int)(intptr_t)number;
    unsigned seen = 0; /* job 0 never exists */
    for (;;) {
        fetch_expected(seen, worker);
        SPIN_WHILE(atomic_load(&jobs_opened) == seen, atomic_load(&finishing) ? MORE_NS : SPIN_NS)
        pthread_mutex_lock(&lock);
        sleeping++;
        while (atomic_load(&jobs_opened) == seen)
            pthread_cond_wait(&opened, &lock);
        sleeping--;
        seen = atomic_load(&jobs_opened);
        shared_job *s = seats > 0 ? current : NULL;
        job_series *series = s == &open_series ? atomic_load(&series_begun) : NULL;
        if (s) {
            seats--;
            atomic_fetch_add(&running, 1);
        }
        pthread_mutex_unlock(&lock);
        if (!s)
            continue;
        leave_processor(s->processor);
        const float_state before = float_state_enter();
        void *outer;
        if (scratch_begin(s->scratch, &outer))
            while (atomic_load_explicit(&s->open, memory_order_relaxed) && (series ? compute_next(series) : compute_chunk(s, worker))) {
            }
        scratch_end(outer);
        float_state_leave(before);
        const int ends = series && atomic_load(&s->open) && atomic_compare_exchange_strong(&series_begun, &series, NULL);
        if (atomic_fetch_sub(&running, 1) == 1) { /* the last to leave; others may have gone to sleep */
            pthread_mutex_lock(&lock);
            pthread_cond_broadcast(&left);
            pthread_mutex_unlock(&lock);
        }
        if (ends)
            atomic_store(&busy, 0);
    }
    return NULL;
}

/* Makes workers until there are `wanted`, or as many as the system allows. Called with the lock held. */
static void make_workers(int wanted)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    if (workers >= wanted || pthread_attr_init(&attributes))
        return;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* workers inherit it: signals are for Python's threads */
    while (workers < wanted && !pthread_create(&thread, &attributes, work, (void *)(intptr_t)(workers + 1))) /* 0 is the caller */
        workers++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

/* ---- the caller ---------------------------------------------------------------------------------------------------- */

static void open_job(shared_job *s, int helpers)
{
    pthread_mutex_lock(&lock);
    make_workers(helpers);
    current = s;
    seats = helpers;
    atomic_fetch_add(&jobs_opened, 1);
    const int wake = sleeping < helpers ? sleeping : helpers;
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < wake; i++)
        pthread_cond_signal(&opened);
}

/* Nobody draws another chunk; waits for those being computed. */
static void close_job(shared_job *s)
{
    atomic_store(&s->open, 0);
    pthread_mutex_lock(&lock);
    if (current == s) {
        current = NULL;
        seats = 0;
    }
    pthread_mutex_unlock(&lock);
    SPIN_WHILE(atomic_load(&running), SPIN_NS)
    if (atomic_load(&running)) {
        pthread_mutex_lock(&lock);
        while (atomic_load(&running))
            pthread_cond_wait(&left, &lock);
        pthread_mutex_unlock(&lock);
    }
}

/* Computes chunks until none is left or `interrupted` says stop. Python's signal handlers run in there: under the caller's
 * own floating-point state, and free to fork, which closes the job to the workers (see before_fork). */
static int compute(shared_job *s, int (*interrupted)(void))
{
    float_state before = float_state_enter();
    int stop = 0;
    while (!stop && compute_chunk(s, 0)) {
        if (!interrupted || now_ns() - asked < ASK_NS)
            continue;
        float_state_leave(before);
        stop = interrupted();
        before = float_state_enter();
        asked = now_ns();
    }
    float_state_leave(before);
    return stop;
}

/* All of it, with workers if they are free and it is worth it. */
static int share(shared_job *s, int (*interrupted)(void))
{
    while ((s->items - s->first) / s->grain >= MOST_CHUNKS)
        s->grain *= 2;
    const ptrdiff_t chunks = (s->items - s->first + s->grain - 1) / s->grain;
    const int helpers = (int)smallest(chunks, pool_threads()) - 1;
    if (helpers < 1 || atomic_exchange(&busy, 1)) {
        s->parts = divide_chunks(s->part, chunks, 1);
        return compute(s, interrupted);
    }
    s->parts = divide_chunks(s->part, chunks, helpers + 1);
    s->processor = sched_getcpu();
    open_job(s, helpers);
    mine = s;
    const int stop = compute(s, interrupted);
    close_job(s);
    mine = NULL;
    atomic_store(&busy, 0);
    return stop;
}

/* The items from `first` on. */
static int run_from(ptrdiff_t first, const waiting_job *j, int (*interrupted)(void))
{
    shared_job s;
    void *outer;
    if (first >= j->items)
        return 0;
    s.kernel = j->kernel, s.job = &j->job, s.first = first, s.items = j->items, s.grain = j->grain, s.scratch = j->scratch;
    atomic_init(&s.open, 1);
    const int ready = scratch_begin(j->scratch, &outer), stop = ready && share(&s, interrupted);
    scratch_end(outer);
    return !ready ? -2 : stop ? -1 : 0;
}

int pool_run(range_fn kernel, const kernel_job *job, ptrdiff_t items, ptrdiff_t grain, ptrdiff_t scratch_bytes,
             int (*interrupted)(void))
{
    const waiting_job j = {.kernel = kernel, .job = *job, .items = items, .grain = grain < 1 ? 1 : grain, .scratch = scratch_bytes};
    return run_from(0, &j, interrupted);
}

/* ---- a series ------------------------------------------------------------------------------------------------------ */

void series_ready(job_series *s, ptrdiff_t count)
{
    atomic_store(&s->ready, count);
    if (atomic_load(&series_begun) == s || pool_threads() < 2 || atomic_exchange(&busy, 1))
        return;
    open_series.processor = sched_getcpu();
    atomic_store(&open_series.open, 1);
    atomic_store(&series_begun, s);
    open_job(&open_series, 1);
}

/* The worker has left this series, or, where NULL, whichever it has begun. A thread that forks ends that of another, too. */
static void end_series(job_series *s)
{
    pthread_mutex_lock(&ending);
    s = s ? s : atomic_load(&series_begun);
    if (s && atomic_compare_exchange_strong(&series_begun, &s, NULL)) {
        close_job(&open_series);
        atomic_store(&busy, 0);
    }
    pthread_mutex_unlock(&ending);
}

void series_stop(job_series *s)
{
    if (s)
        end_series(s);
}

int series_finish(job_series *s, ptrdiff_t count, int (*interrupted)(void))
{
    int stopped = 0;
    series_stop(s);
    atomic_fetch_add(&finishing, 1);
    while (s->done < count && !stopped) {
        const waiting_job *j = &s->jobs[s->done];
        if (j->expected)
            pool_expect(j->job.in[3], j->expected);
        stopped = run_from(s->next, j, interrupted);
        if (!stopped)
            s->done++, s->next = 0;
    }
    if (atomic_load(&finishing)) /* none is known in a forked child */
        atomic_fetch_sub(&finishing, 1);
    return stopped;
}

/* ---- how many threads ---------------------------------------------------------------------------------------------- */

void pool_set_threads(int count) { atomic_store(&threads, count < 1 ? 1 : count); }

int pool_threads(void)
{
    if (!atomic_load(&threads))
        atomic_store(&threads, usable_processors());
    return atomic_load(&threads);
}

/* ---- fork ---------------------------------------------------------------------------------------------------------- */

/* A signal handler of Python's may fork in the middle of a job of this thread: the chunks that workers have drawn are
 * finished first, since the child will have no workers. The rest is then the caller's, in parent and child. So is that of a series,
 * whose numbers the child may ask for whoever has begun it. */
static void before_fork(void)
{
    if (mine)
        close_job(mine);
    end_series(NULL);
}

static void in_forked_child(void)
{
    lock = ending = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    opened = left = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    current = NULL;
    seats = workers = sleeping = 0;
    atomic_store(&series_begun, NULL);
    atomic_store(&running, 0);
    atomic_store(&busy, 0);
    atomic_store(&finishing, 0);
}

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(before_fork, NULL, in_forked_child); }
