import dataclasses

import numpy as np
import pytest
from helpers.gguf_files import write_gpt2
from helpers.small_models import small_config
from helpers.stored_weights import matrix

import llmtrace
from llmtrace.arithmetic.bits import same_bits
from llmtrace.explain import Explanation, dequantised

PLACES = [(0, 0), (47, 300), (63, 1), (64, 511), (149, 64)]
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
        assert ("then a minimum is added" in found.sentence) == (lines == 2)
        assert found.replay() == trace.weights[name].data[place]
        q = found.lines[0].operands[1].values
        assert q == np.rint(q)


@pytest.mark.parametrize("kind", ["Q4_K", "Q5_K", "Q6_K"])
def test_a_scale_that_is_a_product_is_shown_as_one(kind):
    """And every line leads to the bits of the weight."""
    kept, weights = matrix(kind, 3, 512)
    for place in ((0, 0), (1, 300), (2, 511), (2, 77)):
        origin = kept.origin(place)
        lines = dequantised.lines(origin)
        assert lines[0].name == "scale"
        assert dequantised.formula(origin) == ("(d × s) × q" if kind == "Q6_K" else "(d × s) × q − dmin × m")
        assert same_bits(lines[-1].values, weights[place])
        unit, count = (operand.values for operand in lines[0].operands)
        assert unit == np.float16(unit)
        assert count == np.rint(count)
        assert abs(count) <= (128 if kind == "Q6_K" else 63)


def test_depth_goes_on_to_what_a_weight_was_made_of(tmp_path):
    """Of a row that was looked up, and of every product of a sum; where weights are stored as they are, it ends."""
    stored_in = {kind: write_gpt2(tmp_path / f"{kind}.gguf", WIDE, kind=kind) for kind in ("Q8_0", "F32")}
    for kind, file in stored_in.items():
        trace = llmtrace.load(file).trace([0, 2, 1])
        found = trace.explain("block.0.attn.q[0, 1, 5]", depth=2, count=3)
        made = [child for child in found.children if child.op == dequantised.OP]
        assert len(made) == (3 if kind == "Q8_0" else 0)
        assert all(child.element.tensor == "block.0.attn.q.weight" for child in made)
        found.replay()
        token = trace.explain("embed.token[1, 40]", depth=2)
        assert [child.address for child in token.children] == (
            ["embed.token.weight[vocabulary=2, feature=40]"] if kind == "Q8_0" else []
        )


def test_a_weight_of_whole_numbers_says_nothing(tmp_path):
    trace = llmtrace.load(write_gpt2(tmp_path / "m.gguf", WIDE, kind="F16")).trace([0, 2, 1])
    found = trace.explain("block.0.attn.q.weight", 3, 4)
    assert found.lines == ()
    assert "stored" not in found.sentence
    assert isinstance(found, Explanation)


@pytest.mark.parametrize("kind", ["Q8_0", "Q5_1", "Q4_K"])
def test_a_weight_is_found_in_whichever_panel_it_lies(kind):
    kept, weights = matrix(kind, 150, 512)
    before = [dequantised.lines(kept.origin(place)) for place in PLACES]
    assert kept.packed(not kept.turned) is not None
    for place, lines in zip(PLACES, before, strict=True):
        again = dequantised.lines(kept.origin(place))
        assert same_bits(again[-1].values, weights[place])
        assert [line.to_dict() for line in again] == [line.to_dict() for line in lines]
