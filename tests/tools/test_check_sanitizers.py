"""What the sanitizer run says of a run of pytest: nothing that failed is passed over, and slow tests are told from findings."""

import itertools
from pathlib import Path

import check_sanitizers
import pytest

ROOT = Path(check_sanitizers.ROOT)
OUTPUT = """..F.F
FAILED tests/a/test_b.py::test_c - Failed: Timeout (>600.0s) from pytest-timeout.
FAILED tests/a/test_b.py::test_d[1] - AssertionError: zeros: 3.21 s
FAILED tests/a/test_b.py::test_e - AssertionError: zeros: 93 MB
ERROR tests/a/test_f.py - ModuleNotFoundError: No module named 'gguf'
3 failed, 1,477 passed, 31 skipped, 1 error in 92.57s (0:01:32)
"""


def test_slow_tests_are_told_from_failed_ones():
    outcome = check_sanitizers.understood(OUTPUT.replace("1,477", "1477"))
    assert [line.split()[1] for line in outcome.slow] == ["tests/a/test_b.py::test_c", "tests/a/test_b.py::test_d[1]"]
    assert [line.split()[1] for line in outcome.failed] == ["tests/a/test_b.py::test_e", "tests/a/test_f.py"]
    assert (outcome.passed, outcome.skipped) == (1477, 31)


def test_findings_of_every_process_are_read_once(tmp_path):
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "by.12").write_text(
        "==12==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1\n  at pack\n"
    )
    (tmp_path / "found" / "by.13").write_text("a.c:3:4: runtime error: signed integer overflow: 1 + 2\n")
    (tmp_path / "found" / "by.14").write_text("unheard of")
    first, second, third = check_sanitizers.found(tmp_path)
    assert "heap-buffer-overflow" in first
    assert "signed integer overflow" in second
    assert third == "unheard of"
    assert check_sanitizers.found(tmp_path) == []


def test_the_outcomes_of_groups_are_added():
    whole = check_sanitizers.Outcome(["a"], ["b"], [], 3, 1, 60)
    whole.add(check_sanitizers.Outcome(["c"], [], ["d"], 4, 0, 30))
    assert whole == check_sanitizers.Outcome(["a", "c"], ["b"], ["d"], 7, 1, 90)
    assert str(whole).split() == [
        "7",
        "passed",
        "1",
        "skipped",
        "2",
        "findings",
        "1",
        "failed",
        "1",
        "too",
        "slow",
        "1.5",
        "min",
    ]


@pytest.mark.parametrize("path", [*itertools.chain(*check_sanitizers.GROUPS.values()), *check_sanitizers.OTHER_BUILDS])
def test_its_tests_are_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", check_sanitizers.BOUNDS_OF_MEMORY)
def test_what_is_left_out_is_there(name):
    path, test = name.split("::")
    assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")
