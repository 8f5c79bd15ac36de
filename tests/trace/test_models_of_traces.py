"""A trace without weights names its model: by a way that moves with it; what is said where it is another one, or is not there."""

import json
import shutil

import pytest
from click.testing import CliRunner
from helpers.fresh import quick
from helpers.small_models import write_folder

import llmtrace
from llmtrace.cli import main
from llmtrace.errors import LlmtraceError, ModelError, TraceFileError
from llmtrace.explain.verify import verify
from llmtrace.trace.container import TraceFile


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two models, and a trace that one of them made, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    write_folder(tmp_path / "mygpt")
    write_folder(tmp_path / "other", blocks=1)
    llmtrace.load("mygpt").trace("CAB").save("t.trace")
    return tmp_path


def reference(path):
    return TraceFile(path).content["model"]["reference"]


def run(*line):
    return CliRunner().invoke(main, line)


def said(*line):
    result = run(*line)
    assert result.exit_code == 2, (line, result.output, result.exc_info)
    return result.stderr


# ---- where the model is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "file", "expected"),
    [
        ("mygpt", "t.trace", "./mygpt"),
        ("a/b/mygpt", "t.trace", "./a/b/mygpt"),
        ("a/b/mygpt", "a/t.trace", "./b/mygpt"),
        ("mygpt", "a/t.trace", "../mygpt"),
        ("a/mygpt", "b/t.trace", "../a/mygpt"),
        ("storyteller", "t.trace", "storyteller"),
        ("./storyteller", "t.trace", "./storyteller"),
    ],
)
def test_no_file_says_where_its_writer_keeps_things(folder, model, file, expected):
    (folder / file).parent.mkdir(exist_ok=True, parents=True)
    if model != "storyteller":
        write_folder(folder / model)
    llmtrace.load(model).trace("CAB" if model != "storyteller" else "The").save(file)
    assert reference(folder / file) == expected
    assert str(folder).encode() not in (folder / file).read_bytes()
    assert verify(llmtrace.open(file))


def test_both_can_be_moved_together(folder, monkeypatch):
    (folder / "far" / "away").mkdir(parents=True)
    for name in ("mygpt", "t.trace"):
        shutil.move(folder / name, folder / "far" / "away" / name)
    monkeypatch.chdir("/")
    trace = llmtrace.open(folder / "far" / "away" / "t.trace")
    assert verify(trace)
    trace.save(folder / "far" / "again.trace")  # what was read from a file is again written from where it is written
    assert reference(folder / "far" / "again.trace") == "./away/mygpt"
    assert verify(llmtrace.open(folder / "far" / "again.trace"))


# ---- without it ----------------------------------------------------------------------------------------------------------


def test_what_needs_no_weights_is_shown_without_the_model(folder):
    shutil.rmtree(folder / "mygpt")
    steps = llmtrace.open("t.trace").steps
    names = [step.name for step in ({step.op: step for step in steps}.values() if quick() else steps)]
    for line in [(), ("logits",), ("residual",), *((name,) for name in names)]:
        result = run("show", "t.trace", *line)
        assert result.exit_code == 0, (line, result.output)
        assert json.loads(run("show", "t.trace", *line, "--json").stdout)
    trace = llmtrace.open("t.trace")
    assert trace.shape("block.0.mlp.up.weight") == (12, 48)
    assert trace.dtype("block.0.mlp.up.weight") == "float32"


NEEDY = [("verify", "t.trace"), ("explain", "logits[-1,0]", "--trace", "t.trace")]


@pytest.mark.parametrize("line", NEEDY, ids=lambda line: line[0])
def test_where_the_model_is_gone_the_remedies_are_named(folder, line):
    shutil.move(folder / "mygpt", folder / "moved")
    text = said(*line)
    for part in ("t.trace holds no weights", "'mygpt'", "--model", "--with-weights"):
        assert part in text
    assert str(folder) not in text
    assert run(*line, "--model", "moved").exit_code == 0
    with pytest.raises(TraceFileError, match="is not to be found"):
        verify(llmtrace.open("t.trace"))
    assert verify(llmtrace.open("t.trace", model="moved"))


@pytest.mark.parametrize("line", NEEDY, ids=lambda line: line[0])
def test_of_a_wrong_model_the_one_that_was_asked_for_is_named(folder, line):
    text = said(*line, "--model", "other")
    assert "t.trace was not made by 'other', but by 'mygpt'" in text
    assert "--with-weights" in text
    assert "there is no model 'othr': did you mean 'other'" in said(*line, "--model", "othr")


def test_a_model_that_is_loaded_gives_its_weights_or_is_named(folder):
    own, other = llmtrace.load("mygpt"), llmtrace.load("other")
    shutil.rmtree(folder / "mygpt")
    verify(llmtrace.open("t.trace", model=own))
    with pytest.raises(TraceFileError, match=r"t\.trace was not made by 'other', but by 'mygpt'"):
        verify(llmtrace.open("t.trace", model=other))
    other.name = ""
    with pytest.raises(TraceFileError, match=r"t\.trace was not made by 'GPT', but by 'mygpt'"):
        verify(llmtrace.open("t.trace", model=other))


def test_what_is_no_path_is_refused_in_a_sentence(folder):
    for wrong in (3, 1.5, ["mygpt"]):
        with pytest.raises(ModelError, match="a model is given by its name or its path, not by "):
            llmtrace.open("t.trace", model=wrong)
    for wrong in (None, 0, llmtrace.load("mygpt")):
        with pytest.raises(TraceFileError, match="a trace is opened by the path of its file, not by "):
            llmtrace.open(wrong)
    assert llmtrace.open(b"t.trace", model=b"mygpt").tokens == llmtrace.open("t.trace").tokens


def test_a_model_that_has_changed_since_is_named(folder):
    write_folder(folder / "mygpt", width=24)
    assert "was made by 'mygpt' with other weights than it has now" in said("verify", "t.trace")


# ---- one taken for the other ---------------------------------------------------------------------------------------------


def test_a_trace_is_no_model(folder):
    shutil.copy("t.trace", "named otherwise")
    for name in ("t.trace", "named otherwise", folder / "t.trace"):
        with pytest.raises(ModelError, match=r"is a trace, not a model: open it with llmtrace\.open"):
            llmtrace.load(name)
    assert "is a trace, not a model" in said("trace", "CAB", "--model", "t.trace")


def test_a_model_is_no_trace(folder):
    with pytest.raises(TraceFileError, match=r"is a folder, not a trace file; a model is loaded with llmtrace\.load"):
        llmtrace.open("mygpt")
    with pytest.raises(TraceFileError, match="a safetensors file, but not a trace"):
        llmtrace.open("mygpt/model.safetensors")
    assert "is a folder" in said("verify", "mygpt")
    with pytest.raises(LlmtraceError, match="missing"):
        llmtrace.open("missing.trace")
