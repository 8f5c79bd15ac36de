"""What commands are given to run: a text, ids, or what was traced last."""

import json

import pytest
from helpers.cli_run import run, said
from helpers.small_models import write_folder

from llmtrace import load
from llmtrace.cli.options import read_text
from llmtrace.cli.state import state_file


@pytest.fixture(scope="module")
def without_tokenizer(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("models") / "bare")
    (folder / "tokenizer.json").unlink()
    return str(folder)


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


COMMANDS = (
    ("trace",),
    ("show", "logits"),
    ("explain", "logits[-1, 2]"),
    ("generate", "--steps", "2"),
    ("what-if", "--off", "head:0.1"),
    ("ledger",),
)
GIVEN = {"trace", "generate", "what-if", "ledger"}
"""Those that take the text as an argument; the others look at what was traced last."""


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("written", ["2 0 1", "2,0,1", " 2, 0,1 "])
def test_a_model_without_tokenizer_can_be_asked_for_everything(command, written, without_tokenizer):
    assert said(
        *command, "--ids", written, "--model", without_tokenizer, "--json" if command[0] != "trace" else "--all"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_ids_give_what_the_text_gives(command):
    plain = "generate" if command[0] == "generate" else None
    text = ["Once"] if command[0] in GIVEN else ["--prompt", "Once"]
    ids = " ".join(map(str, load("storyteller").ids("Once")))
    shown = [said(*command, *given, *(["-q"] * bool(plain))) for given in (text, ["--ids", ids])]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_text_for_a_model_without_tokenizer_names_the_way(command, without_tokenizer):
    prompt = ["AB"] if command[0] in GIVEN else ["--prompt", "AB"]
    assert '--ids "17 4"' in said(*command, *prompt, "--model", without_tokenizer, code=2)
    prompt += ["A"] * (command == ("ledger",))  # of two, the second is the score
    assert "a text or --ids, not both" in said(*command, *prompt, "--ids", "1", "--model", without_tokenizer, code=2)


@pytest.mark.parametrize("wrong", ["", " ", "1 a", "1.5", "-1", "²", "9" * 30])
def test_what_is_no_id(wrong):
    assert "is not a row of token ids, such as 17 4 290" in said("trace", "--ids", wrong, code=2)


def test_ids_and_a_score(without_tokenizer):
    assert "vocabulary=1]" in said("ledger", "--ids", "2 0", "1", "--model", without_tokenizer)


def test_a_page_of_ids(without_tokenizer, tmp_path):
    said("page", "--ids", "2 0 1", "--model", without_tokenizer, "-o", str(tmp_path / "page.html"))
    assert (tmp_path / "page.html").read_text().startswith("<!")


def test_neither_text_nor_ids():
    for command in COMMANDS:
        if command[0] in GIVEN - {"what-if"}:
            assert "give a text, or the ids of its tokens with --ids" in said(*command, code=2)
    assert "no prompt was traced yet: give one" in said("what-if", "--off", "head:0.1", code=2)


def test_generation_goes_on_in_numbers_without_a_tokenizer(without_tokenizer):
    words = said("generate", "--ids", "2 0", "--steps", "3", "--model", without_tokenizer).split()
    assert words[:2] == ["2", "0"]
    assert len(words) == 5


@pytest.mark.parametrize("command", [("show",), ("explain", "logits[-1, 2]")])
def test_what_was_run_for_a_look_is_what_was_traced_last(command):
    said("trace", "Once")
    said(*command, "--prompt", "The king")
    assert json.loads(state_file().read_text())["prompt"] == "The king"
    assert "'The king' (traced last)" in said("show", "logits")
    said(*command, "--ids", "4 5")
    assert "prompt: 4 5 (traced last)" in said("show", "logits")


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (("explain", "block.2.attn.scores[0, 0, 0]"), "nothing is named 'block.2.attn.scores'"),
        (("explain", "logits[99, 0]"), "from 0 to"),
        (("show", "block.2.attn.scores"), "nothing is named"),
        (("what-if", "--off", "head:2.0"), "head:2.0"),
        (("what-if", "--set", "logits[99, 0]=1"), "from 0 to"),
    ],
)
def test_an_error_says_which_run_was_traced_last(command, error):
    said("trace", "the king has", "--model", "tiny")
    text = said(*command, code=2)
    assert error in text
    assert "prompt: 'the king has' (traced last, with tiny)" in text


def test_a_text_that_nobody_typed_is_said_to_be_that_of_the_last_run():
    said("trace", "The king")
    text = said("explain", "embed.token[0, 0]", "--model", "tiny", code=2)
    assert "can't write 'The'" in text
    assert "prompt: 'The king' (traced last)\n" in text


def test_a_name_in_the_hubs_cache_is_remembered_as_such(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--an--owner"
    revision = "0123456789abcdef0123456789abcdef01234567"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(revision)
    write_folder(folder / "snapshots" / revision)
    said("trace", "CAB", "--model", "an/owner")
    assert "prompt: 'CAB' (traced last, with owner)" in said("show", "logits")


def test_a_file_is_not_what_was_traced_last(tmp_path):
    said("trace", "Once", "-o", str(tmp_path / "once.trace"))
    said("trace", "The king")
    said("show", str(tmp_path / "once.trace"))
    assert "'The king' (traced last)" in said("show", "logits")
    assert "not both" in run("show", str(tmp_path / "once.trace"), "--ids", "4", code=2).stderr


def test_where_chinese_is_spoken_the_usual_model_is_chinese_and_a_variable_overrides(monkeypatch):
    first = [said("tokenize", "中华人民", "--lang", "zh")]
    first.append(said("tokenize", "中华人民", "--model", "jielong", "--lang", "zh"))
    assert first[0] == first[1]
    refused = said("tokenize", "The", "--lang", "zh", code=2)
    assert "'The'" in refused
    assert "--model storyteller" in refused
    monkeypatch.setenv("LLMTRACE_MODEL", "storyteller")
    assert said("tokenize", "The", "--lang", "zh")
    monkeypatch.setenv("LLMTRACE_MODEL", "nobody")
    for command in (["tokenize", "The"], ["trace", "The"]):
        assert "(LLMTRACE_MODEL names it)" in said(*command, code=2)
    assert said("tokenize", "The", "--model", "storyteller")


@pytest.mark.parametrize("command", [*(c for c in COMMANDS if c[0] in GIVEN), ("tokenize",), ("surprise",)])
@pytest.mark.parametrize("name", ["nofile.trace", "out/king.trace", "my-story.txt", "model.safetensors", "a.b.gguf"])
def test_a_file_is_no_text(command, name, tmp_path, monkeypatch):
    """A name of a file where a text belongs is refused, whether there is the file or not; no file that is named is read."""
    monkeypatch.chdir(tmp_path)
    missing = said(*command, name, code=2)
    assert f"there is no file '{name}'" in missing
    assert "standard input, with -" in missing
    if command == ("surprise",):  # which reads the file that there is
        return
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("Once")
    there = said(*command, name, code=2)
    assert "llmtrace show" in there if name.endswith(".trace") else "- < FILE" in there


@pytest.mark.parametrize("text", ["king.", "The file king.trace", "a.b", ".", "king .txt", "...", "3.14", "\n.txt"])
def test_other_texts_are_texts(text):
    assert read_text(text) == text
