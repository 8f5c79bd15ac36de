"""The log of a training: half of the last line is what a kill leaves; everything else that is no report is named by its line."""

import json
import os

import pytest

from llmtrace.errors import TrainingError
from llmtrace.training.report_log import read_log

REPORT = {"step": 3, "loss": 2.5, "validation": None, "speed": 1}


def write(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_reports_are_read(tmp_path):
    entries = [REPORT, {**REPORT, "step": 4, "validation": 1.25}]
    path = write(tmp_path / "log.jsonl", *map(json.dumps, entries))
    assert read_log(path) == entries
    path.write_text(path.read_text()[:-20])
    assert read_log(path) == entries[:1]
    assert read_log(tmp_path / "other.jsonl") == []


DAMAGED = {
    "not JSON": ("{", "line 1: Expecting property name"),
    "no report": ("[1]", "line 1: it is not a report"),
    "no loss": (json.dumps({"step": 3}), "line 1: it is not a report"),
    "no number of steps": (json.dumps({**REPORT, "step": "x"}), "line 1: it is not a report"),
    "a loss that is a text": (json.dumps({**REPORT, "loss": "x"}), "line 1: it is not a report"),
    "NaN": (json.dumps({**REPORT, "loss": float("nan")}), "line 1: NaN is not a number of JSON"),
    "5,000 digits": (json.dumps(REPORT).replace("3", "3" * 5000), "line 1: it has a number of 5000 digits"),
    "a step twice": ('{"step": 1, "step": 2, "loss": 1, "validation": 1}', "line 1: 'step' is there twice"),
}


@pytest.mark.parametrize(("line", "message"), DAMAGED.values(), ids=DAMAGED)
def test_what_is_no_report(tmp_path, line, message):
    path = write(tmp_path / "log.jsonl", line, json.dumps(REPORT))
    with pytest.raises(TrainingError, match=message) as caught:
        read_log(path)
    assert "\n" not in str(caught.value)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "log.jsonl")
    with pytest.raises(TrainingError, match="not a regular file"):
        read_log(tmp_path / "log.jsonl")
