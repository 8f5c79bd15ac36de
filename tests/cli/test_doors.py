"""What a command meets before it begins: streams that were closed, variables that can't be followed."""

import os
import subprocess
import sys

import pytest

COMMANDS = [
    "tokenize x",
    "doctor",
    "--help",
    "--version",
    "trace hi",
    "learn",
    "explain loss",
    "generate hi --steps 2",
    "nothing",
]


def shell(command, more="", **environment):
    line = f"{sys.executable} -m llmtrace {command} {more}"
    environment = os.environ | {"LLMTRACE_LANG": "en"} | environment
    return subprocess.run(line, shell=True, capture_output=True, text=True, env=environment, timeout=120)


@pytest.mark.parametrize(
    ("closed", "commands"),
    [
        ("<&- >&- 2>&-", COMMANDS),
        *zip([">&-", "2>&-", "<&-", ">&- 2>&-"], [COMMANDS[n::4] for n in range(4)], strict=True),
    ],
)
def test_a_closed_stream_is_one_that_nobody_reads(closed, commands):
    for command in commands:
        done = shell(command, closed)
        assert "Traceback" not in done.stdout + done.stderr
        assert done.returncode == (2 if command in {"explain loss", "nothing"} else 0), command


def test_a_file_is_written_all_the_same(tmp_path):
    assert shell(f"trace hi -o {tmp_path}/a.trace", "<&- >&- 2>&-").returncode == 0
    assert shell(f"verify {tmp_path}/a.trace").returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LLMTRACE_ISA", "z80"),
        ("LLMTRACE_ISA", "\x1b[31m"),
        ("LLMTRACE_NUM_THREADS", "abc"),
        ("LLMTRACE_NUM_THREADS", "0"),
        ("LLMTRACE_NUM_THREADS", "-3"),
        ("LLMTRACE_NUM_THREADS", "²"),
        ("LLMTRACE_NUM_THREADS", "9" * 5000),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_variable_that_can_t_be_followed_is_named_in_one_line(name, value, language):
    done = shell("doctor", **{name: value, "LLMTRACE_LANG": language, "PYTHONIOENCODING": "utf-8"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.strip().isprintable()
    assert name in done.stderr
    assert len(done.stderr) < 300
    assert ("错误" in done.stderr) == (language == "zh")
