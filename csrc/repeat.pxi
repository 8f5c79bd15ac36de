# What a model does again and again, each time with other numbers of the same shapes: a step that is one job of the kernels is
# done again without asking what the first time has answered.

cdef enum: MOST_REPEATED_AXES = 8

cdef struct known_array:
    int type, axes
    cnp.npy_intp size[MOST_REPEATED_AXES]


@cython.final
cdef class Repeat:
    """A step that was done, with the places of its inputs and of its result left open."""
    cdef job_run known
    cdef int count
    cdef known_array inputs[MOST_INPUTS]
    cdef known_array out
    cdef Py_ssize_t out_bytes
    cdef int input_of[MOST_INPUTS]  # which input in[k] is; -1: none, but absent or something of the weights
    cdef object op, settings, shape, dtype
    cdef object arguments  # what else the job points to, so that it stays
    cdef PackedMatrix weight
    cdef public object note
    """What the caller wants to remember of it; None at first."""

    def again(self, op, tuple inputs, dict settings, empty, Queue queue not None):
        """The result for these tensors, when `queue` has run, in memory that `empty` hands out, or where that is None of the
        queue's arena. None where it is not the same step: another op, other settings, inputs of other shapes."""
        cdef kernel_job job
        cdef cnp.ndarray out
        cdef int i, k
        if self.op is not op or self.count != len(inputs) or not same_settings(settings, self.settings):
            return None
        if self.weight is not None and not readable(self.weight):
            return None
        job = self.known.job
        for i in range(self.count):
            x = inputs[i].taken_by(queue)
            if not isinstance(x, np.ndarray) or not is_like(&self.inputs[i], <cnp.ndarray> x):
                return None
            if not cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> x):  # kernels want it so
                return None
            for k in range(MOST_INPUTS):
                if self.input_of[k] == i:
                    job.in_[k] = cnp.PyArray_DATA(<cnp.ndarray> x)
            queue.hold(x)
        if empty is None and isinstance(queue.arena, Arena):
            out = (<Arena> queue.arena).array(self.out.axes, self.out.size, self.out.type, self.out_bytes)
        else:
            out = (queue.arena.empty if empty is None else empty)(self.shape, self.dtype)
            queue.hold(out)
        job.out = cnp.PyArray_DATA(out)
        queue.held.append(self)
        expected = 0 if self.weight is None else expect_follower(self.weight, &job)
        queue.add(self.known.kernel, self.known.kind, &job, self.known.items, self.known.grain, expected)
        queue.ready()
        return out


cdef bint describe(known_array *known, cnp.ndarray x):
    """Notes an array's type and shape; False where it has too many axes."""
    cdef int axis
    known.type, known.axes = cnp.PyArray_TYPE(x), cnp.PyArray_NDIM(x)
    if known.axes > MOST_REPEATED_AXES:
        return False
    for axis in range(known.axes):
        known.size[axis] = cnp.PyArray_DIM(x, axis)
    return True


cdef bint is_like(const known_array *known, cnp.ndarray x):
    """Whether an array has that type and shape."""
    cdef int axis
    if cnp.PyArray_TYPE(x) != known.type or cnp.PyArray_NDIM(x) != known.axes:
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


def repeat(op, list arrays, dict settings, arguments, cnp.ndarray out not None):
    """The step that this thread has just done, as a `Repeat`: `op.forward` with these inputs, and `arguments` behind them, has
    run one job, which makes `out`. None where it can't be repeated: other numbers might need another job."""
    cdef Repeat step = Repeat.__new__(Repeat)
    cdef cnp.ndarray x
    cdef int i, k
    if not last_run.settled or last_run.job.out != cnp.PyArray_DATA(out) or not out.size or len(arrays) > MOST_INPUTS:
        return None
    if not describe(&step.out, out):
        return None
    step.op, step.settings, step.arguments = op, dict(settings), arguments
    step.shape, step.dtype, step.out_bytes = (<object> out).shape, (<object> out).dtype, (<object> out).nbytes
    step.known, step.count = last_run, len(arrays)
    step.weight = None if last_run.weight == NULL else <PackedMatrix> last_run.weight
    for k in range(MOST_INPUTS):
        step.input_of[k] = -1
    for i in range(step.count):
        data = arrays[i]
        if not isinstance(data, np.ndarray) or not describe(&step.inputs[i], <cnp.ndarray> data):
            return None
        x = <cnp.ndarray> data
        if not cnp.PyArray_ISCARRAY_RO(x):
            return None
        found = [k for k in range(MOST_INPUTS) if last_run.job.in_[<int> k] == cnp.PyArray_DATA(x)]
        if len(found) != 1:  # one array as two operands: another time they may be two
            return None
        step.input_of[<int> found[0]] = i
    return step


@cython.final
cdef class Given:
    """The tensors that a step was given: their names, axes, types and shapes."""
    cdef list names, axes
    cdef known_array arrays[MOST_INPUTS]
    cdef bint comparable

    def __init__(self, tuple inputs):
        cdef int i
        self.names, self.axes = [x.name for x in inputs], [x.axes for x in inputs]
        self.comparable = len(inputs) <= MOST_INPUTS
        for i in range(len(inputs)):
            self.comparable = self.comparable and describe(&self.arrays[i], inputs[i].outline)

    def same(self, tuple inputs, bint shapes=True):
        """Whether these tensors are like those; `shapes` or not."""
        cdef int i
        if not self.comparable or len(inputs) != len(self.names):
            return False
        for i in range(len(inputs)):
            x = inputs[i]
            if x.name != self.names[i] or x.axes != self.axes[i] or (shapes and not is_like(&self.arrays[i], x.outline)):
                return False
        return True
