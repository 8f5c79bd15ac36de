"""The command line: what the commands print, their exit codes, and that every error is one line."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import terminal
from helpers.cli_run import said
from helpers.fresh import some
from helpers.small_models import write_folder
from rich.cells import cell_len

from llmtrace.cli import COMMANDS, main, selftest
from llmtrace.cli.state import state_file
from llmtrace.explain import Explanation
from llmtrace.text import as_size

ADDRESS = "block.0.attn.scores[head=2, query=4, key=1]"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(write_folder(tmp_path_factory.mktemp("cli") / "model"))


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """Every test remembers its prompt in a folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "llmtrace" / "last.json"


def process(*arguments, **options):
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'llmtrace'; from llmtrace.cli import main; main()"]
    return subprocess.Popen([*command, *arguments], **options)


def finished(*arguments, **options):
    with process(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) as child:
        out, error = child.communicate(timeout=60)
        return child.returncode, out, error.decode()


def test_trace(model):
    text = said("trace", "CBABBC", "--model", model)
    assert text.startswith("model reads 6 tokens: 'C' 'B' 'A' 'B' 'B' 'C'\n")
    assert "Block 1: MLP" in text
    assert "probability" in text
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    assert len(said("trace", "CBABBC", "--model", model, "--all")) > len(text)
    one = said("trace", "CBABBC", "--model", model, "--layer", "1")
    assert "Block 0" not in one
    assert "Block 1: attention" in one


def test_trace_from_standard_input(model):
    assert said("trace", "-", "--model", model, input="CAB\n").startswith("model reads 3 tokens: 'C' 'A' 'B'\n")
    assert "no token for '\\n'" in said("trace", "-", "--model", model, input="CAB\n\n", code=2)


def test_trace_as_json(model):
    data = json.loads(said("trace", "CBABBC", "--model", model, "--json"))
    assert [token["text"] for token in data["tokens"]] == list("CBABBC")
    assert data["steps"][0] | {"shape": [6, 12], "dtype": "float32", "op": "embedding"} == data["steps"][0]
    shares = [row["probability"] for row in data["next_token"]]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_explain(model):
    text = said("explain", ADDRESS, "--prompt", "CBABBC", "--model", model)
    assert text.startswith(f"{ADDRESS} = ")
    assert "✓ same bits" in text
    assert "└─" in said("explain", ADDRESS, "--prompt", "CBABBC", "--model", model, "--depth", "2")
    assert " terms" in text or len(text.splitlines()) < 20
    assert " terms" not in said("explain", "ln_f[0, 0]", "--prompt", "CBABBC", "--model", model, "--all")
    exact = said("explain", ADDRESS, "--prompt", "CBABBC", "--model", model, "--exact")
    assert exact.startswith('explain "block.0')


def test_explain_as_json(model):
    data = json.loads(said("explain", ADDRESS, "--prompt", "CBABBC", "--model", model, "--json", "--depth", "2"))
    assert data["address"] == ADDRESS
    assert len(data["children"]) > 1
    Explanation.from_dict(data).replay()
    masked = json.loads(said("explain", "block.0.attn.scores[0, 0, 1]", "--prompt", "CB", "--model", model, "--json"))
    assert masked["element"]["values"] == "-inf"


def test_explain_what_was_traced_last(model, state, monkeypatch):
    assert "no prompt was traced yet" in said("explain", ADDRESS, code=2)
    said("trace", "CBABBC", "--model", model)
    note = json.loads(state.read_text())
    assert note.pop("steps")[:2] == ["embed.token", "embed.position"]
    assert note == {"prompt": "CBABBC", "special": False, "model": model}
    assert state.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in state.parent.iterdir()] == ["last.json"]
    text = said("explain", ADDRESS)
    assert text.startswith("prompt: 'CBABBC' (traced last, with model)\n\nblock.0")
    for option in ("--json", "--exact"):
        result = CliRunner().invoke(main, ["explain", ADDRESS, option])
        assert result.stderr == "prompt: 'CBABBC' (traced last, with model)\n"
        assert "prompt" not in result.stdout
    said("trace", "CBX", "--model", model, code=2)
    assert json.loads(state.read_text())["prompt"] == "CBABBC"
    state.write_text("[1]")
    assert "no prompt was traced yet" in said("explain", ADDRESS, code=2)


def test_a_relative_folder_is_found_again(model, monkeypatch, tmp_path):
    monkeypatch.chdir(Path(model).parent)
    said("trace", "CBABBC", "--model", "model")
    monkeypatch.chdir(tmp_path)
    said("explain", ADDRESS)


