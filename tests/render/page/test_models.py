"""The model in JavaScript: one checksum over all tensors of a run, the same as Python's; and the same choice of tokens."""

import json
import random
from dataclasses import asdict, replace

import numpy as np
import pytest
from helpers.fresh import some
from helpers.javascript import edited, packed, run
from helpers.small_llamas import small_llama
from helpers.small_models import small_config, small_gpt, tensors

import llmtrace
from llmtrace.models import GPT, Sampling
from llmtrace.models.llama import LAYOUTS
from llmtrace.render.page_data import family
from llmtrace.render.page_file import assembled
from llmtrace.render.page_tokenizer import tokenizer_data
from llmtrace.trace.checksum import checksum
from llmtrace.weights.gpt import GPT2

SENTENCE = "The king had a child, a girl, and the old lamp will belong to"


@pytest.fixture(scope="module")
def model():
    return llmtrace.load()


def asked(model, cases):
    """What the driver needs: the model, and what to do."""
    weights = {
        name: {"own": weight.name, "axes": list(weight.axes), "tensor": packed(weight.data)}
        for name, weight in model.weights.items()
    }
    return {**kind(model), "weights": weights, "tokenizer": tokenizer_data(model.tokenizer), "cases": cases}


def kind(model):
    """Which model of the page it is, and its sizes."""
    return {"family": family(model.trace([0])), "config": asdict(model.config)}


def texts(count, seed=0):
    """Sentences of the words of one, in any order, and of anything."""
    chance = random.Random(seed)
    words = [*SENTENCE.split(), "…", "Émile", "12", "\n\n", "don't", "中文", "🙂", "x" * 9, "\u2028", "</script>"]
    return [" ".join(chance.choices(words, k=chance.randint(1, 12))) for _ in range(count)]


@pytest.fixture(scope="module")
def answers(model):
    cases = [{"text": text} for text in [SENTENCE, *some(texts(30), 6)]]
    return list(zip(cases, run("runs.mjs", asked(model, cases)), strict=True))


def test_the_checksum_is_that_of_python(model, answers):
    for case, answer in answers:
        assert answer["ids"] == model.tokenizer.encode(case["text"]), case
        assert answer["checksum"] == checksum(model.trace(case["text"])), case


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("gpt.js", "[x], { epsilon });\n  return", "[x], { epsilon: epsilon * 1.0001 });\n  return"),
        ("gpt.js", '"add", [token, position]', '"add", [token, token]'),
        ("ops/rows.js", "add(multiply(divide(each, spread), gain.data[i])", "add(f32((each / spread) * gain.data[i])"),
        (
            "ops/linear.js",
            "let [a, b, c, d] = [0, 0, 0, 0];",
            "let [a, b, c, d] = [0, 0, 0, 1e-9];",
        ),
        ("checksum.js", ".sort()", ""),
        ("sha256.js", "rotated(late, 19)", "rotated(late, 18)"),
    ],
)
def test_a_planted_error_is_caught(file, before, after, tmp_path):
    model = bare_gpt(small_config(width=24, epsilon=0.01))
    with pytest.raises(AssertionError):
        expect_same(model, drawn(model, 6, 8), page=edited(tmp_path, file, before, after))


def test_an_error_planted_in_the_tokenizer_is_caught(model, tmp_path):
    text = texts(5)[-1]
    copy = edited(tmp_path, "tokenizer.js", "rank < best.rank", "place > best.place")
    (answer,) = run("runs.mjs", asked(model, [{"text": text}]), page=copy)
    assert answer["checksum"] != checksum(model.trace(text))


def test_every_kind_of_number_is_explained(model):
    trace = model.trace(SENTENCE)
    rng = np.random.default_rng(0)
    places = [[name, [int(rng.integers(size)) for size in trace.shape(name)]] for name in trace for _ in range(3)]
    (answer,) = run("runs.mjs", asked(model, [{"text": SENTENCE, "explained": places}]))
    for (name, index), told in zip(places, answer["told"], strict=True):
        explanation = trace.explain(name, *index)
        assert told["same"]
        assert told["lines"] == len(explanation.lines)
        assert float(str(told["value"])) == float(explanation.value), (name, index)


LLAMAS = [
    {"layout": layout, "kv_heads": kv_heads, "qkv_bias": kv_heads == 4, "base": base}
    for layout in LAYOUTS
    for kv_heads, base in ((1, 100.0), (2, 10000.0), (4, 500000.0))
]
GPTS = [
    {"activation": "gelu"},
    {"activation": "relu", "divided_by_root": False},
    {"activation": "silu", "divided_by_layer": True},
    {"activation": "tanh"},
]


def drawn(model, count, longest, seed=0):
    """Cases of any tokens; half of them read token by token, or a few at a time."""
    chance = random.Random(seed)
    found = []
    for _unused in range(count):
        ids = chance.choices(range(model.config.vocabulary), k=chance.randint(1, longest))
        found.append({"ids": ids, "from": sorted(chance.sample(range(1, len(ids)), chance.randrange(len(ids))))})
    return found


