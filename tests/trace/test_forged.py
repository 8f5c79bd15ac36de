"""Forged trace files: a header that says what no trace says, under a seal that fits, is refused in one line."""

import contextlib
import copy
import hashlib
import json

import numpy as np
import pytest
from helpers.fresh import examples
from helpers.small_models import small_gpt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import llmtrace
from llmtrace.errors import LlmtraceError, ReplayError, TraceFileError
from llmtrace.explain.verify import verify
from llmtrace.ops import Weight, by_name
from llmtrace.ops.linear.embedding import embedding_gradient
from llmtrace.ops.linear.linear import linear
from llmtrace.trace import Run, Trace


@pytest.fixture
def saved_trace(tmp_path):
    small_gpt().trace([0, 2, 1, 2]).save(tmp_path / "a.trace", with_weights=True)
    return tmp_path / "a.trace"


def resealed(path, note, to=None):
    """The file with any text at all for its note, and a seal that fits."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header["__metadata__"]["llmtrace"] = note
    head = json.dumps(header).encode()
    head = len(head).to_bytes(8, "little") + head
    (to or path).write_bytes(head + content[start:-32] + hashlib.sha256(head).digest())


def note_of(path):
    content = path.read_bytes()
    return json.loads(json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]["llmtrace"])


@pytest.mark.parametrize(
    "note",
    [
        *("", "{", "[1]", "null", "{}", "[" * 100_000, '{"version": 1, "version": 1}', '{"version": true}', "\ud800"),
        *('{"version": [[1]]}', '{"version": NaN}', '{"version": 1}', '{"version": 1, "sha256": []}'),
    ],
    ids=range(13),
)
def test_a_note_that_is_none(saved_trace, note):
    path = saved_trace
    resealed(path, note)
    with pytest.raises(TraceFileError) as caught:
        llmtrace.open(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


H = "0" * 64


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["sha256"], None),
        (["sha256"], []),
        (["sha256"], {}),
        (["sha256", "tokens"], []),
        (["sha256", "tokens"], H),
        (["sha256", "tokens"], [H, H]),
        (["sha256", "tokens"], ["0" * 63]),
        (["sha256", "tokens"], [5]),
        (["sha256", "more"], [H]),
        (["version"], 1.0),
        (["version"], 10**4000),
        (["llmtrace"], 5),
        (["model"], []),
        (["model", "name"], None),
        (["model", "reference"], 5),
        (["model", "config"], [1]),
        (["model", "weights_hash"], {}),
        (["text"], 0),
        (["tokenization"], "A"),
        (["vocabulary"], []),
        (["vocabulary", "0"], 5),
        (["labels"], []),
        (["labels"], {"feature": "abc"}),
        (["labels"], {"feature": ["a", 5]}),
        (["tokens"], ["A", "C"]),
        (["tokens"], ["A", "C", "B", 5]),
        (["tokens"], [["A", "C", "B", "C"]]),
        (["tokens"], "ACBC"),
        (["tokens"], []),
        (["given"], ["tokens"]),
        (["given", "tokens"], ["position", "position"]),
        (["given", "tokens"], "a"),
        (["given", "seal"], ["position"]),
        (["steps"], {}),
        (["steps", 0], "embed"),
        (["steps", 0, "name"], []),
        (["steps", 1, "name"], "embed.token"),
        (["steps", 0, "op"], ["add"]),
        (["steps", 0, "inputs"], {"tokens": 1}),
        (["steps", 0, "weights", 0], None),
        (["steps", 0, "weights", 0], "embed"),
        (["steps", 0, "axes"], ["a", "a"]),
        (["steps", 0, "axes"], ["a", 5]),
        (["steps", 0, "settings"], []),
        (["heads"], 1.5),
        (["heads"], True),
        (["heads"], 0),
        (["heads"], 10**30),
        (["epsilon"], True),
        (["epsilon"], 10**400),
        (["weights"], []),
        (["weights", "ln_f.gain", "axes"], []),
        (["weights", "ln_f.gain", "shape"], [13]),
        (["weights", "ln_f.gain", "dtype"], "float64"),
        (["weights", "embed.token.weight", "axes"], ["a", "a"]),
    ],
    ids=str,
)
def test_open_refuses_what_no_trace_says(saved_trace, place, value):
    path = saved_trace
    note = note_of(path)
    if place[0] in {"heads", "epsilon"}:
        place = ["steps", next(i for i, s in enumerate(note["steps"]) if place[0] in s["settings"]), "settings", *place]
    inside = note
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    resealed(path, json.dumps(note))
    with pytest.raises(TraceFileError) as caught:
        llmtrace.open(path)
    assert str(caught.value).isprintable()


def test_no_memory_is_taken_for_a_size_that_only_the_file_names(tmp_path):
    path, trace = tmp_path / "a.trace", Trace({}, ["A", "B"])
    with Run({}, trace) as run:
        ids = run.leaf("ids", np.array([2, 0]), ("position",))
        dout = run.leaf("dout", np.ones((2, 1 << 10), np.float32), ("position", "feature"))
        run.do("d", embedding_gradient, (ids, dout, None), {"rows": 3}, ("vocabulary", "feature"))
    trace.save(path)
    assert verify(llmtrace.open(path)) == 3 << 10
    note = note_of(path)
    note["steps"][0]["settings"]["rows"] = (1 << 31) - 1  # 8 TiB
    resealed(path, json.dumps(note))
    with pytest.raises(ReplayError, match=r"of shape \(3, 1024\), but its inputs give .* \(2147483647, 1024\)"):
        verify(llmtrace.open(path))


def test_a_row_is_not_multiplied_by_a_single_number(tmp_path):
    path = tmp_path / "a.trace"
    weights = by_name([Weight("sum.weight", np.ones((3, 1), np.float32), ("input", "output"))])
    trace = Trace(weights, [])
    with Run(weights, trace) as run:
        run("sum", linear, run.leaf("x", np.ones(3, np.float32), ("input",)))
    trace.save(path, with_weights=True)
    assert llmtrace.open(path).explain("sum", 0).replay() == 3
    note = note_of(path)
    note["steps"][0]["settings"]["transposed"] = True
    resealed(path, json.dumps(note))
    with pytest.raises(ReplayError, match="rows of 3 and 1 numbers"):
        llmtrace.open(path).explain("sum", 0)


def places(value, *way):
    """The way to every value in it."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*way, key)
        if isinstance(inner, dict | list):
            yield from places(inner, *way, key)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    path = tmp_path_factory.mktemp("honest") / "a.trace"
    small_gpt(blocks=1).trace([0, 2, 1]).save(path, with_weights=True)
    return lambda: (path, note_of(path))  # a function, since Hypothesis prints what it is given


