# What a model does again and again, each time with other numbers of the same shapes: a step that is one job of the kernels is
# done again without asking what the first time has answered.

cdef enum: MOST_REPEATED_AXES = 8

cdef struct known_input:
    int type, axes
    cnp.npy_intp size[MOST_REPEATED_AXES]


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

    def again(self, op, list arrays, dict settings, empty, Queue queue not None):
        """The result for these inputs, in memory that `empty` hands out, when `queue` has run; None where it is not the same
        step: another op, other settings, inputs of other shapes."""
        cdef kernel_job job
        cdef int i, k
        if self.op is not op or self.count != len(arrays) or not same_settings(settings, self.settings):
            return None
        if self.weight is not None and not readable(self.weight):
            return None
        job = self.known.job
        for i in range(self.count):
            x = arrays[i]
            if not isinstance(x, np.ndarray) or not same_kind(&self.inputs[i], <cnp.ndarray> x):
                return None
            for k in range(MOST_INPUTS):
                if self.input_of[k] == i:
                    job.in_[k] = cnp.PyArray_DATA(<cnp.ndarray> x)
        out = empty(self.shape, self.dtype)
        job.out = cnp.PyArray_DATA(<cnp.ndarray?> out)
        for x in (*arrays, out, self):
            queue.hold(x)
        expected = 0 if self.weight is None else expect_follower(self.weight, &job)
        queue.add(self.known.kernel, self.known.kind, &job, self.known.items, self.known.grain, expected)
        queue.ready()
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


def repeat(op, list arrays, dict settings, arguments, cnp.ndarray out not None):
    """The step that this thread has just done, as a `Repeat`: `op.forward` with these inputs, and `arguments` behind them, has
    run one job, which makes `out`. None where it can't be repeated: other numbers might need another job."""
    cdef Repeat step = Repeat.__new__(Repeat)
    cdef cnp.ndarray x
    cdef int i, k, axis
    if not last_run.settled or last_run.job.out != cnp.PyArray_DATA(out) or not out.size or len(arrays) > MOST_INPUTS:
        return None
    step.op, step.settings, step.arguments = op, dict(settings), arguments
    step.shape, step.dtype = (<object> out).shape, (<object> out).dtype
    step.known, step.count = last_run, len(arrays)
    step.weight = None if last_run.weight == NULL else <PackedMatrix> last_run.weight
    for k in range(MOST_INPUTS):
        step.input_of[k] = -1
    for i in range(step.count):
        data = arrays[i]
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
