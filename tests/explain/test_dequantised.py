import dataclasses

import numpy as np
import pytest
from helpers.gguf_files import write_gpt2
from helpers.small_models import small_config

import llmtrace
from llmtrace.explain import Explanation

WIDE = dataclasses.replace(small_config(), width=64, heads=2, hidden=128)


@pytest.mark.parametrize(("kind", "lines"), [("Q4_1", 2), ("Q5_1", 2), ("Q8_0", 1), ("Q4_0", 1)])
def test_a_quantised_weight_says_what_it_is_made_of(tmp_path, kind, lines):
    trace = llmtrace.load(write_gpt2(tmp_path / "m.gguf", WIDE, kind=kind)).trace([0, 2, 1])
    for name, place in (
        ("block.0.attn.q.weight", (0, 0)),
        ("block.1.attn.k.weight", (63, 5)),
        ("block.1.mlp.down.weight", (127, 63)),
        ("embed.token.weight", (2, 33)),
    ):
        found = trace.explain(name, *place)
        assert len(found.lines) == lines
        assert found.formula == "scale × q" + " + minimum" * (lines - 1)
        assert f"stored as {kind}" in found.sentence
        assert found.replay() == trace.weights[name].data[place]
        q = found.lines[0].operands[1].values
        assert q == np.rint(q)


def test_a_weight_of_whole_numbers_says_nothing(tmp_path):
    trace = llmtrace.load(write_gpt2(tmp_path / "m.gguf", WIDE, kind="F16")).trace([0, 2, 1])
    found = trace.explain("block.0.attn.q.weight", 3, 4)
    assert found.lines == ()
    assert "stored" not in found.sentence
    assert isinstance(found, Explanation)
