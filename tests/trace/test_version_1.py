"""Traces that version 1 of the format wrote (llmtrace 0.1.0, every op it had) open, verify, are explained and shown as ever.

They can't be made again: the program that wrote them called ops otherwise, and computed the loss in another order.
"""

import lzma
from pathlib import Path

import numpy as np
import pytest
from helpers.fresh import quick
from helpers.printing import printed

import llmtrace
from llmtrace.arithmetic.bits import same_bits
from llmtrace.errors import TraceFileError
from llmtrace.explain.verify import verify
from llmtrace.ops import OPS
from llmtrace.trace import container
from llmtrace.trace.container import TraceFile
from llmtrace.trace.version_1 import RENAMED, SETTINGS

FILES = sorted((Path(__file__).parents[1] / "data" / "version_1").glob("*.xz"))
WITHOUT_WORDS = {"leaf-or-flower", "net", "rest"}
"""Those of no model: not everything in them has a sentence."""
COUNT = 70
"""How many ops version 1 had."""


def unpacked(packed, folder):
    path = folder / packed.name.removesuffix(".xz")
    path.write_bytes(lzma.decompress(packed.read_bytes()))
    return path


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.name.removesuffix(".trace.xz"))
def path(request, tmp_path_factory):
    return unpacked(request.param, tmp_path_factory.mktemp("version_1"))


def shown_steps(trace):
    """The steps that are looked at: all of them, or the last of each op in a quick run."""
    return list({step.op: step for step in trace.steps}.values()) if quick() else list(trace.steps)


def test_it_verifies(path):
    assert TraceFile(path).content["version"] == 1
    trace = llmtrace.open(path)
    assert verify(trace) == sum(np.prod(trace.shape(name), dtype=int) for name in trace) > 0


def test_a_number_of_every_step_is_explained_in_words_and_replays(path):
    trace, rng = llmtrace.open(path), np.random.default_rng(1)
    looked_at = {*trace.leaves, *(step.name for step in shown_steps(trace))}
    for name in [*trace.leaves, *trace]:
        place = tuple(int(rng.integers(size)) for size in trace.shape(name))
        explanation = trace.explain(name, *place)
        assert same_bits(np.asarray(explanation.replay()), np.asarray(trace.tensor(name)[place]))
        assert len(explanation.sentence.split()) >= 3 or path.stem in WITHOUT_WORDS, (name, explanation.sentence)
        assert name not in looked_at or len(printed(explanation).splitlines()) >= 2


def test_every_step_is_shown(path):
    trace = llmtrace.open(path)
    if trace.tokens:
        assert len(printed(trace).splitlines()) > len(trace)
    for step in shown_steps(trace):
        assert step.op in printed(step) or step.name in printed(step)


def test_saved_again_it_is_of_today(path, tmp_path):
    trace = llmtrace.open(path)
    trace.save(tmp_path / "again.trace", with_weights=True)
    content = TraceFile(tmp_path / "again.trace").content
    assert content["version"] == container.VERSION
    assert {step["op"] for step in content["steps"]} <= set(OPS)
    again = llmtrace.open(tmp_path / "again.trace")
    assert verify(again) == verify(trace)
    assert [step.record for step in again.steps] == [step.record for step in trace.steps]


def test_every_op_of_version_1_is_among_them(tmp_path):
    contents = [TraceFile(unpacked(packed, tmp_path)).content for packed in FILES]
    seen = {step["op"]: step["settings"] for content in contents for step in content["steps"]}
    assert len(seen) == COUNT
    assert {RENAMED.get(op, op) for op in seen} <= set(OPS)
    assert set(RENAMED) <= set(seen)
    for op, renamed in SETTINGS.items():
        assert set(renamed) <= set(seen[op])


@pytest.mark.parametrize("op", ["sum_all", "cross_entropy_v1", "untold"])
def test_a_name_that_version_1_did_not_know_is_refused(tmp_path, monkeypatch, op):
    path = unpacked(next(path for path in FILES if path.name.startswith("adam")), tmp_path)
    file = TraceFile(path)
    arrays = {name: np.array(file.array(name)) for name in file.names()}
    content = {key: value for key, value in file.content.items() if key not in {"sha256", "version"}}
    content["steps"] = [{**step, "op": op} if step["name"] == "losses" else step for step in content["steps"]]
    monkeypatch.setattr(container, "VERSION", 1)
    container.write(path, arrays, content)
    monkeypatch.undo()
    with pytest.raises(TraceFileError, match=f"there is no op '{op}'"):
        llmtrace.open(path)


def test_the_loss_of_version_1_keeps_its_bits_and_differs_from_todays():
    x, target = np.float32([[90.125, 3.7, 89.9]]), np.array([2])
    old, new = (OPS[name].forward(x, target) for name in ("cross_entropy_v1", "cross_entropy"))
    true = np.log(np.exp(x.astype(float) - x.max()).sum()) + x.max() - float(x[0, 2])
    assert abs(new[0] - true) < 1e-7 < abs(old[0] - true)
