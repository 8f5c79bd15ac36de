"""`llmtrace ledger`: its entries add up."""

import json
import re
import shlex
from fractions import Fraction

import pytest
from helpers.cli_run import said
from helpers.printing import as_text

import llmtrace
from llmtrace.experiments.ledger import ledger
from llmtrace.views.ledger import view

P = "The king had a child, a girl, and the old lamp will belong to"


def test_entries_in_json_add_up_exactly():
    for arguments in ([], [" her", "--against", " him"], ["logits[3, 5]", "--neurons", "--sources"]):
        data = json.loads(said("ledger", P, *arguments, "--json"))
        amounts = [Fraction(int(e["numerator"]), int(e["denominator"])) for e in data["entries"]]
        total = Fraction(int(data["total"]["numerator"]), int(data["total"]["denominator"]))
        assert sum(amounts) == total
        assert data["balances"]


def test_the_head_that_looks_at_the_girl_is_seen():
    lines = said("ledger", P, " her", "--against", " him", env={"COLUMNS": "80"}).splitlines()
    heads = [line for line in lines if "head" in line and "block" in line]
    assert heads[0].split("  ")[1].strip() == "block 2: head 2"
    assert any(line.startswith("✓ it balances") for line in lines)
    assert "' her'" in lines[-2]


def test_the_scores_are_called_by_their_tokens():
    one, two = (" ".join(said("ledger", P, " her", *more).split()) for more in ([], ["--against", " his"]))
    scores = llmtrace.load().trace(P).tensor("logits")[16].astype("float64")
    assert f"The score of ' her' after ' to', logits[position=16, vocabulary=288], is {scores[288]:.7f}" in one
    assert "all entries add up to the score that the model computed" in one
    assert f"The score of ' her' minus the score of ' his', after ' to', is {scores[288] - scores[325]:.7f}" in two
    assert "all entries add up to the difference of the two scores" in two


def test_what_the_account_does_not_say_is_pointed_to():
    one, two = (" ".join(said("ledger", P, " her", *more).split()) for more in ([], ["--against", " his"]))
    for text in (one, two):
        assert "A part counts through later parts, too; this shows it: llmtrace what-if --off head:2.2" in text
    assert "Why not another token? --against TOKEN" in one
    assert "Why not" not in two
    same = " ".join(said("ledger", P, " her", "--against", " her").split())
    assert "what-if" not in same  # where no part adds anything, none is named


def test_what_is_pointed_to_runs_as_it_stands(tmp_path):
    state = {"XDG_STATE_HOME": str(tmp_path), "COLUMNS": "200"}
    text = said("ledger", "the king has", "--model", "tiny", env=state)
    suggested = shlex.split(re.search(r"this shows it: (llmtrace .*)", text)[1])
    shown = said(*suggested[1:], env=state)
    assert shown.startswith("prompt: 'the king has' (traced last, with tiny)\n")
    assert f"{suggested[-1]} becomes 0" in shown


def test_in_python_it_is_pointed_to_in_python():
    trace = llmtrace.load().trace(P)
    text = as_text(view(ledger(trace, 16, 288), trace))
    assert 'what_if(trace, {"head:2.2": 0})' in text
    assert "account.less(other)" in text
    assert "--" not in text


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (["her"], "Note: this is 'her'; there is also ' her'"),
        (['logits[-1, "her"]'], "Note: this is 'her'; there is also ' her'"),
        ([" him", "--against", "her"], "Note: this is 'her'; there is also ' her'"),
        ([" him"], ""),
        (["logits[-1, 5]"], ""),
        ([], ""),
    ],
)
def test_another_token_with_the_same_letters_is_named(arguments, note):
    text = said("ledger", P, *arguments)
    assert note in text
    assert bool(note) == ("Note" in text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["xyzzy"], "is no token of this model"),
        (["logits[99, 0]"], "outside"),
        ([" her", "--against", "zzzz"], "is no token"),
        ([" her", "--against", "his"], "did you mean ' his', ' His'?"),
        (["boy"], "did you mean ' boy'?"),
    ],
)
def test_what_has_no_account_is_said_in_a_line(arguments, message):
    assert message in said("ledger", P, *arguments, code=2)
