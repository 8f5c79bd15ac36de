# Operations per element and per row: the uniform kernels, which are run by their names.

cdef tuple INPUT_NAMES = tuple([f"input {k + 1}" for k in range(MOST_INPUTS)])


def elementwise(str name, tuple inputs, out, *settings):
    """out[i] = name(inputs[0][i], inputs[1][i], …; settings), for a name in `ELEMENTWISE`; all of one shape and type. Settings
    are rounded to that type first."""
    cdef kernel_job job = NO_JOB
    cdef int kind, k
    wanted = ELEMENTWISE[name]
    if (len(inputs), len(settings)) != wanted[:2]:
        raise TypeError(f"{name} takes {wanted[0]} inputs and {wanted[1]} settings, not {len(inputs)} and {len(settings)}")
    kind = real_type(inputs[0], "the first input")
    for k in range(MOST_INPUTS):
        job.in_[k] = pointer(inputs[k], kind, -1, INPUT_NAMES[k]) if k < len(inputs) else NULL
        if k < len(inputs):
            same_shape(inputs[k], out, INPUT_NAMES[k], "out")
    for k in range(MOST_SETTINGS):
        job.setting[k] = settings[k] if k < len(settings) else 0
    job.out = target(out, kind, -1, inputs)
    run(name, kind, &job, out.size, 65536 // wanted[2])


cdef struct tensor_shape:
    bint leading, optional
    int axes                  # named ones; leading axes come before them
    int below                 # the letter that whole numbers must be below; −1: real numbers
    int first[MOST_AXES]      # the letter of each axis
    int second[MOST_AXES]     # a second one, or −1
    char joint[MOST_AXES]     # what the size is of both: their sum, `+`, or their product, `*`
    Py_ssize_t least[MOST_AXES]


@cython.final
cdef class RowKernel:
    """A kernel that works on rows, and the shapes that go together, in the language of `llmtrace.ops.shapes`.

    `kernel((x, gain), empty, epsilon)` checks the inputs against these shapes, asks `empty(shape, dtype)` for the result,
    computes it, and returns it. An item is a row of the first input: all that lies along its last named axis, an element where
    none is named. The kernel gets as sizes the letters, in the order in which they appear, and −1 for those beyond.
    """
    cdef readonly str name
    cdef readonly dict shapes  # of every input, and of "out", as text
    cdef tuple names
    cdef dict letters
    cdef tensor_shape inputs[MOST_INPUTS]
    cdef tensor_shape out
    cdef int settings, cost, joints
    cdef bint ids  # whether some inputs are whole numbers, which are checked each time

    def __init__(self, str name, dict tensors, dict parsed):
        """tensors: the text of the shape of each input, and of the result as "out". parsed: the same as (leading axes?, ((joint,
        letters, least), …), letter below, optional?)."""
        cdef const kernel_entry *entry = &table_f32.kernels[<int> KERNELS[name]]
        self.name, self.shapes, self.letters = name, dict(tensors), {}
        self.names = tuple([tensor for tensor in tensors if tensor != "out"])
        if entry.kind != KIND_ROWS or len(self.names) != entry.inputs:
            raise TypeError(f"{name} is no kernel of rows with {len(self.names)} inputs")
        self.settings, self.cost = entry.settings, entry.cost
        for k, tensor in enumerate(self.names):
            self.describe(&self.inputs[<int> k], parsed[tensor])
            self.ids |= self.inputs[<int> k].below >= 0
        self.describe(&self.out, parsed["out"])

    cdef int describe(self, tensor_shape *shape, parsed) except -1:
        leading, sizes, below, optional = parsed
        shape.leading, shape.optional, shape.axes = leading, optional, len(sizes)
        if shape.axes > MOST_AXES:
            raise ValueError(f"a tensor of {self.name} names more than {MOST_AXES} axes")
        for axis, (joint, letters, least) in enumerate(sizes):
            shape.first[<int> axis] = self.letter(letters[0])
            shape.second[<int> axis] = self.letter(letters[1]) if len(letters) == 2 else -1
            shape.joint[<int> axis] = c"+" if joint == "+" else c"*"
            shape.least[<int> axis] = least
            self.joints |= len(letters) == 2
        shape.below = self.letter(below) if below else -1

    cdef int letter(self, str name) except -1:
        if len(self.letters) == MOST_SIZES and name not in self.letters:
            raise ValueError(f"{self.name} has more than {MOST_SIZES} sizes")
        return self.letters.setdefault(name, len(self.letters))

    def __call__(self, tuple inputs, empty, *settings):
        """The result, in memory that `empty` hands out."""
        cdef kernel_job job = NO_JOB
        cdef int k, kind = -1, count = len(self.names)
        cdef Py_ssize_t rows, row
        if len(inputs) != count or len(settings) != self.settings:
            got = f"{len(inputs)} and {len(settings)}"
            raise TypeError(f"{self.name} takes {count} inputs and {self.settings} settings, not {got}")
        for k in range(count):
            if kind < 0 and self.inputs[k].below < 0 and inputs[k] is not None:
                kind, dtype = real_type(inputs[k], self.names[k]), inputs[k].dtype
        for k in range(MOST_INPUTS):
            job.in_[k] = NULL
            if k < count and not (inputs[k] is None and self.inputs[k].optional):
                job.in_[k] = pointer(inputs[k], kind if self.inputs[k].below < 0 else cnp.NPY_INT64, -1, self.names[k])
        for k in range(MOST_SETTINGS):
            job.setting[k] = settings[k] if k < self.settings else 0
        shape = self.solve(inputs, job.size)
        for k in range(count):
            if self.inputs[k].below >= 0 and job.in_[k] != NULL:
                ids_below(inputs[k], job.size[self.inputs[k].below], self.names[k])
        out = empty(shape, dtype if self.out.below < 0 else INT64)
        job.out = target(out, kind if self.out.below < 0 else cnp.NPY_INT64, -1, inputs)
        expect_shape(out, shape, "out")
        if cnp.PyArray_SIZE(out):
            rows = leading(inputs[0], 1 if self.inputs[0].axes else 0, self.names[0])
            row = max(cnp.PyArray_SIZE(inputs[0]), cnp.PyArray_SIZE(out)) // rows
            run(self.name, kind, &job, rows, grain_of(row * self.cost, 8))
            last_run.settled = not self.ids
        return out

    cdef tuple solve(self, tuple inputs, Py_ssize_t *size):
        """The shape of the result, and the size of every letter; ValueError where the inputs do not go together."""
        cdef int k, axis, extra, lead = -1, joints
        cdef cnp.ndarray x
        cdef cnp.npy_intp *dims
        cdef cnp.npy_intp *leaders = NULL
        cdef const tensor_shape *shape
        for k in range(MOST_SIZES):
            size[k] = -1
        for joints in range(1 + self.joints):  # first the plain letters, then the sums and products of them
            for k in range(len(inputs)):
                if inputs[k] is None:
                    continue
                x, shape = inputs[k], &self.inputs[k]
                dims, extra = cnp.PyArray_DIMS(x), cnp.PyArray_NDIM(x) - shape.axes
                if extra < 0 or (extra and not shape.leading):
                    axes = f"{'at least ' if shape.leading else ''}{shape.axes} {'axis' if shape.axes == 1 else 'axes'}"
                    raise ValueError(f"{self.names[k]} must have {axes}, not shape {inputs[k].shape}")
                if shape.leading and lead < 0:
                    lead, leaders = extra, dims
                if shape.leading and (lead != extra or extra and memcmp(dims, leaders, extra * sizeof(cnp.npy_intp))):
                    self.refuse(k, inputs[k].shape, size)
                for axis in range(shape.axes):
                    if (shape.second[axis] >= 0) == joints and not settle(shape, axis, dims[extra + axis], size):
                        self.refuse(k, inputs[k].shape, size)
        made = [leaders[axis] for axis in range(lead)] if self.out.leading else []
        for axis in range(self.out.axes):
            made.append(size_of(&self.out, axis, size))
        return tuple(made)

    cdef int refuse(self, int k, tuple shape, Py_ssize_t *size) except -1:
        known = ", ".join(f"{letter} = {size[<int> i]}" for letter, i in self.letters.items() if size[<int> i] >= 0)
        name = self.names[k]
        others = f" where {known}" if known else ""
        raise ValueError(f"{name} has shape {shape}, which does not fit {self.shapes[name]!r}{others}")


cdef Py_ssize_t size_of(const tensor_shape *shape, int axis, const Py_ssize_t *size) noexcept:
    """The size of an axis, from those of its letters."""
    cdef Py_ssize_t first = size[shape.first[axis]]
    if shape.second[axis] < 0:
        return first
    return first + size[shape.second[axis]] if shape.joint[axis] == c"+" else first * size[shape.second[axis]]


cdef bint settle(const tensor_shape *shape, int axis, Py_ssize_t number, Py_ssize_t *size) noexcept:
    """Whether an axis can be of that size; settles the letter that is not known yet."""
    cdef int a = shape.first[axis], b = shape.second[axis], unknown
    cdef Py_ssize_t other
    if b < 0:
        if size[a] < 0 and number >= shape.least[axis]:
            size[a] = number
        return size[a] == number
    if size[a] < 0 and size[b] < 0:
        return False
    if size[a] >= 0 and size[b] >= 0:
        return size_of(shape, axis, size) == number
    unknown, other = (a, size[b]) if size[a] < 0 else (b, size[a])
    if shape.joint[axis] == c"+":
        size[unknown] = number - other
    elif other > 0 and number % other == 0:
        size[unknown] = number // other
    return size[unknown] >= 0
