/* What the pool wants to know of the processors: how many this process may use, and which one a thread is on. */
#ifndef LLMTRACE_PROCESSORS_H
#define LLMTRACE_PROCESSORS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#ifndef __linux__
#define sched_getcpu() (-1) /* the system does not say */
#endif

/* Linux may wake a worker on the caller's own processor, and then lets the two take turns there, seconds long, while another
 * processor idles. A worker that finds itself there moves away; then it may be moved as before. */
static inline void leave_processor(int processor)
{
#ifdef __linux__
    cpu_set_t allowed, others;
    if (processor < 0 || processor >= CPU_SETSIZE || sched_getcpu() != processor)
        return;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return;
    others = allowed;
    CPU_CLR(processor, &others);
    if (CPU_COUNT(&others) && !sched_setaffinity(0, sizeof others, &others))
        sched_setaffinity(0, sizeof allowed, &allowed);
#else
    (void)processor;
#endif
}

/* A container's share of the processors, rounded up, or `most` where there is no limit: "quota period" in one file (cgroup 2)
 * or in two (cgroup 1). */
static inline int limited_by_cgroup(int most)
{
    long long quota = 0, period = 0;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (file) {
        if (fscanf(file, "%lld %lld", &quota, &period) != 2)
            quota = 0; /* "max" */
        fclose(file);
    } else if ((file = fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r"))) {
        if (fscanf(file, "%lld", &quota) != 1)
            quota = 0;
        fclose(file);
        if ((file = fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r"))) {
            if (fscanf(file, "%lld", &period) != 1)
                period = 0;
            fclose(file);
        }
    }
    if (quota <= 0 || period <= 0)
        return most;
    const long long share = (quota + period - 1) / period;
    return share < most ? (int)share : most;
}

static inline int usable_processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef __linux__
    cpu_set_t *set = CPU_ALLOC(8192); /* more than any kernel's limit */
    if (set && !sched_getaffinity(0, CPU_ALLOC_SIZE(8192), set))
        count = CPU_COUNT_S(CPU_ALLOC_SIZE(8192), set);
    if (set)
        CPU_FREE(set);
#endif
    return limited_by_cgroup(count < 1 ? 1 : (int)count);
}

#endif
