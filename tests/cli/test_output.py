"""`-o FILE`: every view of every command in every medium that files hold."""

import json
import re
import shlex
import xml.etree.ElementTree as ET

import pytest
from helpers.cli_run import run, said
from helpers.fresh import quick, some
from helpers.small_models import write_folder

from llmtrace.cli import COMMANDS
from llmtrace.render import endings

pytestmark = pytest.mark.usefixtures("own_state", "computed_once")

VIEWS = [
    "trace CABBC --model {model}",
    "trace CABBC --model {model} --layer 1 --head 1",
    "explain 'logits[-1, 1]' --prompt CAB --model {model} --depth 2",
    "show --prompt CAB --model {model}",
    "show --graph --prompt CAB --model {model}",
    "show block.0.attn.pattern --prompt CAB --model {model}",
    "show block.0.attn.scores --head 1 --prompt CAB --model {model}",
    "show block.0.mlp.up --neuron 1 --prompt CAB --model {model}",
    "show residual --prompt CAB --model {model}",
    "show logits --prompt CAB --model {model}",
    "what-if CAB --off head:0.1 --model {model}",
    "compare CAB CAA --model {model}",
    "compare CAB CABB --model {model}",
    "ledger CAB --model {model}",
    "accuracy CAB --model {model}",
    "surprise CAB --model {model}",
    "tokenize CABBC --model {model}",
    "verify {trace}",
    "generate CAB --model {model} --steps 2",
    "generate CAB --model {model} --steps 2 --explain",
    "doctor",
    "learn",
    "learn perceptron",
    "learn perceptron --inputs",
]
HEATMAPS = [
    "show residual --prompt CAB --model {model}",
    "compare CAB CAA --model {model}",
    "learn leaf-or-flower",
]
"""Of each command with heatmaps, a view that has one."""
OTHERWISE = {"page", "serve", "corpus", "train", "completion", "export", "fetch"}
"""What they write is one thing of its own."""
CAN_FAIL = {".png": "there is no heatmap in this view", ".dot": "there is no graph in this view"}


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    folder = tmp_path_factory.mktemp("output")
    model, trace = str(write_folder(folder / "model")), str(folder / "a.trace")
    said("trace", "CAB", "--model", model, "-o", trace, "--with-weights")
    return {"model": model, "trace": trace}


def written(path, view, things, *more):
    """The content of the file that a view is written to; nothing where the medium can't show it, and says so."""
    arguments = [*shlex.split(view.format(**things)), "-o", str(path), *more]
    done = run(*arguments, code=None) if path.suffix in CAN_FAIL else run(*arguments)
    if path.suffix in CAN_FAIL and done.exit_code:
        assert done.exit_code == 2
        assert CAN_FAIL[path.suffix] in done.output
        assert not path.exists()
        return b""
    assert re.search(rf"written: .*{path.name} \(", done.stdout)
    return path.read_bytes()


def test_all_commands_that_show_something_are_looked_at():
    assert {view.split()[0] for view in VIEWS} == set(COMMANDS) - OTHERWISE


@pytest.mark.parametrize(("turn", "view"), list(enumerate(VIEWS)))
def test_every_view_in_every_file(turn, view, things, tmp_path, monkeypatch):
    """In a quick run, in every second kind of file by turns."""
    monkeypatch.setenv("COLUMNS", "70")
    for ending in sorted(endings())[turn % 2 :: 2] if quick() else endings():
        content = written(tmp_path / f"a{ending}", view, things)
        match ending:
            case ".svg":
                ET.fromstring(content)
                assert not re.search(rb"url\((?!#)|@font-face|@import|<script|<image", content)
            case ".png":
                assert content[:8] in {b"", b"\x89PNG\r\n\x1a\n"}
                assert not content or view.split()[0] in {each.split()[0] for each in HEATMAPS}
            case ".json":
                assert json.loads(content)
            case ".html":
                assert content.lower().startswith(b"<!doctype html>")
                assert b"<script" not in content or view.startswith("learn ")  # a lesson's page has a program
            case ".txt":
                text = content.decode()
                assert all(line.isprintable() and len(line) <= 70 for line in text.splitlines())
            case ".tex":
                assert content.isascii()
                assert content.count(b"\\begin{") == content.count(b"\\end{") > 0
            case ".md":
                assert content.decode().strip()