def test_what_can_not_be_remembered_does_not_matter(model, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["trace", "CBABBC", "--model", model])
    assert result.exit_code == 0
    assert result.stderr.startswith("Note: this prompt could not be remembered (")
    assert result.stderr.count("\n") == 1


def test_where_the_last_prompt_is_kept(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/someone")
    assert state_file() == Path("/home/someone/.local/state/llmtrace/last.json")


def test_doctor():
    text = said("doctor")
    assert "instruction set" in text
    assert "✗" not in text
    data = json.loads(said("doctor", "--json"))
    assert data["passed"] is True
    assert data["instruction_set"] in data["instruction_sets"]


@pytest.mark.parametrize("number", range(len(selftest.checks())))
def test_doctor_sees_what_is_wrong(number, monkeypatch):
    """Each check fails where the operations it calls are off by one bit."""
    good = selftest.same_bits
    monkeypatch.setattr(selftest, "same_bits", lambda a, b: good(a, b) and a.size == 0)
    name, _check = selftest.checks()[number]
    if "bundled" in name:
        monkeypatch.setattr(selftest, "load", lambda name: 1 / 0)
    text = said("doctor", code=1)
    assert f"✗ {name}" in " ".join(text.split())
    assert "do not trust" in text


ERRORS = [
    (["trace"], "give a text, or the ids of its tokens with --ids"),
    (["trace", "ABX"], "no token for 'X'"),
    (["trace", ""], "the prompt is empty"),
    (["trace", "ABCABCABCABCABC"], "reads at most 11"),
    (["trace", "A", "--layer", "9"], "no block 9; its blocks are 0 to 1"),
    (["trace", "A", "--layer", "x"], "'x' is not a whole number"),
    (["explain", "block.0.atn.q[0,0,0]", "--prompt", "A"], "block.0.attn.q"),
    (["explain", "block.0.attn.q", "--prompt", "A"], "needs head, feature"),
    (["explain", "block.0.attn.q[0,0,99]", "--prompt", "A"], "feature=99 is outside"),
    (["explain", "logits[0, 0", "--prompt", "A"], "no closing bracket"),
    (["explain", 'logits[0, "Z"]', "--prompt", "A"], "there is no 'Z'"),
    (["explain", "logits[0, 0]", "--prompt", "A", "--depth", "0"], "--depth"),
    (["explain", "foo[0]", "--prompt", "A"], "nothing is named 'foo'; `llmtrace show` lists all names"),
    (["explain", "ln_fx[0]", "--prompt", "A"], "the nearest name is ln_f\n"),
    (["explain", "logits[9, 0]", "--prompt", "A"], "position=9 is outside logits; the only place is 0\n"),
    (["trace", "cab"], "it knows 'ABC'; did you mean CAB?"),
    (["explain", "logits[0]"], "trace one first with llmtrace trace TEXT. Try 'llmtrace explain --help'."),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_errors_are_one_line(model, arguments, message):
    text = said(*arguments, "--model", model, code=2)
    assert text.startswith("Error: ")
    assert message in text
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["trce"], ["completion"], ["completion", "csh"], ["--nope"], ["trace", "A", "--model", "/nowhere"]]
)
def test_wrong_names(arguments):
    text = said(*arguments, code=2)
    assert text.startswith("Error: ")
    assert text.count("\n") == 1


def test_unknown_commands():
    assert "there is no command 'explian'; did you mean explain? Try" in said("explian", code=2)
    assert "the commands are trace, explain," in said("zzz", code=2)


def test_an_error_says_which_prompt_was_run(model, tmp_path):
    said("trace", "CAB", "--model", model)
    assert "from 0 to 2; prompt: 'CAB' (traced last, with model)" in said("explain", "logits[3, 0]", code=2)
    assert "prompt: 'CAB'" in said("show", "logits", "--position", "9", code=2)
    assert "the nearest name is logits; prompt: 'CAB'" in said("explain", "lgits[3, 0]", code=2)
    file = str(tmp_path / "a.trace")
    said("trace", "CAB", "--model", model, "-o", file)
    assert "prompt" not in said("explain", "lgits[3, 0]", "--trace", file, code=2)


def test_what_was_written(model, tmp_path):
    file = str(tmp_path / "a.trace")
    text = said("trace", "CAB", "--model", model, "-o", file)
    assert re.search(r"written: .*a\.trace \([\d.]+ kB\)\n$", text)
    result = CliRunner().invoke(main, ["trace", "CAB", "--model", model, "-o", file, "--json"])
    assert result.stderr == text.splitlines()[-1] + "\n"
    assert json.loads(result.stdout)
    assert [as_size(n) for n in (0, 999, 1000, 2_340_000)] == ["0 B", "999 B", "1.0 kB", "2.3 MB"]


