"""No command touches a network, but for `fetch`, which is there for it; `serve` listens, on this machine alone."""

import os
import socket
import sys

import pytest
from click.testing import CliRunner
from helpers.gguf_files import write_gpt2
from helpers.small_models import write_folder

from llmtrace.cli import COMMANDS, main
from llmtrace.render import page_server


@pytest.fixture
def touches(monkeypatch):
    """What was tried."""
    tried = []

    def refuse(*args, **kwargs):
        tried.append(args)
        raise AssertionError("the network was touched")

    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    return tried


def test_a_touch_is_seen(touches):
    with pytest.raises(AssertionError, match="the network was touched"), socket.socket() as one:
        one.connect(("127.0.0.1", 9))
    with pytest.raises(AssertionError, match="the network was touched"):
        socket.create_connection(("localhost", 9))
    assert len(touches) == 2


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """Files that commands are given."""
    folder = tmp_path_factory.mktemp("network")
    (folder / "prompts.jsonl").write_text('{"ids": [0, 2]}\n{"ids": [1]}\n')
    (folder / "text.txt").write_text("one cat and two cats and three cats. " * 20)
    model = str(write_folder(folder / "model"))
    done = CliRunner().invoke(main, ["trace", "CAB", "--model", model, "-o", str(folder / "a.trace")])
    assert done.exit_code == 0, done.output
    return folder


RUN = ["--ids", "0 2 1", "--model", "m.gguf"]
USES = {
    "trace": RUN,
    "explain": ["logits[0, 1]", *RUN],
    "what-if": [*RUN, "--off", "head:0.1"],
    "compare": ["CAB", "CBB", "--model", "model"],
    "ledger": RUN,
    "page": [*RUN, "-o", "run.html"],
    "accuracy": ["CAB", "--model", "model"],
    "generate": [*RUN, "--steps", "2"],
    "surprise": RUN,
    "corpus": ["prompts.jsonl", "-o", "corpus", "--model", "m.gguf"],
    "export": ["two-files", "two", "--model", "model"],
    "train": [
        "text.txt",
        "-o",
        "trained",
        "--characters",
        "--layers",
        "1",
        "--width",
        "8",
        "--heads",
        "1",
        "--steps",
        "2",
    ],
    "show": ["logits", *RUN],
    "tokenize": ["CAB", "--model", "model"],
    "learn": ["perceptron"],
    "verify": ["a.trace", "--model", "model"],
    "doctor": [],
    "completion": ["bash"],
}


def test_every_command_is_tried():
    assert set(USES) == set(COMMANDS) - {"fetch", "serve"}


@pytest.mark.parametrize("command", USES)
def test_no_command_touches_a_network(touches, things, tmp_path, monkeypatch, command):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for path in things.iterdir():
        os.symlink(path, tmp_path / path.name)
    write_gpt2(tmp_path / "m.gguf")
    result = CliRunner().invoke(main, [command, *USES[command]])
    assert result.exit_code == 0, result.output
    assert touches == []


def test_serving_listens_on_this_machine_alone(things, monkeypatch):
    listened = []
    bind = socket.socket.bind
    monkeypatch.setattr(socket.socket, "bind", lambda one, address: listened.append(address) or bind(one, address))

    def serve(server, ready):
        ready()
        server.server_close()

    monkeypatch.setattr(page_server, "serve", serve)
    result = CliRunner().invoke(main, ["serve", "CAB", "--model", str(things / "model")])
    assert result.exit_code == 0, result.output
    assert [host for host, _port in listened] == ["127.0.0.1"]


def test_fetching_is_what_touches_it(touches):
    result = CliRunner().invoke(main, ["fetch", "gpt2"])
    assert "huggingface_hub" in result.output
    assert result.exit_code == 2
    assert touches == []


@pytest.mark.parametrize("name", ["gpt2", "HuggingFaceTB/SmolLM2-135M", "meta-llama/Llama-3.2-1B"])
def test_a_name_of_the_hub_is_refused_without_asking_it(touches, tmp_path, monkeypatch, name):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for command in ("trace", "tokenize"):
        result = CliRunner().invoke(main, [command, "a", "--model", name])
        assert result.exit_code != 0
        assert f"there is no model '{name}'" in result.output
    assert touches == []
