# Where the jobs of a run wait for each other, until all are run together.

cdef struct queued_job:
    range_fn function
    kernel_job job
    Py_ssize_t items, grain
    Py_ssize_t expected  # bytes, from in[3] on, that will be needed next


@cython.final
cdef class Queue:
    """Steps of one run that wait for each other, to be done in one go: products bring so many weights into the caches that Python
    would find nothing of its own there between any two of them.

    Where an array dies that lies in the arena of the run, a later step may get its memory, and that is done later, too. What lies
    elsewhere is held until then. One thread puts steps in; any may ask for their numbers.
    """
    cdef queued_job *jobs
    cdef int count, room
    cdef void *place  # where the job that may be added now writes: signals' handlers, too, may compute meanwhile
    cdef list held
    cdef object arena, lock
    cdef bint busy, given_up

    def __init__(self, arena):
        self.arena, self.held, self.lock = arena, [], threading.RLock()

    def __dealloc__(self):
        free(self.jobs)

    cdef int hold(self, x) except -1:
        base = cnp.get_array_base(<cnp.ndarray> x) if isinstance(x, np.ndarray) else None
        if not isinstance(base, Piece) or (<Piece> base).arena is not self.arena:
            self.held.append(x)
        return 0

    cdef int add(
        self, int kernel, int kind, const kernel_job *job, Py_ssize_t items, Py_ssize_t grain, Py_ssize_t expected
    ) except -1:
        cdef queued_job *jobs
        cdef Py_ssize_t room = 2 * self.room + 32
        if self.count == self.room:
            jobs = <queued_job *> realloc(self.jobs, room * sizeof(queued_job))
            if jobs == NULL:
                raise MemoryError("no memory for the steps of a run")
            self.jobs, self.room = jobs, room
        self.jobs[self.count].function = table_of(kind).kernels[kernel].run
        self.jobs[self.count].job, self.jobs[self.count].expected = job[0], expected
        self.jobs[self.count].items, self.jobs[self.count].grain = items, grain
        self.count += 1
        return 0

    def defer(self, forward, list arguments, settings, empty):
        """`forward(*arguments, **settings, empty=empty)`, whose one job waits. It must not look at numbers that may be still to
        come, but where the kernels do so for it."""
        global waiting
        cdef void *before = waiting
        cdef int begun = self.count

        def handed(shape, dtype):
            out = empty(shape, dtype)
            self.place = cnp.PyArray_DATA(<cnp.ndarray?> out)
            return out

        self.place, waiting = NULL, <void *> self
        try:
            out = forward(*arguments, **settings, empty=handed)
        except BaseException:
            self.count = min(self.count, begun)
            raise
        finally:
            waiting = before
        for x in (*arguments, out):
            self.hold(x)
        return out

    def run(self):
        """Does all that waits, or waits until another thread has done it. Where a signal's handler raises, such as
        KeyboardInterrupt, the rest is given up, and whoever asks for it is told so."""
        if not self.count and not self.busy and not self.given_up:
            return
        with self.lock:
            if self.busy or self.given_up:
                raise RuntimeError("these numbers are not there: the run that was to make them is not done")
            self.busy, self.given_up = True, True
            try:
                self.work(self.held)
                self.given_up = False
            finally:
                self.busy = False

    cdef int work(self, list held) except -1:
        cdef queued_job *jobs = self.jobs
        cdef int i, stopped = 0, count = self.count
        self.jobs, self.count, self.room, self.held = NULL, 0, 0, []  # others may come meanwhile
        with nogil:
            for i in range(count):
                if jobs[i].expected:
                    pool_expect(jobs[i].job.in_[3], jobs[i].expected)
                stopped = pool_run(jobs[i].function, &jobs[i].job, jobs[i].items, jobs[i].grain, interrupted)
                if stopped:
                    break
        free(jobs)
        return stopped  # −1 with the exception of the signal's handler set

    def give_up(self):
        """Forgets what waits; whoever asks for it is told so."""
        self.given_up = self.given_up or self.count > 0
        self.count = 0
        self.held.clear()
