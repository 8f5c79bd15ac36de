"""Trace files: what is saved comes back, damage is named, and saving is all or nothing."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers.forging import forged
from helpers.fresh import quick
from helpers.small_models import small_gpt

import llmtrace
from llmtrace.arithmetic.bits import same_bits
from llmtrace.errors import LlmtraceError, ModelError, TraceFileError
from llmtrace.explain.verify import verify, verify_sample
from llmtrace.models import Feedforward
from llmtrace.render import render
from llmtrace.storage import write_whole
from llmtrace.tokenizers.json_format.write import write_json
from llmtrace.trace import Trace, codec, container
from llmtrace.weights.families import legends


@pytest.fixture(scope="module")
def model():
    return small_gpt()


@pytest.fixture
def saved_trace(model, tmp_path):
    trace = model.trace([0, 2, 1, 2])
    trace.save(tmp_path / "a.trace", with_weights=True)
    return trace, tmp_path / "a.trace"


def reopen(path, model=None):
    return codec.read(path, lambda origin: model.weights, legends())


def test_everything_comes_back(saved_trace):
    trace, path = saved_trace
    again = llmtrace.open(path)
    assert [s.record for s in again.steps] == [s.record for s in trace.steps]
    assert again.leaves == trace.leaves
    assert again.tokens == trace.tokens
    assert again.origin == trace.origin
    for name in [*trace.leaves, *trace]:
        assert same_bits(again.tensor(name), trace.tensor(name))
        assert not again.tensor(name).flags.writeable
    assert again.nbytes() == trace.nbytes()
    assert again.explain("logits", -1, 0, depth=3).to_dict() == trace.explain("logits", -1, 0, depth=3).to_dict()
    assert verify(again) == sum(np.prod(trace.shape(name), dtype=int) for name in trace)
    assert verify_sample(again, 50) == 50


def test_an_opened_trace_can_be_saved_again(saved_trace, tmp_path):
    _, path = saved_trace
    llmtrace.open(path).save(tmp_path / "b.trace", with_weights=True)
    assert (tmp_path / "b.trace").read_bytes() == path.read_bytes()


def test_labels_come_back(tmp_path):
    names = {"input": ["red", "绿", "“”\n"], "output": ["leaf", "flower"]}
    net = Feedforward.of([[0.5, 1, 1.5], [2, -1, 1]], labels=names)
    trace = net.trace([1.0, 2.0, 3.0])
    trace.save(tmp_path / "net.trace", with_weights=True)
    again = llmtrace.open(tmp_path / "net.trace")
    assert again.labels == trace.labels == names
    shown = [render(each.explain(list(each)[-1], 1), "plain") for each in (trace, again)]
    assert shown[0] == shown[1]
    assert "flower" in shown[0]
    assert [again.label("output", 1), again.label("output", 2)] == ["flower", None]


def test_weights_by_reference(model, tmp_path):
    trace = model.trace([0, 2, 1])
    trace.save(tmp_path / "a.trace")
    again = reopen(tmp_path / "a.trace", model)
    assert verify(again)
    other = small_gpt(seed=1)
    with pytest.raises(TraceFileError, match="other weights"):
        verify(reopen(tmp_path / "a.trace", other))


def test_one_number_of_a_large_tensor_reads_little(model, tmp_path, monkeypatch):
    monkeypatch.setattr(container, "PIECE", 64)
    trace = model.trace([0, 2, 1])
    trace.save(tmp_path / "a.trace")
    again = reopen(tmp_path / "a.trace", model)
    hashed = []
    real = hashlib.sha256
    monkeypatch.setattr(container.hashlib, "sha256", lambda data: hashed.append(len(data)) or real(data))
    assert same_bits(again.elements("block.0.mlp.up", (2, 5)), np.array(trace.tensor("block.0.mlp.up")[2, 5]))
    assert hashed == [64]


PIECE = container.PIECE
LARGE = 3 * PIECE // 4 + 5000
"""So many float32 lie in three whole pieces and a part of a fourth."""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file whose one tensor has several pieces, and where its numbers begin."""
    path = tmp_path_factory.mktemp("large") / "large.trace"
    container.write(path, {"x": np.arange(LARGE, dtype=np.float32)}, {})
    content = path.read_bytes()
    return content, 8 + int.from_bytes(content[:8], "little")


