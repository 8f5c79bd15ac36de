# Where the jobs of a run wait for each other, until all are run together, or a worker has done them before.

cdef enum: FIRST_JOBS = 256  # for so many there is room at first


@cython.final
@cython.no_gc_clear
cdef class Queue:
    """Steps of one run that wait for each other, to be done in one go: products bring so many weights into the caches that Python
    would find nothing of its own there between any two of them.

    Where an array dies that lies in the arena of the run, a later step may get its memory, and that is done later, too. What lies
    elsewhere is held until then. One thread puts steps in; any may ask for their numbers.
    """
    cdef job_series *series  # NULL while nothing waits
    cdef Py_ssize_t count, room
    cdef void *place  # where the job that may be added now writes: signals' handlers, too, may compute meanwhile
    cdef list held
    cdef object arena, lock
    cdef readonly bint is_busy
    """Whether a thread computes."""
    cdef bint given_up
    cdef object process  # the one in which a thread is busy

    def __init__(self, arena):
        self.arena, self.held, self.lock = arena, [], threading.RLock()

    def __dealloc__(self):
        free_series(self.series)

    cdef int hold(self, x) except -1:
        base = cnp.get_array_base(<cnp.ndarray> x) if isinstance(x, np.ndarray) else None
        if not isinstance(base, Piece) or (<Piece> base).arena is not self.arena or not (<Piece> base).arena.is_open:
            self.held.append(x)
        return 0

    cdef int add(
        self, int kernel, int kind, const kernel_job *job, Py_ssize_t items, Py_ssize_t grain, Py_ssize_t expected,
        Py_ssize_t scratch=0
    ) except -1:
        """Puts a job in; it may be computed from the next `ready` on."""
        cdef waiting_job *job_there
        cdef waiting_job *jobs
        if self.series == NULL:
            self.series = <job_series *> calloc(1, sizeof(job_series))
            self.count = self.room = 0
        if self.series != NULL and self.count == self.room:
            series_stop(self.series)
            jobs = <waiting_job *> realloc(self.series.jobs, (2 * self.room + FIRST_JOBS) * sizeof(waiting_job))
            if jobs != NULL:
                self.series.jobs, self.room = jobs, 2 * self.room + FIRST_JOBS
        if self.series == NULL or self.count == self.room:
            raise MemoryError("no memory for the steps of a run")
        job_there = &self.series.jobs[self.count]
        job_there.kernel, job_there.job = table_of(kind).kernels[kernel].run, job[0]
        job_there.items, job_there.grain, job_there.scratch, job_there.expected = items, max(grain, 1), scratch, expected
        self.count += 1
        return 0

    cdef void ready(self) noexcept:
        """All that the jobs need is held: a worker may begin, if what came before is done."""
        if self.series != NULL and not self.is_busy:
            series_ready(self.series, self.count)

    def defer(self, forward, list arguments, settings, empty):
        """`forward(*arguments, **settings, empty=empty)`, whose one job waits. It must not look at numbers that may be still to
        come, but where the kernels do so for it."""
        global waiting
        cdef void *before = waiting
        cdef job_series *series = self.series
        cdef Py_ssize_t begun = self.count

        def handed(shape, dtype):
            out = empty(shape, dtype)
            self.place = cnp.PyArray_DATA(<cnp.ndarray?> out)
            return out

        self.place, waiting = NULL, <void *> self
        try:
            out = forward(*arguments, **settings, empty=handed)
        except BaseException:
            self.count = begun if self.series == series else 0  # what was there is being done, if it is another one
            raise
        finally:
            waiting = before
        for x in (*arguments, out):
            self.hold(x)
        self.ready()
        return out

    def run(self):
        """Does all that waits, or waits until another thread has done it. Where a signal's handler raises, such as
        KeyboardInterrupt, the rest is given up, and whoever asks for it is told so."""
        if not self.count and not self.is_busy and not self.given_up:
            return
        with self.alone():
            if self.is_busy or self.given_up:
                raise RuntimeError("these numbers are not there: the run that was to make them is not done")
            self.is_busy, self.given_up, self.process = True, True, os.getpid()
            try:
                self.work(self.held)
                self.given_up = False
            finally:
                self.is_busy = False

    cdef int work(self, list held) except -1:
        cdef job_series *series = self.series
        cdef Py_ssize_t count = self.count
        cdef int stopped
        self.series, self.count, self.held = NULL, 0, []  # others may come meanwhile
        if series == NULL:
            return 0
        with nogil:
            stopped = series_finish(series, count, interrupted)
        free_series(series)
        return done_or_raised(stopped)

    def give_up(self):
        """Forgets what waits; whoever asks for it is told so. A thread that computes is waited for: it writes to the arena."""
        with self.alone():
            self.given_up = self.given_up or self.count > 0
            free_series(self.series)
            self.series, self.count = NULL, 0
            self.held.clear()

    cdef object alone(self):
        """What lets one thread in; a forked child has nobody to wait for who computed when it was forked."""
        if self.is_busy and self.process != os.getpid():
            self.lock = threading.RLock()
        return self.lock


cdef void free_series(job_series *series) noexcept:
    if series != NULL:
        series_stop(series)
        free(series.jobs)
        free(series)
