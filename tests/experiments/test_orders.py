"""Orders of adding of other libraries: what PyTorch gave on one machine is given here, and is named by the referee."""

import zlib
from fractions import Fraction

import numpy as np
import pytest
from check_dumps import DOCS, FIRST, recipes
from helpers.small_models import small_gpt
from hypothesis import given
from hypothesis import strategies as st

from llmtrace.experiments import dumps
from llmtrace.experiments.causes import ROUNDINGS
from llmtrace.experiments.orders import NORM, fused, in_blocks, norm_in_lanes, product
from llmtrace.experiments.referee import judge
from llmtrace.experiments.situation import Situation

ROW = np.array([((i * 37) % 101 - 50) / 17 for i in range(300)], np.float32)
NORMED = [1068697634, -1112642574, 1053948839, -1064496260, -1090835771, 1069402315, -1065876172, -1090636291]
NORMED += [1077746153, -1069788451, -1110248817, 1068682672, -1098993075, 1060151460, -1064743831, -1089943811]
NORMED += [1072754929, -1066873939, -1093190086, 1079925082, -1071288840, 1035884632, -1064283443, -1094668482]
"""The bits of `torch.nn.functional.layer_norm(x[:24], (24,), x[100:124], x[150:174], 1e-5)`, PyTorch 2.13, AVX-512."""


def norm(size, gain, bias):
    operands = {"x": ROW[None, :size], "gain": ROW[gain : gain + size], "bias": ROW[bias : bias + size]}
    return Situation("layer_norm", operands, {"epsilon": 1e-5}, {})


def numbers(*shape, start=0):
    count = int(np.prod(shape))
    return np.array([((i + start) * 7919 % 2003 - 1000) / 331 for i in range(count)], np.float32).reshape(shape)


def test_layer_norm_in_lanes_has_the_bits_of_pytorch():
    assert norm_in_lanes(norm(24, 100, 150))[0].view(np.int32).tolist() == NORMED
    assert zlib.crc32(norm_in_lanes(norm(256, 40, 44)).tobytes()) == 2168887319
    assert norm_in_lanes(norm(300, 0, 0)) is None  # more than two chunks


def test_blocks_have_the_bits_of_mkl():
    x, weight, bias = numbers(8, 384), numbers(384, 96, start=5), numbers(96, start=11)
    with_bias = Situation("linear", {"x": x, "weight": weight, "bias": bias}, {}, {})
    assert zlib.crc32(in_blocks(192)(with_bias).tobytes()) == 1328172444
    without = Situation("linear", {"x": x, "weight": weight, "bias": None}, {}, {})
    assert zlib.crc32(in_blocks(192)(without).tobytes()) == 35451665
    assert in_blocks(384)(with_bias) is None


def exactly(a, b, c):
    """a · b + c by fractions, and the float32 that is nearest."""
    wanted = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    near = np.float32(float(wanted))
    beside = [np.nextafter(near, np.float32(way)) for way in (-np.inf, np.inf)]
    return min([near, *beside], key=lambda x: (abs(Fraction(float(x)) - wanted), int(x.view(np.int32)) & 1))


REAL = st.floats(-8, 8, width=32).filter(lambda x: x == 0 or abs(x) > 1e-6)


@given(REAL, REAL, REAL)
def test_fused_multiply_add_rounds_once(a, b, c):
    assert fused(*(np.full(1, x, np.float32) for x in (a, b, c)))[0] == exactly(a, b, c)


@pytest.mark.parametrize("sign", [1, -1])
def test_fused_multiply_add_rounds_once_where_float64_rounds_to_halfway(sign):
    """1 + 2⁻²³ ± (2⁻²⁴ − 2⁻⁶⁴): float64 loses the last part, and with it on which side of halfway the sum is."""
    a, b, c = (np.full(1, x, np.float32) for x in ((1 + 2**-20) / 4096, sign * (1 - 2**-20) / 4096, 1 + 2**-23))
    assert fused(a, b, c)[0] == exactly(a[0], b[0], c[0]) == c[0]
    assert np.float32(float(a[0]) * float(b[0]) + float(c[0])) != c[0]


