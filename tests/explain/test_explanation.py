"""Explanations: they hang together, they end somewhere, and foreign rounding changes nothing of them."""

import copy
import ctypes
import ctypes.util
import dataclasses
import json
import platform
import re

import numpy as np
import pytest
from helpers.printing import as_text
from helpers.small_models import ADDRESSES, small_gpt

from llmtrace.arithmetic.bits import same_bits
from llmtrace.errors import AddressError, LlmtraceError, ReplayError
from llmtrace.explain import Explanation
from llmtrace.explain.address import parse
from llmtrace.explain.exact_text import exact_text
from llmtrace.explain.verify import verify, verify_sample
from llmtrace.models import KVCache
from llmtrace.ops import OPS

UPWARD = {"x86_64": 0x800, "AMD64": 0x800, "aarch64": 0x400000, "arm64": 0x400000}


@pytest.fixture(scope="module")
def trace():
    return small_gpt().trace("CBABBC")


@pytest.fixture
def rounding_up():
    """Python's own arithmetic now rounds upwards, as another library may have told the processor to."""
    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    assert libm.fesetround(UPWARD[platform.machine()]) == 0
    assert np.float32(1) + np.float32(1e-9) > 1
    yield
    libm.fesetround(0)


def test_a_child_must_be_what_its_parent_leans_on(trace):
    explanation = trace.explain("logits", -1, 0, depth=2)
    explanation.replay()
    child = explanation.children[0]
    other = trace.explain(child.element.tensor, 0, child.element.place()[1])
    swapped = dataclasses.replace(other, element=dataclasses.replace(child.element, values=other.element.values))
    swapped.replay()
    with pytest.raises(ReplayError, match="does not lean on"):
        dataclasses.replace(explanation, children=(swapped, *explanation.children[1:])).replay()
    with pytest.raises(ReplayError, match="does not lean on"):
        dataclasses.replace(explanation, children=(trace.explain("embed", 0, 0),)).replay()


def changed(values, place):
    """The numbers, one of them one bit off."""
    wrong = np.array(values)
    flat = wrong.reshape(-1).view(f"u{wrong.itemsize}")
    flat[place % flat.size] ^= 1
    return wrong


def everywhere(explanation):
    """The tree with one wrong number, for each number that a line of it, or of a child however deep, says."""
    for at, line in enumerate(explanation.lines):
        for place in {0, line.values.size // 2, line.values.size - 1}:
            wrong = dataclasses.replace(line, values=changed(line.values, place))
            yield dataclasses.replace(explanation, lines=(*explanation.lines[:at], wrong, *explanation.lines[at + 1 :]))
    for at, child in enumerate(explanation.children):
        for wrong in everywhere(child):
            children = (*explanation.children[:at], wrong, *explanation.children[at + 1 :])
            yield dataclasses.replace(explanation, children=children)


@pytest.mark.parametrize("address", ["logits[-1, 0]", "block.1.attn.pattern[0, 4, 2]", "block.0.mlp.act[2, 9]"])
def test_one_wrong_bit_anywhere_in_a_tree_does_not_replay(trace, address):
    """However deep, in the tree and in what JSON made of it."""
    tree = trace.explain(address, depth=3)
    assert Explanation.from_dict(json.loads(json.dumps(tree.to_dict()))).replay() == tree.value
    wrong = list(everywhere(tree))
    assert len(wrong) > 20
    for each in wrong:
        with pytest.raises(ReplayError):
            each.replay()
        with pytest.raises(ReplayError):
            Explanation.from_dict(json.loads(json.dumps(each.to_dict()))).replay()


def test_each_number_is_explained_once(trace):
    seen = []

    def visit(explanation):
        seen.append(explanation.address)
        for child in explanation.children:
            visit(child)

    visit(trace.explain("logits", -1, 0, depth=8))
    assert len(seen) == len(set(seen)) > 50


def test_a_tree_that_nobody_would_read_is_refused(trace, monkeypatch):
    monkeypatch.setattr("llmtrace.explain.LARGEST_TREE", 50)
    with pytest.raises(AddressError, match=r"ask for a depth of at most \d+"):
        trace.explain("logits", -1, 0, depth=60)
    with pytest.raises(AddressError, match="at least 1"):
        trace.explain("logits", -1, 0, depth=0)


def test_a_depth_beyond_the_beginning():
    trace = small_gpt().trace([1])
    deep = trace.explain("block.0.ln_1", 0, 0, depth=10**20)
    assert deep.to_dict() == trace.explain("block.0.ln_1", 0, 0, depth=9).to_dict()


def test_a_sample_of_everything(trace):
    everything = verify(trace)
    assert verify_sample(trace, 10**20) == verify_sample(trace, everything) == everything
    done = []
    assert verify_sample(trace, everything - 1, progress=done.append) == everything - 1
    assert done == [name for name in trace if trace[name].output.size]


def test_a_sample_finds_what_is_wrong(trace):
    """Where many numbers of a step are drawn, as where few are."""
    wrong = copy.copy(trace)
    wrong._arrays = dict(trace._arrays) | {"logits": trace.tensor("logits") + np.float32(1)}
    for count in (len(trace) * 5, verify(trace) - 1):
        with pytest.raises(ReplayError, match="logits"):
            verify_sample(wrong, count)


def test_foreign_rounding_changes_no_explanation(trace, rounding_up):
    loud = [trace.explain(address, depth=2) for address in ADDRESSES]
    texts = [exact_text(explanation) for explanation in loud]
    ctypes.CDLL(ctypes.util.find_library("m")).fesetround(0)
    for explanation, text, address in zip(loud, texts, ADDRESSES, strict=True):
        quiet = trace.explain(address, depth=2)
        assert quiet.to_dict() == explanation.to_dict()
        assert exact_text(quiet) == text


@pytest.mark.parametrize("width", [1, 3, 6, 12, 48])
def test_foreign_rounding_changes_no_score(width, rounding_up):
    q = (np.arange(2 * width, dtype=np.float64) / 7).reshape(1, 2, width)
    loud = OPS["attention_scores"].forward(q, q)
    ctypes.CDLL(ctypes.util.find_library("m")).fesetround(0)
    assert same_bits(loud, OPS["attention_scores"].forward(q, q))


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("logits", ("logits", [], {})),
        ("logits[1, 2]", ("logits", [1, 2], {})),
        ("a.b[head=1, key=-2]", ("a.b", [], {"head": 1, "key": -2})),
        ('logits[-1, " mat"]', ("logits", [-1, " mat"], {})),
        ("logits[0, 'it\\'s']", ("logits", [0, "it's"], {})),
        ('logits[0, "a\\"], [b,\\n"]', ("logits", [0, 'a"], [b,\n'], {})),
    ],
)
def test_addresses(address, meant):
    assert parse(address) == meant


