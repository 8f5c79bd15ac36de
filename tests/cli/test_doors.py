"""What a command meets before it begins: streams that were closed, variables that can't be followed."""

import io
import os
import resource
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers.cli_run import run
from helpers.fresh import some
from helpers.terminal import process

from llmtrace.encodings import write_whole_texts

COMMANDS = [
    "tokenize king",
    "doctor",
    "--help",
    "--version",
    "trace king",
    "learn",
    "explain loss",
    "generate king --steps 2",
    "nothing",
]


def shell(command, more="", **environment):
    line = f"{sys.executable} -m llmtrace {command} {more}"
    environment = os.environ | {"LLMTRACE_LANG": "en"} | environment
    return subprocess.run(line, shell=True, capture_output=True, text=True, env=environment, timeout=120)


def forked(command, closed=(), **environment):
    """The same in a fork of this process, with the numbers of the streams that are closed."""
    environment = os.environ | {"LLMTRACE_LANG": "en"} | environment
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with process(*command.split(), closed=closed, env=environment, **pipes) as child:
        out, error = child.communicate(timeout=120)
    return child.returncode, out, error


@pytest.mark.parametrize(
    ("closed", "commands"),
    [((0, 1, 2), COMMANDS), *zip([(1,), (2,), (0,), (1, 2)], [COMMANDS[n::4] for n in range(4)], strict=True)],
)
def test_a_closed_stream_is_one_that_nobody_reads(closed, commands):
    for command in some(commands, 5):
        code, out, error = forked(command, closed, LLMTRACE_MODEL="tiny")
        assert "Traceback" not in out + error
        assert code == (2 if command in {"explain loss", "nothing"} else 0), command


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", ">&-", "2>&-"])
def test_they_may_be_closed_before_anything_is_imported(closed):
    done = shell("tokenize x", closed)
    assert (done.returncode, done.stderr) == (0, "")


LONG = [
    "",
    "--help",
    "trace --help",
    "trace abc --all",
    "trace abc --json",
    "explain logits[0,0] --prompt abc --exact",
    "learn",
    "learn perceptron",
    "page the -o page.html --model tiny",
    "export two-files out --model tiny",
    "generate abc --steps 3",
    "doctor",
]


@pytest.mark.parametrize("command", LONG)
def test_who_has_read_enough_ends_the_command_well(command, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    environment = os.environ | {"LLMTRACE_LANG": "en"}
    with process(*command.split(), stdout=writing, stderr=subprocess.PIPE, env=environment, cwd=tmp_path) as child:
        os.close(writing)
        assert (child.communicate(timeout=120)[1], child.returncode) == (b"", 0)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 84_695, 300_000])
def test_a_text_whose_writing_is_interrupted_arrives_whole(size, monkeypatch):
    """As with python -u: nothing reads until a signal has come, by which the write that fills the pipe ends in its middle."""
    reading, writing = os.pipe()
    came, text = threading.Event(), "é" + "x" * size
    before = signal.signal(signal.SIGALRM, lambda *_: came.set())

    def read():
        came.wait()
        with open(reading, "rb") as pipe:
            return pipe.read()

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(read)
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.FileIO(writing, "w"), "utf-8", write_through=True))
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        try:
            with sys.stdout:
                write_whole_texts()
                print(text)
                assert came.wait(10)
                sys.stdout.flush()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert found.result(10).decode() == text + "\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_is_full_is_said(tmp_path, unbuffered):
    command = [sys.executable, "-m", "llmtrace", "tokenize", "the king " * 200, "--json"]
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered, "PYTHONDONTWRITEBYTECODE": "1", "LLMTRACE_LANG": "en"}

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    with open(tmp_path / "out", "wb") as out:
        kept = {"stdout": out, "stderr": subprocess.PIPE, "env": environment, "text": True}
        done = subprocess.run(command, preexec_fn=full, **kept)
    assert os.path.getsize(tmp_path / "out") == 1000
    assert (done.returncode, done.stderr) == (2, "Error: the output can't be written: File too large\n")


def test_a_file_is_written_all_the_same(tmp_path):
    code, out, error = forked(f"trace king -o {tmp_path}/a.trace", (0, 1, 2), LLMTRACE_MODEL="tiny")
    assert (code, out, error) == (0, "", "")
    run("verify", f"{tmp_path}/a.trace")


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
    code, out, error = forked("doctor", **{name: value, "LLMTRACE_LANG": language, "PYTHONIOENCODING": "utf-8"})
    assert (code, out) == (2, "")
    assert error.count("\n") == 1
    assert error.strip().isprintable()
    assert name in error
    assert len(error) < 300
    assert ("错误" in error) == (language == "zh")


def test_it_is_named_before_anything_is_computed():
    done = shell("doctor", LLMTRACE_NUM_THREADS="abc")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "LLMTRACE_NUM_THREADS" in done.stderr


INTERRUPTED = """
import atexit, os, signal, sys, time
place = sys.argv.pop(1)
def interrupt(): os.kill(os.getpid(), signal.SIGINT)
class Tidied:
    def __del__(self): interrupt()
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == place: interrupt()
        if place == "tidying up" and name == "llmtrace.cli.tokenize":
            Tidied()  # what is raised there is swallowed
            time.sleep(20)
sys.meta_path.insert(0, Finder())
if place == "the end": atexit.register(interrupt)
import llmtrace
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
from llmtrace.cli import main
main(["tokenize", "the king"])
"""


def interrupted(folder, command, place):
    """What a script of this name does that is interrupted when a module is imported, or at the end."""
    (folder / command).write_text(INTERRUPTED)
    line = [sys.executable, folder / command, place]
    return subprocess.run(line, capture_output=True, text=True, env=os.environ | {"LLMTRACE_LANG": "en"}, timeout=120)


@pytest.mark.parametrize("place", ["typing", "numpy", "llmtrace._kernels", "click", "llmtrace.cli.command", "the end"])
def test_an_interruption_while_the_command_starts_or_ends_says_nothing(tmp_path, place):
    done = interrupted(tmp_path, "llmtrace", place)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


@pytest.mark.parametrize("place", ["llmtrace.cli.tokenize", "tidying up"])
def test_an_interruption_while_a_command_is_fetched_is_one_line(tmp_path, place):
    done = interrupted(tmp_path, "llmtrace", place)
    assert (done.returncode, done.stderr.strip()) == (130, "Interrupted.")


def test_a_program_that_imports_llmtrace_keeps_its_own_way(tmp_path):
    assert "KeyboardInterrupt" in interrupted(tmp_path, "mine.py", "llmtrace.i18n").stderr
    assert interrupted(tmp_path, "mine.py", "nothing").stdout.startswith("True\n")


@pytest.mark.parametrize("text", ["9" * 5000, "x " * 3000, "\x1b" * 900, "--" + "x" * 5000])
def test_what_was_typed_is_repeated_in_short(text):
    lines = [("generate", "a", "--steps", text), ("generate", "a", f"--seed={text}"), ("trace", "a", text), (text,)]
    lines += [("generate", "a", "--keep", text), ("tokenize", *["a"] * 5000), ("learn", "--lang", text)]
    for line in lines:
        message = run(*line, code=2).output
        assert message.startswith("Error: ")
        assert len(message) < 2500
        assert message[:-1].isprintable()
