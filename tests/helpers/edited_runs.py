"""Random edits of a run."""

from hypothesis import strategies as st


@st.composite
def random_edits(draw, trace, most=3):
    """One to three edits, each of a tensor or of a weight: whole, of some axes, of one number."""
    names = [name for name in [*trace, *trace.weights] if trace.tensor(name).dtype.kind == "f"]
    found = {}
    for _ in range(draw(st.integers(1, most))):
        name = draw(st.sampled_from(names))
        chosen = [
            f"{axis}={draw(st.integers(0, size - 1))}"
            for axis, size in zip(trace.axes(name), trace.shape(name), strict=True)
            if draw(st.integers(0, 3))
        ]
        value = draw(st.sampled_from([0.0, -0.0, 1.0, -2.5]) | st.floats(-4, 4, width=32))
        found[f"{name}[{', '.join(chosen)}]" if chosen else name] = value
    return found
