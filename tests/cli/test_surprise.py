"""`llmtrace surprise`: from a text, a file or standard input; its JSON has what its pages say."""

import json
import math
from pathlib import Path

from helpers.cli_run import run, said

import llmtrace

P = "The king had a child, a girl."


def test_json_has_every_token_with_its_loss_and_where_to_look():
    data = json.loads(said("surprise", P, "--json"))
    assert "".join(row["text"] for row in data["tokens"]) == "The king had a child, a girl.".removeprefix("The")
    assert all(math.isclose(row["loss"], -math.log(row["probability"]), abs_tol=1e-5) for row in data["tokens"])
    assert math.isclose(data["perplexity"], math.exp(data["total"] / len(data["tokens"])), rel_tol=1e-5)


def test_a_file_and_standard_input_are_judged_like_the_text(tmp_path):
    file = tmp_path / "king.txt"
    file.write_text(P)
    whole = said("surprise", P, "--json")
    assert said("surprise", str(file), "--json") == whole
    assert said("surprise", "-", "--json", input=P + "\n") == whole


def test_a_long_text_says_its_windows_and_lists_all_when_asked():
    text = " ".join([P] * 20)
    page = said("surprise", text, "--stride", "50")
    assert "by 3 windows" in page
    assert "the 50 tokens after those" in " ".join(page.split())
    assert "these 40 surprise most, of 199" in page
    assert "these 40" in said("surprise", text[:200])
    assert "these 40" not in said("surprise", text[:200], "--all")


def test_the_trace_that_is_written_explains_the_loss(tmp_path):
    file = tmp_path / "king.trace"
    page = said("surprise", P, "--position", "4", "-o", str(file))
    assert "losses[position=3]" in page
    assert llmtrace.open(file).explain("losses", 3).replay() == llmtrace.load().surprise(P).losses[3]


def test_what_is_no_text_is_not_judged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("trace", P, "-o", "king.trace")
    Path("king.bin").write_bytes(Path("king.trace").read_bytes())
    for name in ("king.trace", "king.bin"):
        assert f"'{name}' is a trace: look at it with llmtrace show" in said("surprise", name, code=2)
    Path("latin.txt").write_bytes("Sch\xf6n".encode("latin-1"))
    assert "latin.txt is not UTF-8: byte 3, counted from 0, is 0xF6" in said("surprise", "latin.txt", code=2)
    assert "standard input is not UTF-8: byte 0" in said("surprise", "-", input=b"\xff\xfe", code=2)
    Path("king").mkdir()
    assert "'king' is a folder, not a text; to run these very letters" in said("surprise", "king", code=2)


def test_what_cannot_be_judged_is_said_in_a_line(tmp_path):
    assert "at least two" in said("surprise", "The", code=2)
    assert "no beginning-of-text token" in said("surprise", P, "--beginning", code=2)
    assert "place from 1 to" in said("surprise", P, "--position", "99", code=2)


def test_a_perplexity_above_the_vocabulary_is_said_to_be_worse_than_a_blind_guess():
    assert "above 768, the number of tokens that the model knows" in " ".join(said("surprise", "zxq vbj qqq").split())
    assert "guessing blindly" not in said("surprise", P)
