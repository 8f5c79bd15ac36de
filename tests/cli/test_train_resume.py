"""`llmtrace train --resume` where a training is at work already, and where one has come to its end."""

import json

import pytest
from helpers.train_command import TEXT, TINY, process, refused, train


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder with a book in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text(TEXT)
    return tmp_path


def test_two_trainings_in_one_folder(place):
    line = f"book.txt -o m {TINY} --steps 100000"
    with process(line) as first:
        first.stdout.readline()
        for second in (line, "-o m --resume", "-o m --resume --trace-step s.trace"):
            assert refused(second) == (
                "Error: another training is at work in m: wait until it ends, or give another folder\n"
            )
        first.kill()
    assert train("-o m --resume --trace-step s.trace").exit_code == 0


def test_a_finished_training_goes_on(place):
    train(f"book.txt -o m {TINY} --characters --steps 3")
    assert "All 3 steps are done already" in train("-o m --resume --steps 3").stdout
    assert "give a larger number" in refused("-o m --resume --steps 2")
    assert "no token for 'Ω'" in refused("-o m --resume --steps 4 --sample Ω")  # and then nothing has changed
    assert "step 5 of 5" in train("-o m --resume --steps 5").stdout
    plan = json.loads((place / "m/training/plan.json").read_text())
    assert (plan["settings"]["steps"], plan["earlier"]) == (5, [3])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("plan.json", "[" * 100_000, "there is no training to go on with in m: "),
        ("log.jsonl", "edited}", "m/training/log.jsonl can't be read: "),
        ("log.jsonl", "{}", "m/training/log.jsonl can't be read: "),
        ("lock", None, "m/training/lock can't be written: Is a directory"),
    ],
)
def test_files_that_are_not_as_they_were_written(place, name, content, message):
    train(f"book.txt -o m {TINY} --steps 1")
    path = place / "m/training" / name
    path.unlink()
    path.mkdir() if content is None else path.write_text(content)
    assert message in refused("-o m --resume --steps 2")
