"""`llmtrace ledger`: its entries add up."""

import json
from fractions import Fraction

import pytest
from helpers.cli_run import said

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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["xyzzy"], "is no token of this model"),
        (["logits[99, 0]"], "outside"),
        ([" her", "--against", "zzzz"], "is no token"),
    ],
)
def test_what_has_no_account_is_said_in_a_line(arguments, message):
    assert message in said("ledger", P, *arguments, code=2)
