# What a model does again and again, each time with other numbers of the same shapes: a step that is one job of the kernels is
# done again without asking what the first time has answered, and all at once with those that follow it.

cdef enum: MOST_REPEATED_AXES = 8

cdef struct known_input:
    int type, axes
    cnp.npy_intp size[MOST_REPEATED_AXES]


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
    elsewhere is held until then.
    """
    cdef queued_job *jobs
    cdef int count, room
    cdef list held
    cdef object arena

    def __init__(self, arena):
        self.arena, self.held = arena, []

    def __dealloc__(self):
        free(self.jobs)

    cdef int hold(self, cnp.ndarray array) except -1:
        base = cnp.get_array_base(array)
        if not isinstance(base, Piece) or (<Piece> base).arena is not self.arena:
            self.held.append(array)
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

    def defer(self, function, *arguments, **settings):
        """`function(*arguments, **settings)`, whose jobs wait. It must not look at numbers that may be still to come."""
        global waiting
        cdef void *before = waiting
        waiting = <void *> self
        try:
            out = function(*arguments, **settings)
        finally:
            waiting = before
        for x in (*arguments, out):
            if isinstance(x, np.ndarray):
                self.hold(<cnp.ndarray> x)
            else:
                self.held.append(x)
        return out

    def run(self):
        """Does all that waits. Where a signal's handler raises, such as KeyboardInterrupt, the rest is given up."""
        if self.count:
            try:
                self.work()
            finally:
                self.clear()

    cdef int work(self) except -1:
        cdef int i, stopped = 0
        with nogil:
            for i in range(self.count):
                if self.jobs[i].expected:
                    pool_expect(self.jobs[i].job.in_[3], self.jobs[i].expected)
                stopped = pool_run(self.jobs[i].function, &self.jobs[i].job, self.jobs[i].items, self.jobs[i].grain, interrupted)
                if stopped:
                    break
        return stopped  # −1 with the exception of the signal's handler set

    def clear(self):
        """Nothing of it is needed."""
        self.count = 0
        self.held.clear()


@cython.final
cdef class Repeat:
    """A step that was done, with the places of its inputs and of its result left open."""
    cdef job_run known
    cdef int count
    cdef known_input inputs[MOST_INPUTS]
    cdef int input_of[MOST_INPUTS]  # which input in[k] is; -1: none, but absent or something of the weights
    cdef object op, settings, shape, dtype
    cdef object arguments  # what else the job points to, so that it stays
    cdef PackedMatrix weight
    cdef public object note
    """What the caller wants to remember of it; None at first."""

    def again(self, op, tuple inputs, dict settings, empty, Queue queue not None):
        """The result for these named tensors, in memory that `empty` hands out, when `queue` has run; None where it is not the
        same step: another op, other settings, inputs of other shapes."""
        cdef kernel_job job
        cdef int i, k
        if self.op is not op or self.count != len(inputs) or not same_settings(settings, self.settings):
            return None
        job = self.known.job
        for i in range(self.count):
            x = inputs[i][1]  # not its `data`: it may be in the queue itself
            if not isinstance(x, np.ndarray) or not same_kind(&self.inputs[i], <cnp.ndarray> x):
                return None
            for k in range(MOST_INPUTS):
                if self.input_of[k] == i:
                    job.in_[k] = cnp.PyArray_DATA(<cnp.ndarray> x)
        out = empty(self.shape, self.dtype)
        job.out = cnp.PyArray_DATA(<cnp.ndarray?> out)
        for x in inputs:
            queue.hold(x[1])
        queue.hold(out)
        queue.held.append(self)
        expected = 0 if self.weight is None else expect_follower(self.weight, &job)
        queue.add(self.known.kernel, self.known.kind, &job, self.known.items, self.known.grain, expected)
        return out


cdef bint same_kind(const known_input *known, cnp.ndarray x):
    """Whether an array has that type and shape, and lies in memory as kernels want it."""
    cdef int axis
    if cnp.PyArray_TYPE(x) != known.type or cnp.PyArray_NDIM(x) != known.axes or not cnp.PyArray_ISCARRAY_RO(x):
        return False
    for axis in range(known.axes):
        if cnp.PyArray_DIM(x, axis) != known.size[axis]:
            return False
    return True


cdef bint same_settings(dict a, dict b):
    """Whether settings are the same: 1, 1.0 and True are three different ones, and so are 0.0 and −0.0."""
    if len(a) != len(b):
        return False
    for key, value in a.items():
        other = b.get(key)
        if other is not value and (type(other) is not type(value) or repr(other) != repr(value)):
            return False
    return True


def repeat(op, tuple inputs, dict settings, arguments, cnp.ndarray out not None):
    """The step that this thread has just done, as a `Repeat`: `op.forward` with these named tensors, and `arguments` behind them,
    has run one job, which made `out`. None where it can't be repeated: other numbers might need another job."""
    cdef Repeat step = Repeat.__new__(Repeat)
    cdef cnp.ndarray x
    cdef int i, k, axis
    if not last_run.settled or last_run.job.out != cnp.PyArray_DATA(out) or not out.size or len(inputs) > MOST_INPUTS:
        return None
    step.op, step.settings, step.arguments = op, dict(settings), arguments
    step.shape, step.dtype = (<object> out).shape, (<object> out).dtype
    step.known, step.count = last_run, len(inputs)
    step.weight = None if last_run.weight == NULL else <PackedMatrix> last_run.weight
    for k in range(MOST_INPUTS):
        step.input_of[k] = -1
    for i in range(step.count):
        data = inputs[i][1]
        if not isinstance(data, np.ndarray) or data.ndim > MOST_REPEATED_AXES:
            return None
        x = <cnp.ndarray> data
        step.inputs[i].type, step.inputs[i].axes = cnp.PyArray_TYPE(x), cnp.PyArray_NDIM(x)
        for axis in range(step.inputs[i].axes):
            step.inputs[i].size[axis] = cnp.PyArray_DIM(x, axis)
        if not same_kind(&step.inputs[i], x):
            return None
        found = [k for k in range(MOST_INPUTS) if last_run.job.in_[<int> k] == cnp.PyArray_DATA(x)]
        if len(found) != 1:  # one array as two operands: another time they may be two
            return None
        step.input_of[<int> found[0]] = i
    return step