def test_pictures_of_heatmaps_are_promised_where_there_are_some(things, tmp_path):
    promised = {command for command in COMMANDS if ".png" in said(command, "--help")}
    assert promised == {view.split()[0] for view in HEATMAPS}
    for view in HEATMAPS:
        assert written(tmp_path / "a.png", view, things)


@pytest.mark.parametrize("view", VIEWS[:5])
def test_a_file_of_text_is_what_is_on_the_screen(view, things, tmp_path):
    arguments = shlex.split(view.format(**things))
    for width in some(("40", "100"), 1):
        said(*arguments, "--width", width, "-o", str(tmp_path / "a.txt"))
        assert (tmp_path / "a.txt").read_text().rstrip() == said(*arguments, "--width", width).rstrip()
    said(*arguments, "--ascii", "-o", str(tmp_path / "a.txt"))
    assert (tmp_path / "a.txt").read_text().isascii()


def test_the_same_bytes_whatever_the_environment_says(things, tmp_path, monkeypatch):
    view = "show block.0.attn.pattern --prompt CAB --model {model}"
    first = written(tmp_path / "a.svg", view, things, "--width", "60")
    for name, value in {"NO_COLOR": "1", "FORCE_COLOR": "1", "COLUMNS": "99", "TERM": "dumb", "LANG": "C"}.items():
        monkeypatch.setenv(name, value)
        assert written(tmp_path / "b.SVG", view, things, "--width", "60") == first
    assert first.count(b"<rect") > 9  # of many shades
    assert len(set(re.findall(rb'<rect fill="(#\w+)"', first))) > 3


@pytest.mark.parametrize("name", ["a.foo", "king", "a.trace.gz", ".svg", "a.trace"])
def test_other_endings_are_refused_with_the_list(name, things, tmp_path):
    for view in ("show --prompt CAB --model {model}", "trace CAB --model {model}"):
        if (name, view.split()[0]) == ("a.trace", "trace"):
            continue
        done = run(*shlex.split(view.format(**things)), "-o", str(tmp_path / name), code=2)
        assert ".dot, .html, .json, .md, .png, .svg, .tex" in done.output
        assert (".trace" in done.output.partition("written:")[2]) == (view.split()[0] == "trace")
        assert not list(tmp_path.glob("*.*"))


def test_many_numbers_are_counted_with_commas(tmp_path):
    file = str(tmp_path / "a.trace")
    said("trace", "the king has a girl", "--model", "tiny", "-o", file)
    assert re.fullmatch(r"✓ all \d{1,3},\d{3} numbers follow from their inputs, bit for bit\n", said("verify", file))


@pytest.mark.parametrize("name", ["-", "a.txt", "a", "a.html.gz"])
def test_a_page_is_no_other_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert f"'{name}' must end in .html" in said("page", "the king", "--model", "tiny", "-o", name, code=2)
    assert not list(tmp_path.iterdir())


def test_what_can_t_be_asked_for_together(things, tmp_path):
    model = things["model"]
    assert "not both" in said("ledger", "CAB", "--model", model, "--json", "-o", str(tmp_path / "a.svg"), code=2)
    exact = ("explain", "logits[-1, 1]", "--prompt", "CAB", "--model", model, "--exact", "-o")
    assert ".txt" in said(*exact, str(tmp_path / "a.svg"), code=2)
    said(*exact, str(tmp_path / "a.txt"))
    assert "total" in (tmp_path / "a.txt").read_text()
    assert "can't be written" in said("doctor", "-o", str(tmp_path / "nowhere" / "a.svg"), code=2)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "b.md").write_text("old")
    (tmp_path / "a.md").symlink_to("b.md")
    said("tokenize", "The king", "-o", str(tmp_path / "a.md"))
    assert (tmp_path / "a.md").is_symlink()
    assert "king" in (tmp_path / "b.md").read_text() or "ing" in (tmp_path / "b.md").read_text()
