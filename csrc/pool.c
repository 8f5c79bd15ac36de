/* placeholder: one thread */
#include "pool.h"
#include "float_state.h"
static int count = 1;
int pool_run(range_fn kernel, const void *job, ptrdiff_t items, ptrdiff_t grain, int (*interrupted)(void))
{
    float_state before = float_state_enter();
    int stop = 0;
    for (ptrdiff_t i = 0; i < items && !stop; i += grain) {
        kernel(job, i, i + grain < items ? i + grain : items);
        if (interrupted) stop = interrupted();
    }
    float_state_leave(before);
    return stop ? -1 : 0;
}
void pool_set_threads(int threads) { count = threads; }
int pool_threads(void) { return count; }