KINDS = [None, True, 0, 1, -1, 2**40, 10**400, 0.5, -1.5, 1e308, "", "a", "tokens", "embed", [], ["a"], [[]], [0], {}]
KINDS += [{"a": 1}, {"a": []}]
DROP = object()


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from([DROP, *KINDS])), min_size=1, max_size=3))
def test_no_note_makes_anything_else_than_an_error_of_ours(changes, honest, tmp_path):
    path, note = honest()
    for number, value in changes:
        tops = list(note)
        if not tops:
            continue
        top = tops[number % len(tops)]  # else nearly all places would be in the steps
        ways = [(top,), *places({top: note[top]})] if isinstance(note[top], dict | list) else [(top,)]
        *way, last = ways[number // len(tops) % len(ways)]
        inside = note
        for key in way:
            inside = inside[key]
        if value is DROP:
            del inside[last]
        else:
            inside[last] = copy.deepcopy(value)
    resealed(path, json.dumps(note), tmp_path / "b.trace")
    with contextlib.suppress(LlmtraceError):
        read_all(llmtrace.open(tmp_path / "b.trace"))


def read_all(trace):
    """Everything in it, as far as it can be read."""
    for name in trace.names():
        with contextlib.suppress(LlmtraceError):
            trace.tensor(name)
    with contextlib.suppress(LlmtraceError):
        verify(trace)