@pytest.mark.parametrize("piece", range(4))
def test_a_flipped_byte_is_seen_in_whichever_piece_it_lies(large, tmp_path, piece):
    content, begin = large
    for within in (0, 12_345, 19_999):
        bad, place = bytearray(content), begin + piece * PIECE + within
        bad[place] ^= 1
        (tmp_path / "bad.trace").write_bytes(bad)
        with pytest.raises(TraceFileError, match="the numbers of x are not the ones"):
            container.TraceFile(tmp_path / "bad.trace").array("x")
        # Numbers of other pieces are right, and can be read; a row that crosses into this one can't.
        file, count, first = container.TraceFile(tmp_path / "bad.trace"), PIECE // 4, piece * PIECE // 4
        for others in range(4):
            if others != piece:
                row = np.arange(min(count, LARGE - others * count)) + others * count
                assert same_bits(file.elements("x", (row,)), row.astype(np.float32))
        for row in ([first], [first + 4000], np.arange(max(0, first - 1), first + 2), [0, first + 1, LARGE - 1]):
            again = container.TraceFile(tmp_path / "bad.trace")
            with pytest.raises(TraceFileError, match="damaged"):
                again.elements("x", (np.array(row),))
            with pytest.raises(TraceFileError, match="damaged"):  # and not because it was asked for before
                again.elements("x", (np.array(row),))


def caught(path):
    """Whether a changed file is refused when opened, or named by verify."""
    try:
        verify(llmtrace.open(path))
    except LlmtraceError as error:
        return "\n" not in str(error)
    return False


def test_every_truncation_is_caught(saved_trace, tmp_path):
    content = saved_trace[1].read_bytes()
    path = tmp_path / "cut.trace"
    ends = [*range(0, 200), *range(200, len(content), 997), *range(len(content) - 100, len(content))]
    for end in ends:
        path.write_bytes(content[:end])
        assert caught(path), end


@pytest.mark.parametrize("end", [3, 8, 100, -200, -1])
def test_of_a_trace_that_is_cut_off_is_said_how_it_is_written_again(saved_trace, tmp_path, end):
    path = tmp_path / "cut.trace"
    path.write_bytes(saved_trace[1].read_bytes()[:end])
    with pytest.raises(
        TraceFileError, match=r"is cut off: .*; write the trace again: llmtrace trace TEXT -o FILE.trace$"
    ):
        llmtrace.open(path)


def test_a_page_is_no_trace(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<!doctype html>\n<title>a page</title>")
    with pytest.raises(TraceFileError, match="is a web page, not the file that it should be; write the trace again: "):
        llmtrace.open(path)


def test_every_single_byte_change_is_caught(saved_trace, tmp_path):
    content = saved_trace[1].read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    path = tmp_path / "changed.trace"
    places = [*range(0, 64), *range(64, header, 61), *range(header - 8, header + 8), *range(header, len(content), 499)]
    for number, place in enumerate([*places, *range(len(content) - 32, len(content))]):
        for flip in ((0x01, 0x80)[number % 2],) if quick() else (0x01, 0x80):
            path.write_bytes(content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :])
            assert caught(path), (place, flip)


@pytest.mark.parametrize("what", ["epsilon", "op", "input", "weight", "axes", "id"])
def test_verify_or_open_refuses_a_forgery(saved_trace, what):
    _, path = saved_trace

    def change(arrays, content):
        step = next(s for s in content["steps"] if s["name"] == "block.1.ln_1")
        if what == "epsilon":
            step["settings"]["epsilon"] = 0.5
        elif what == "op":
            step["op"] = "softmix"
        elif what == "input":
            step["inputs"] = ["block.9.residual_out"]
        elif what == "weight":
            step["weights"] = ["ln_f.gain", "nothing"]
        elif what == "axes":
            del step["axes"]
        else:
            arrays["tokens"][1] ^= 1

    forged(path, change)
    assert caught(path)


def test_a_safetensors_file_that_is_no_trace(tmp_path):
    from llmtrace.storage import save

    save({"x": np.zeros(3, np.float32)}, tmp_path / "x.safetensors")
    with pytest.raises(TraceFileError, match="not a trace"):
        llmtrace.open(tmp_path / "x.safetensors")
    with pytest.raises(LlmtraceError, match="missing"):
        llmtrace.open(tmp_path / "missing")


def test_another_version_is_refused(saved_trace, monkeypatch):
    _, path = saved_trace
    monkeypatch.setattr(container, "VERSION", 1)
    with pytest.raises(TraceFileError, match="version 2 of the trace format; this llmtrace reads versions up to 1"):
        llmtrace.open(path)


def test_a_failure_while_writing_leaves_nothing(saved_trace, monkeypatch):
    trace, path = saved_trace
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TraceFileError, match="No space left on device"):
        trace.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["a.trace"]


