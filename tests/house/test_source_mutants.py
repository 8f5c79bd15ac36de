"""Planted errors of the sources: what each changes is really there, and its test too (`tools/check_mutants.py` plants them)."""

import ast
from pathlib import Path

import check_mutants
import pytest

ROOT = Path(__file__).parents[2]
MUTANTS = check_mutants.mutants()


@pytest.mark.parametrize("area", sorted({mutant.area for mutant in MUTANTS}))
def test_an_error_can_be_planted(area):
    for mutant in MUTANTS:
        if mutant.area == area:
            expect_a_place(mutant)


def expect_a_place(mutant):
    before = (ROOT / mutant.file).read_text(encoding="utf-8")
    after = mutant.planted(before)
    assert after != before, mutant.name
    if mutant.file.endswith(".py"):
        ast.parse(after)
    assert mutant.tests, mutant.name
    for test in mutant.tests:
        file, _, name = test.partition("::")
        path = ROOT / file
        assert (path.is_dir() and not name) or f"def {name.partition('[')[0]}" in path.read_text(encoding="utf-8"), test


def test_no_error_is_planted_twice():
    assert len({(m.file, m.old, m.new) for m in MUTANTS}) == len({m.name for m in MUTANTS}) == len(MUTANTS)


def test_an_error_without_a_place_is_said():
    with pytest.raises(ValueError, match="stands 0 times"):
        MUTANTS[0].planted("")