def test_products_are_those_of_one_number_after_the_other():
    x, y, start = numbers(3, 50), numbers(50, 7, start=3), numbers(3, 7, start=9)
    total = start.copy()
    for first, end in [(0, 16), (16, 32), (32, 50)]:
        part = np.zeros_like(total)
        for k in range(first, end):
            part = fused(x[:, k, None], y[k], part)
        total = total + part
    assert (product(x, y, [0, 16, 32, 50], start) == total).all()
    heads, keys = numbers(2, 3, 50), numbers(2, 50, 7)
    assert (product(heads, keys, [0, 50])[1] == product(heads[1], keys[1], [0, 50])).all()


@pytest.fixture(scope="module")
def trace():
    return small_gpt(blocks=1).trace("CABBCABA")


def written(trace, *left_out):
    return {name: trace.tensor(name) for name in trace if name not in left_out}


def test_the_referee_names_the_lanes(trace):
    name = "block.0.ln_2"
    record = trace.record_of(name)
    operands = {kind: trace.tensor(each) for kind, each in record.operands.items()}
    theirs = written(trace) | {name: norm_in_lanes(Situation("layer_norm", operands, record.settings, {}))}
    found = next(each for each in judge(trace, theirs).findings if each.name == name)
    assert found.differ
    assert (found.verdict, found.agree) == ("rounding", found.size)
    assert NORM in found.cause


def fused_scores(trace):
    record = trace.record_of("block.0.attn.scores")
    operands = {kind: trace.tensor(each) for kind, each in record.operands.items()}
    return Situation("attention_scores", operands, record.settings, {})


def test_what_is_not_written_may_have_been_rounded_otherwise(trace):
    """Their pattern follows from their scores, which nobody has seen: their last digits are not held against it."""
    situation = fused_scores(trace)
    large = Situation("attention_scores", {k: x * np.float32(40) for k, x in situation.operands.items()}, {}, {})
    step = trace.record_of("block.0.attn.pattern")
    for cause in ROUNDINGS["attention_scores"].values():
        scores = cause(large)
        pattern = Situation(step.op, {"x": np.ascontiguousarray(scores)}, step.settings, {}).done()
        theirs = written(trace, "block.0.attn.scores") | {"block.0.attn.pattern": pattern}
        theirs |= {"block.0.attn.q": large["q"], "block.0.attn.k": large["k"]}
        found = next(each for each in judge(trace, theirs).findings if each.name == "block.0.attn.pattern")
        assert found.verdict in {"same", "rounding"}


def test_an_error_behind_what_is_not_written_is_found_all_the_same(trace):
    root = np.float32(trace.shape("block.0.attn.q")[-1] ** 0.5)
    step = trace.record_of("block.0.attn.pattern")
    scores = trace.tensor("block.0.attn.scores") * root
    pattern = Situation(step.op, {"x": scores}, step.settings, {}).done()
    theirs = written(trace, "block.0.attn.scores") | {"block.0.attn.pattern": pattern}
    assert judge(trace, theirs).first.name == "block.0.attn.pattern"


def test_what_the_output_projection_is_given_is_the_mix(trace):
    mix = np.moveaxis(trace.tensor("block.0.attn.mix"), 0, 1)
    array = mix.reshape(1, len(mix), -1)
    found = dumps.understood(trace, {"transformer.h.0.attn.c_proj.input": array}).steps
    assert (found["block.0.attn.mix"] == trace.tensor("block.0.attn.mix")).all()


def test_the_recipes_begin_with_what_is_to_be_filled_in():
    found = recipes(DOCS.read_text(encoding="utf-8"))
    assert set(found) == {"transformers", "transformer_lens"}
    for code in found.values():
        assert len(FIRST.findall(code)) == 1
        compile(code, "recipe", "exec")
