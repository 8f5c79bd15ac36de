"""One hash for all tensors of a run, however it is run: a smaller form of tools/hash_matrix.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import run_hash
import train_hash
from helpers.fresh import quick

import llmtrace
from llmtrace import _kernels
from llmtrace.models import GPT
from llmtrace.ops.elementwise.gelu_tanh import gelu_tanh
from llmtrace.ops.linear.linear import linear

TOOL = Path(__file__).parents[2] / "tools" / "run_hash.py"
FLOATS = 2**14


PAIRED = "overflowing"
"""The model with which any two settings come together in a quick run, too."""


@pytest.fixture(scope="module")
def here():
    return run_hash.everything(small=True, functions=FLOATS, once=quick(), paired=PAIRED)


@pytest.mark.parametrize("name", run_hash.CASES)
def test_threads_batches_the_cache_and_recording_change_nothing(here, name):
    case = here["cases"][name]
    assert case["runs"] == (4 if quick() and name != PAIRED else 18)
    assert case["differing"] == {}


@pytest.mark.parametrize("name", train_hash.CASES)
def test_threads_parts_of_a_batch_and_recording_change_nothing_in_a_training(here, name):
    case = here["cases"][f"training: {name}"]
    assert case["runs"] == 4
    assert case["differing"] == {}
    assert "report.2" in case["tensors"]
    assert "last.new.embed.token.weight" in case["tensors"]


def test_every_instruction_set_gives_the_same_bits(here):
    others = [name for name in _kernels.instruction_sets() if name != here["instruction set"]]
    for name, process in [(name, start(name)) for name in others]:
        said, _ = process.communicate()
        assert process.returncode == 0
        found = json.loads(said)
        cases = {case: {**each, "runs": found["cases"][case]["runs"]} for case, each in here["cases"].items()}
        assert found == {**here, "instruction set": name, "cases": cases}


def start(instruction_set):
    """The same hashes in a process of its own, of fewer ways unless the run is thorough."""
    ways = ["--small", "--once"] if quick() else ["--small"]
    return subprocess.Popen(
        [sys.executable, str(TOOL), *ways, "--functions", str(FLOATS)],
        env=os.environ | {"LLMTRACE_ISA": instruction_set, "PYTHONPATH": str(Path(llmtrace.__file__).parents[1])},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("once", [False, True])
def test_every_setting_is_among_the_few_ways(once):
    few = list(run_hash.ways(small=True, once=once))
    assert {way[:3][i] for way in few for i in range(3)} == {*run_hash.THREADS, *run_hash.BATCHES, *run_hash.READINGS}
    assert {way.traced for way in few} == {True, False}
    assert few[0] == next(run_hash.ways())
    assert len(few) == (4 if once else 18) < len(list(run_hash.ways())) == 54


def test_every_setting_is_among_the_few_ways_of_training():
    few = list(train_hash.ways(small=True))
    assert {way[:2][i] for way in few for i in range(2)} == {*train_hash.THREADS, *train_hash.PARTS}
    assert {way.traced for way in few} == {True, False}
    assert len(few) < len(list(train_hash.ways())) == 12


def test_the_overflowing_model_has_nan_and_finite_numbers():
    case = run_hash.CASES["overflowing"]
    tensors = run_hash.run(run_hash.build_model(case), run_hash.sequences(case), next(run_hash.ways()))
    logits = tensors["logits"]
    middle = case.tokens // 2
    assert np.isnan(logits[::2, middle:]).all()
    assert np.isfinite(logits[::2, :middle]).all()
    assert np.isfinite(logits[1::2]).all()


# ---- a difference is noticed -----------------------------------------------------------------------------------------


def test_one_bit_anywhere_changes_the_hash():
    array = run_hash.numbers(1, (3, 4), 1.0)
    other = array.copy()
    other[2, 1] = np.nextafter(other[2, 1], np.float32(2))
    assert run_hash.digest("x", array) != run_hash.digest("x", other)
    assert run_hash.digest("x", array) != run_hash.digest("y", array)
    assert run_hash.digest("x", array) != run_hash.digest("x", array.reshape(4, 3))
    assert run_hash.digest("x", np.float32([0])) != run_hash.digest("x", np.float32([-0.0]))
    assert run_hash.digest("x", np.float32([np.nan])) == run_hash.digest("x", -np.float32([np.nan]))
    assert run_hash.digest("x", np.float32([np.inf])) != run_hash.digest("x", np.float32([np.nan]))


@pytest.mark.parametrize("recorded", [True, False])
def test_a_model_whose_bits_depend_on_the_batch_is_found_out(monkeypatch, recorded):
    def one_neuron_more_in_a_batch_of_8(self, run, x):
        up = run("mlp.up", linear, x)
        if x.data.ndim == 3 and x.data.shape[0] == 8 and (run._trace is not None) == recorded:
            up = up._replace(data=up.data.copy())
            up.data[-1, -1, -1] += 1
        return run("mlp.down", linear, run("mlp.act", gelu_tanh, up))

    monkeypatch.setattr(GPT, "mlp", one_neuron_more_in_a_batch_of_8)
    case = run_hash.CASES["overflowing"]
    few = {"small": True, "once": quick()}
    wrong = run_hash.hash_case(case, **few)["differing"]
    assert set(wrong) == {str(way) for way in run_hash.ways(**few) if way.batch == 8 and way.traced == recorded}
    assert wrong


def test_a_training_whose_bits_depend_on_the_parts_is_found_out(monkeypatch):
    true = train_hash.Trainer.step
    monkeypatch.setattr(
        *(train_hash.Trainer, "step"),
        lambda self, parts, texts, trace: true(self, parts, [0] * len(texts) if len(texts) > 3 else texts, trace),
    )
    wrong = run_hash.hash_training("adamw with dropout", small=True)["differing"]
    assert set(wrong) == {str(way) for way in train_hash.ways(small=True) if way.part == 1}