@pytest.mark.parametrize(
    "address",
    [
        "logits[",
        "logits[1",
        "logits[x y]",
        "logits[1 2]",
        "logits[1,]",
        "logits[,]",
        "logits[head=1, 2]",
        "logits[a=1, a=2]",
    ],
)
def test_addresses_that_can_not_be_read(address):
    with pytest.raises(AddressError):
        parse(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("block.0.atn.q[0, 0, 0]", "block.0.attn.q"),
        ("logits[0]", "needs vocabulary as well"),
        ("logits[0, 0, 0]", "2 axes"),
        ("logits[0, 99]", "vocabulary"),
        ("logits[head=0, position=0]", "no axis 'head'"),
        ("logits[0, 'Z']", "'Z'"),
        ("block.0.attn.scores[0, 'B', 0]", "several places"),
    ],
)
def test_a_wrong_address_says_what_there_is(trace, address, said):
    with pytest.raises(LlmtraceError, match=said) as caught:
        trace.explain(address)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "axes"), [("attn.scores", {"query": 1, "key": 0}), ("attn.q", {"position": 1, "feature": 0})]
)
def test_after_a_cache_a_place_is_told_in_the_whole_text_too(name, axes):
    model, cache = small_gpt(), KVCache()
    model.logits("CBA", cache)
    text = as_text(model.trace("BB", cache).explain(f"block.0.{name}", head=0, **axes))
    assert f"({next(iter(axes))} 1 is place 4 of the text: 3 tokens were read before)" in " ".join(text.split())
    assert "of the text" not in as_text(model.trace("CBABB").explain(f"block.0.{name}", head=0, **axes))


def test_the_depth_that_is_offered_instead_can_be_had(trace, monkeypatch):
    monkeypatch.setattr("llmtrace.explain.LARGEST_TREE", 50)
    with pytest.raises(AddressError) as refusal:
        trace.explain("logits", -1, 0, depth=60)
    offered = int(re.search(r"a depth of at most (\d+)", str(refusal.value))[1])
    assert trace.explain("logits", -1, 0, depth=offered).children


def test_a_sample_draws_from_all_of_a_step(trace):
    wrong, logits = copy.copy(trace), trace.tensor("logits").copy()
    logits[:, -1] += 1
    wrong._arrays = dict(trace._arrays) | {"logits": logits}
    with pytest.raises(ReplayError, match="logits"):
        sum(verify_sample(wrong, len(trace), seed) for seed in range(20))


def test_after_a_cache_tokens_are_those_that_were_read_now():
    model, cache = small_gpt(), KVCache()
    model.logits("CB", cache)
    trace = model.trace("ABC", cache)
    assert [trace.label("position", place) for place in range(3)] == ["A", "B", "C"]
    assert trace.label("key", 0) == "C"
    assert "about place 2 of a text" in trace.explain("embed.position", 0, 0).sentence


def test_an_explanation_without_lines_explains_nothing():
    data = small_gpt().trace([0, 2, 1]).explain("logits", -1, 1).to_dict()
    assert Explanation.from_dict(data).replay()
    with pytest.raises(ReplayError, match="no line says how it was computed"):
        Explanation.from_dict({**data, "lines": []}).replay()
