"""`llmtrace corpus`: the page and the JSON say what came of the prompts."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from contextlib import suppress

import pytest
from helpers.cli_run import run as run_command
from helpers.cli_run import said

from llmtrace.corpus import run
from llmtrace.corpus.engines import Given

LINES = [
    '"The king had a child."',
    '{"id": "girl", "text": "a girl"}',
    "[1, 2, 3]",
    "oops",
    '{"id": "girl", "text": "b"}',
]


def test_a_file_is_run_and_goes_on_with_more_lines(tmp_path):
    file, out = tmp_path / "p.jsonl", str(tmp_path / "out")
    file.write_text("\n".join(LINES[:2]))
    first = json.loads(said("corpus", str(file), "-o", out, "--workers", "1", "--json"))
    assert (first["prompts"], first["done"], first["skipped"]) == (2, 2, 0)
    file.write_text("\n".join(LINES))
    page = said("corpus", str(file), "-o", out, "--workers", "1")
    assert "3 of 5 prompts ran" in page
    assert "2 of the 5 were finished before" in page
    assert "the id 'girl' is that of prompt 2 already" in " ".join(page.split())
    again = json.loads(said("corpus", str(file), "-o", out, "--workers", "1", "--json"))
    assert again["hash"] in page
    assert [row["id"] for row in again["not_done"]] == ["4", "girl"]
    assert again["hash"] == json.loads((tmp_path / "out" / "corpus.json").read_text())["hash"] != first["hash"]


class Lost(Executor):
    """Every task is lost."""

    def submit(self, function, /, *args, **kwargs):
        future = Future()
        future.set_exception(OSError("the machine is gone"))
        return future


def test_what_is_unfinished_is_said_by_the_exit_code_and_run_the_next_time(tmp_path, monkeypatch):
    file, out = tmp_path / "p.jsonl", str(tmp_path / "out")
    file.write_text("\n".join(LINES))
    with monkeypatch.context() as patch:
        patch.setattr(run, "engine", lambda executor, workers: Given(Lost()))
        ended = run_command("corpus", str(file), "-o", out, code=1)
        page = " ".join(ended.stdout.split())
    assert "the same command runs the others" in ended.stderr
    assert "0 of 5 prompts ran" in page
    assert "was ended (the machine is gone); it is run again the next time" in page
    assert "3 of 5 prompts ran" in said("corpus", str(file), "-o", out, "--workers", "1")


def test_a_file_of_which_nothing_could_be_run_is_said_by_the_exit_code(tmp_path):
    for n, text in enumerate(["oops", "3\n[[]]\nnull", "", '{"text": 1}']):
        (tmp_path / "p.jsonl").write_text(text)
        out = str(tmp_path / f"out{n}")
        ended = run_command("corpus", str(tmp_path / "p.jsonl"), "-o", out, "--workers", "1", code=1)
        assert ended.stderr.splitlines()[-1] == "Note: none of the prompts ran"


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows has no groups of processes")
@pytest.mark.parametrize("moment", range(6))
def test_an_interruption_while_workers_begin_says_no_more_than_that(tmp_path, moment):
    """Of a terminal, every process hears it."""
    (tmp_path / "p.jsonl").write_text('"a king"\n"the old lamp"\n')
    begin = "import sys; sys.argv[0] = 'llmtrace'; from llmtrace.cli import main; print('begun', flush=True); main()"
    command = [sys.executable, "-c", begin, "corpus", "p.jsonl", "-o", "out", "--workers", "2"]
    child = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert child.stdout.readline() == "begun\n"
    time.sleep(0.15 * moment)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGINT)
    _out, errors = child.communicate(timeout=60)
    assert "Traceback" not in errors
    assert child.returncode in {0, 130, -signal.SIGINT}