def test_help():
    text = said("--help")
    assert all(command in text for command in COMMANDS)
    for command in some(COMMANDS, 7):
        page = said(command, "--help")
        assert f"llmtrace {command}" in page
        assert "Example" in page
    assert said("--version").startswith("llmtrace ")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_all_commands_are_on_one_screen(language, arguments, monkeypatch):
    """With the line that was typed and the prompt below, on 80 × 24."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LLMTRACE_LANG", language)
    page = CliRunner().invoke(main, arguments)
    lines = (page.stdout or page.stderr).rstrip().split("\n")
    assert len(lines) <= 22
    assert all(cell_len(line) <= 80 for line in lines)
    first = [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("  llmtrace")]
    assert first == list(COMMANDS)


# ---- whole processes ------------------------------------------------------------------------------------------------


def test_a_reader_that_has_seen_enough(model):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with terminal.process("trace", "CBABBC", "--model", model, "--all", **pipes) as child:
        assert child.stdout.readline() == b"model reads 6 tokens: 'C' 'B' 'A' 'B' 'B' 'C'\n"
        child.stdout.close()
        assert child.stderr.read() == b""


def test_a_full_disk(model, tmp_path):
    environment = {
        k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"
    }  # Python then loses half a write silently

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    with (tmp_path / "output").open("wb") as output:
        kept = {"stdout": output, "stderr": subprocess.PIPE, "env": environment}
        with terminal.process("trace", "A", "--model", model, before=full, **kept) as child:
            _out, error = child.communicate(timeout=60)
    assert child.returncode == 2
    assert error.splitlines()[-1] == b"Error: the output can't be written: File too large"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_encoding(model, encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment}
    with terminal.process("trace", "CBABBC", "--model", model, **pipes) as child:
        out, error = child.communicate(timeout=60)
    assert (child.returncode, error) == (0, b"")
    assert (b"|" in out or b"#" in out) == (encoding != "utf-8")
    assert out.isascii() == (encoding == "ascii")
    assert "\\u" not in out.decode(encoding)


def test_bytes_that_are_no_text(model):
    code, out, error = finished("trace", b"AB\xff\x1b", "--model", model)
    assert (code, out) == (2, b"")
    assert error == "Error: this model has no token for '\\udcff' (character 3); it knows 'ABC'\n"


def test_an_interruption_is_one_line(monkeypatch):
    def wait(model):
        print("ready", flush=True)
        time.sleep(30)

    terminal.ready()  # with the true one
    monkeypatch.setattr("llmtrace.cli.options.load", wait)
    with terminal.process("trace", "A", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        _out, error = child.communicate(timeout=20)
        assert child.returncode == 130
        assert error.decode().strip() == "Interrupted."


def test_help_does_not_load_what_it_does_not_need():
    script = "import sys; from llmtrace.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    script += (
        "print([m for m in sys.modules if m in {'safetensors', 'llmtrace.models', 'llmtrace.ops', 'llmtrace.explain'}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


UNREADABLE = Path("/proc/self/mem")  # a regular file by its looks, whose first bytes nobody can read
READERS = [
    ("surprise", "x.txt"),
    ("train", "x.txt", "-o", "m"),
    ("corpus", "x.jsonl", "-o", "m"),
    ("verify", "x.trace"),
    ("show", "x.trace"),
    ("trace", "a", "--recipe", "x.json"),
    ("trace", "a", "--model", "x.gguf"),
    ("trace", "a", "--model", "x.bin"),
    ("compare", "a", "x.npz"),
    ("compare", "a", "x.safetensors"),
    ("learn", "tokenizers", "--set", "gpt2=x.gguf"),
]


@pytest.mark.skipif(not UNREADABLE.exists(), reason="there is no /proc/self/mem: only Linux has it")
@pytest.mark.parametrize("arguments", READERS, ids=" ".join)
def test_a_file_that_can_t_be_read_is_named(arguments, tmp_path, monkeypatch):
    for word in arguments:
        name = word.removeprefix("gpt2=")
        if name.startswith("x."):
            (tmp_path / name).symlink_to(UNREADABLE)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.exc_info
    assert result.output.count("\n") == 1
    assert "can't be read" in result.output


@pytest.mark.parametrize("arguments", [each for each in READERS if each[0] != "train"], ids=" ".join)
def test_a_file_of_a_terabyte_is_not_read(arguments, tmp_path, monkeypatch):
    for word in arguments:
        name = word.removeprefix("gpt2=")
        if name.startswith("x."):
            with (tmp_path / name).open("wb") as file:
                file.truncate(1 << 40)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.exc_info
    assert result.output.count("\n") == 1