def bare_gpt(config):
    """A GPT without a tokenizer."""
    return GPT(config, GPT2.weights(config, tensors(config), "random"))


def expect_same(model, cases, **options):
    """AssertionError where a checksum is not Python's."""
    for case, answer in zip(cases, run("runs.mjs", asked(model, cases), **options), strict=True):
        assert answer["checksum"] == checksum(model.trace(case["ids"])), case


@pytest.mark.parametrize("changed", LLAMAS, ids=str)
def test_llamas(changed):
    model = small_llama(**changed)
    expect_same(model, some(drawn(model, 6, 23), 3))


@pytest.mark.parametrize("changed", GPTS, ids=str)
def test_other_gpts(changed):
    model = bare_gpt(replace(small_config(), **changed))
    expect_same(model, drawn(model, 6, 8))


@pytest.mark.parametrize("name", ["jielong", "tiny", "storyteller"])
def test_with_the_numbers_of_earlier_tokens(name):
    model = llmtrace.load(name)
    expect_same(model, some(drawn(model, 6, min(40, model.config.context), seed=2), 3))


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("turns.js", "const BITS = 300n", "const BITS = 24n"),
        ("turns.js", "[-sine, cosine]", "[sine, cosine]"),
        ("llama.js", 'layout === "interleaved"', 'layout !== "interleaved"'),
        (
            "llama.js",
            '[run.do(`${name}.gate`, "linear", [x])]',
            '[run.do(`${name}.gate`, "linear", [x], {}, `${name}.up`)]',
        ),
        ("ops/heads.js", "Math.floor(head / copies) * size", "(head % heads) * size"),
        ("growing.js", "(i * rows + before) * size", "i * rows * size"),
        ("growing.js", ".fill(unseen)", ""),
    ],
)
def test_an_error_planted_in_llama_or_in_the_cache_is_caught(file, before, after, tmp_path):
    model = small_llama(**LLAMAS[1])
    with pytest.raises(AssertionError):
        expect_same(model, drawn(model, 3, 23), page=edited(tmp_path, file, before, after))


ENCODER = """
class TextEncoder {
  encode(text) {
    return Uint8Array.from(unescape(encodeURIComponent(text)), (letter) => letter.charCodeAt(0));
  }
}
"""
"""What QuickJS lacks."""
DRIVER = """
const bytesFrom = (hex) => Uint8Array.from(hex.match(/../g), (digits) => parseInt(digits, 16));
function sumsOf(asked) {
  const { family, config, weights, cases } = JSON.parse(asked);
  const known = new Map();
  for (const [name, { own, axes, shape, hex }] of Object.entries(weights)) {
    known.set(name, { data: new Float32Array(bytesFrom(hex).buffer), shape, axes, name: own });
  }
  return JSON.stringify(cases.map((ids) => checksum(runModel({ family, config, weights: (name) => known.get(name) }, ids))));
}
"""


@pytest.mark.parametrize("model", [small_gpt(), small_llama("ABC")], ids=["gpt", "llama"])
def test_another_engine_gives_the_same_bits(model):
    """QuickJS shares no code with V8; it is slow, so the models are small."""
    quickjs = pytest.importorskip("quickjs", reason="needs quickjs-ng")
    chance = random.Random(1)
    cases = some([chance.choices(range(3), k=chance.randint(1, 8)) for _ in range(50)], 5)
    weights = {
        name: {
            "own": weight.name,
            "axes": list(weight.axes),
            "shape": list(weight.data.shape),
            "hex": hexadecimal(weight),
        }
        for name, weight in model.weights.items()
    }
    context = quickjs.Context()
    context.eval(ENCODER + assembled("models.js", "checksum.js") + DRIVER)
    found = json.loads(context.get("sumsOf")(json.dumps({**kind(model), "weights": weights, "cases": cases})))
    assert found == [checksum(model.trace(ids)) for ids in cases]


def hexadecimal(weight):
    return np.ascontiguousarray(weight.data, "<f4").tobytes().hex()


CHOICES = [
    {"temperature": 0},
    {},
    {"temperature": 0.7, "seed": 3},
    {"topK": 5, "seed": 2**40},
    {"topP": 0.4, "seed": 7},
    {"temperature": 1.5, "topK": 40, "topP": 0.9, "seed": -1},
]


def test_the_choice_is_that_of_generate(model):
    settings = [Sampling(s.get("temperature", 1.0), s.get("topK"), s.get("topP"), s.get("seed", 0)) for s in CHOICES]
    generated = [[choice.id for choice in model.generate(SENTENCE, 1, sampling)] for sampling in settings]
    (answer,) = run("runs.mjs", asked(model, [{"text": SENTENCE, "choices": [[0, s] for s in CHOICES]}]))
    assert [[token] for token in answer["chosen"]] == generated
