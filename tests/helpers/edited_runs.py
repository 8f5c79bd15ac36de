"""Random edits of a run."""

from hypothesis import strategies as st


@st.composite
def random_edits(draw, trace, most=3):
    """One to three edits, each of a tensor or of a weight: whole, of some axes, of one number."""
    names = [name for name in [*trace, *trace.weights] if trace.tensor(name).dtype.kind == "f"]
    found = {}
    for _ in range(draw(st.integers(1, most))):
        value = draw(st.sampled_from([0.0, -0.0, 1.0, -2.5]) | st.floats(-4, 4, width=32))
        found[draw(parts(trace, draw(st.sampled_from(names))))] = value
    return found


@st.composite
def parts(draw, trace, name):
    """The address of a tensor, whole, or of some places along some of its axes."""
    chosen = [
        f"{axis}={draw(st.integers(0, size - 1))}"
        for axis, size in zip(trace.axes(name), trace.shape(name), strict=True)
        if draw(st.integers(0, 3))
    ]
    return f"{name}[{', '.join(chosen)}]" if chosen else name