def test_every_writer_replaces_whole_or_leaves_nothing(saved_trace, tmp_path, monkeypatch):
    from llmtrace.cli.state import remember

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    remember("A", None)
    note = tmp_path / "state" / "llmtrace" / "last.json"
    assert note.stat().st_mode & 0o777 == 0o600
    assert write_json({"a": 1}, tmp_path / "t").read_text() == '{\n  "a": 1\n}\n'
    mask = os.umask(0o027)
    try:
        saved_trace[0].save(tmp_path / "b.trace")
    finally:
        os.umask(mask)
    assert (tmp_path / "b.trace").stat().st_mode & 0o777 == 0o640

    def broken(*_):
        raise OSError(28, "No space left on device")

    with pytest.raises(ModelError, match="can't be written"):
        write_json({"a": "\ud800"}, tmp_path / "t")
    with pytest.raises(ModelError, match="can't be written"):
        write_json({}, tmp_path / "b.trace")
    monkeypatch.setattr(os, "replace", broken)
    remember("B", None)
    with pytest.raises(ModelError, match="No space left on device"):
        write_json({}, tmp_path / "t")
    with pytest.raises(TraceFileError, match="No space left on device"):
        saved_trace[0].save(tmp_path / "b.trace")
    assert json.loads(note.read_text())["prompt"] == "A"
    found = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert found == ["a.trace", "b.trace", "state/llmtrace/last.json", "t/tokenizer.json"]


def test_an_interrupted_writer_leaves_nothing(tmp_path):
    def parts():
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", parts())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["a\0b", "", "..", "x/a", "\ud800"])
def test_a_name_that_no_file_can_have(saved_trace, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TraceFileError, match="can't be written"):
        saved_trace[0].save(name)
    assert os.listdir(tmp_path) == ["a.trace"]


def test_the_longest_names_can_be_written(tmp_path):
    for name in ("a" * 255, "漢" * 85, "[*]"):
        write_whole(tmp_path / name, [b"x"])
        assert (tmp_path / name).read_bytes() == b"x"
    assert len(os.listdir(tmp_path)) == 3


def test_leftovers_of_the_dead_are_removed_and_others_kept(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = [f".a.{os.getppid()}.00.part", f".b.{dead.pid}.00.part", ".a.x.00.part", f".a.{dead.pid}.00.text"]
    for name in [*mine, f".a.{dead.pid}.00.part"]:
        (tmp_path / name).touch()
    (tmp_path / f".a.{dead.pid}.01.part").mkdir()
    write_whole(tmp_path / "a", [b"x"])
    assert sorted(os.listdir(tmp_path)) == sorted(["a", *mine])


KILLED = """  # a process for each kill, of one that has imported everything
import os
from pathlib import Path
from helpers.forging import forged
from helpers.fresh import quick
from helpers.small_models import small_gpt
trace = small_gpt().trace([0, 2, 1, 2])
saver = os.getpid()
for _moment in range({moments}):
    child = os.fork()
    if not child:
        print(os.getpid(), flush=True)
        while os.getppid() == saver:
            trace.save(Path({path!r}), with_weights=True)
    os.waitpid(child, 0)
"""


def test_a_kill_while_saving_loses_no_finished_trace(saved_trace):
    trace, path = saved_trace
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", KILLED.format(path=str(path), moments=6)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        try:
            for moment in range(6):
                saving = int(process.stdout.readline())
                time.sleep(0.003 * moment + 0.001)
                os.kill(saving, signal.SIGKILL)
                assert verify(llmtrace.open(path))
            assert process.wait() == 0
        finally:
            process.kill()
    trace.save(path, with_weights=True)
    assert os.listdir(path.parent) == ["a.trace"]


def test_the_header_is_what_the_page_says(saved_trace):
    _, path = saved_trace
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert (8 + length) % 64 == 0
    header = json.loads(content[8 : 8 + length])
    note = json.loads(header["__metadata__"]["llmtrace"])
    page = (container.Path(__file__).parents[2] / "docs" / "trace-file.md").read_text()
    assert {key for key in note if f"| `{key}` |" not in page} == set()
    assert content[-32:] == hashlib.sha256(content[: 8 + length]).digest()


def test_every_nan_of_a_file_is_the_same(tmp_path):
    trace, odd = Trace({}), np.array([0x7FC12345, 0xFFC00000], np.uint32).view(np.float32)
    trace.add_leaf("x", odd, ("entry",))
    trace.save(tmp_path / "nan.trace")
    assert llmtrace.open(tmp_path / "nan.trace").tensor("x").tobytes() == np.full(2, np.nan, np.float32).tobytes()
