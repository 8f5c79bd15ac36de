"""No command touches a network."""

import socket

import pytest
from click.testing import CliRunner
from helpers.gguf_files import write_gpt2

from llmtrace.cli import main


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was touched")

    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)


def test_a_touch_is_seen(no_network):
    with pytest.raises(AssertionError, match="the network was touched"), socket.socket() as one:
        one.connect(("127.0.0.1", 9))
    with pytest.raises(AssertionError, match="the network was touched"):
        socket.create_connection(("localhost", 9))


@pytest.mark.parametrize(
    "command",
    [
        ["trace", "--ids", "0 2 1"],
        ["generate", "--ids", "0 2 1", "--steps", "2"],
        ["explain", "logits[0, 1]", "--ids", "0 2 1"],
        ["show", "logits", "--ids", "0 2 1"],
        ["surprise", "--ids", "0 2 1"],
    ],
    ids=lambda command: command[0],
)
def test_no_command_touches_a_network(no_network, tmp_path, monkeypatch, command):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    model = str(write_gpt2(tmp_path / "m.gguf"))
    result = CliRunner().invoke(main, [*command, "--model", model])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", ["gpt2", "HuggingFaceTB/SmolLM2-135M", "meta-llama/Llama-3.2-1B"])
def test_a_name_of_the_hub_is_refused_without_asking_it(no_network, name):
    result = CliRunner().invoke(main, ["trace", "a", "--model", name])
    assert result.exit_code != 0
    assert "there is no model" in result.output
