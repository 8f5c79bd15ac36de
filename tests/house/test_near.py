"""What somebody may have meant: a slip of it, its beginning or its last parts; never something else."""

import time

import pytest

from llmtrace.cli import COMMANDS
from llmtrace.near import near

OPTIONS = ["--steps", "--top-k", "--top-p", "--temperature", "--seed", "--stop", "--layer", "--last-rate", "--keep"]
STEPS = ["embed", "block.0.attn.scores", "block.1.attn.scores", "block.0.attn.pattern", "logits", "residual"]


def slips(name):
    """Every name with one letter left out, doubled or exchanged with the next."""
    for n in range(1, len(name)):
        yield name[:n] + name[n + 1 :]
        yield name[:n] + name[n] + name[n:]
        yield name[: n - 1] + name[n] + name[n - 1] + name[n + 1 :]


@pytest.mark.parametrize("known", [list(COMMANDS), STEPS])
def test_one_slip_is_understood(known):
    for name in known:
        assert all(name in near(slip, known, 3) for slip in slips(name) if len(slip) > 4), name


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("--tokens", OPTIONS, []),
        ("--temprature", OPTIONS, ["--temperature"]),
        ("--temp", OPTIONS, ["--temperature"]),
        ("--rate", OPTIONS, ["--last-rate"]),
        ("--x", OPTIONS, []),
        ("scores", STEPS, ["block.0.attn.scores", "block.1.attn.scores"]),
        ("loss", STEPS, []),
        ("foo", ["mood", "sunny", "people"], []),
        ("percep", ["perceptron", "playground"], ["perceptron"]),
        ("attention", ["self-attention", "llama"], ["self-attention"]),
        ("", STEPS, []),
    ],
)
def test_a_guess_is_plausible_or_there_is_none(name, known, meant):
    assert near(name, known, 3) == meant


def test_what_is_far_too_long_is_told_at_once():
    began = time.process_time()
    assert near("a" * 300_000, STEPS * 30) == []
    assert time.process_time() - began < 5  # compared letter by letter, it is more than a minute
