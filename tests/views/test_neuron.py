"""A neuron is shown with its own numbers: those of its weights, and those of the steps that it takes part in."""

import numpy as np
import pytest
from helpers.printing import as_text, facts
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt

from llmtrace.errors import AddressError
from llmtrace.ops.elementwise.add import add
from llmtrace.trace import Run, Trace
from llmtrace.views import neuron


@pytest.fixture(scope="module")
def llama():
    return small_llama().trace([1, 2, 0, 2])


def test_one_with_a_gate(llama):
    """What it says is its sum times how far its gate is open."""
    for name in ("gate", "act", "up", "product"):
        found = facts(neuron.view(llama, f"block.1.mlp.{name}", 5, count=3))
        assert (found["name"], found["neuron"]) == ("block.1.mlp.up", 5)
        steps = {"gate": "gate", "silu": "act", "sum": "up", "says": "product"}
        for position, said in enumerate(found["positions"]):
            for key, step in steps.items():
                assert said[key] == llama[f"block.1.mlp.{step}"].output[position, 5]
            assert np.float32(said["says"]) == np.float32(said["silu"]) * np.float32(said["sum"])
        for side, step in {"gate": "gate", "incoming": "up", "outgoing": "down"}.items():
            weight = llama.weights[f"block.1.mlp.{step}.weight"].data
            own = weight[5] if side == "outgoing" else weight[:, 5]
            best = np.argsort(-np.abs(own), kind="stable")[:3]
            assert [each["feature"] for each in found[side]] == best.tolist()
            assert [each["weight"] for each in found[side]] == own[best].tolist()


def test_its_numbers_stand_side_by_side(llama):
    shown = as_text(neuron.view(llama, "block.1.mlp.gate", 5))
    for word in ("gate listens to", "listens to", "writes to", "gate", "silu", "sum", "says"):
        assert word in shown


def test_a_step_without_neurons_says_where_some_are(llama):
    """Those of its own block first; and that there are none where there are none."""
    with pytest.raises(AddressError, match=r"steps that have are block\.1\.mlp\.up, block\.0\.mlp\.up"):
        neuron.view(llama, "block.1.attn.q", 5)
    with pytest.raises(AddressError, match=r"has no neuron 999; its neurons are 0 to"):
        neuron.view(small_gpt().trace([0, 1]), "block.0.mlp.act", 999)
    alone = Trace({})
    with Run({}, alone) as run:
        x = run.leaf("x", np.ones((2, 3), np.float32), ("position", "feature"))
        run("twice", add, x, x)
    with pytest.raises(AddressError, match="no other step of this trace has any"):
        neuron.view(alone, "twice", 0)
