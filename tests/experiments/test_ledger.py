"""The account of a score: exact as fractions, near to a direct computation in float64. The logit lens."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.small_llamas import small_llama
from helpers.small_models import small_gpt
from hypothesis import given
from hypothesis import strategies as st

import llmtrace
from llmtrace.errors import EditError
from llmtrace.experiments.ledger import EMBEDDING, HEAD, MLP, POSITION, ROUNDING, Scale, ledger
from llmtrace.experiments.lens import lens

P = "The king had a child, a girl, and the old lamp will belong to"
MODELS = [small_gpt("ABCDE", seed=seed, blocks=1 + seed % 3) for seed in range(3)] + [small_llama()]
MODELS += [small_gpt("ABCDE", seed=3, epsilon=0.5), small_llama(epsilon=0.5)]


@pytest.fixture(scope="module")
def story():
    return llmtrace.load().trace(P)


@given(st.data())
def test_it_balances_exactly(data):
    model = data.draw(st.sampled_from(MODELS))
    trace = model.trace(data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=9)))
    position, token = data.draw(st.integers(0, trace.shape("logits")[0] - 1)), data.draw(st.integers(0, 4))
    found = ledger(trace, position, token, neurons=data.draw(st.booleans()), sources=data.draw(st.booleans()))
    assert found.balances
    assert found.total == Fraction(float(trace.tensor("logits")[position, token]))
    rounding = sum((abs(e.amount) for e in found.entries if e.title == ROUNDING), Fraction(0))
    assert rounding < Fraction(1, 10_000)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_whole_numbers_lose_nothing(x):
    for dtype in ("float32", "float64"):
        scale = Scale(dtype)
        assert Fraction(int(scale(np.array([x], dtype))[0]), scale.unit) == Fraction(x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_smallest_and_the_largest_numbers_lose_nothing(dtype):
    limits = np.finfo(dtype)
    ends = [limits.smallest_subnormal, limits.tiny, limits.eps, limits.max]
    numbers = np.array([sign * x for x in ends for sign in (1, -1)], dtype)
    numbers = np.concatenate([numbers, np.nextafter(numbers, numbers.dtype.type(0))])
    scale = Scale(dtype)
    assert [Fraction(n, scale.unit) for n in scale(numbers)] == [Fraction(float(x)) for x in numbers]


def by_float64(trace, block, head, position, token):
    """What a head adds to a score, the plain way (Elhage et al. 2021)."""
    mix = trace.tensor(f"block.{block}.attn.mix")[head, position].astype(np.float64)
    width = len(mix)
    out = trace.weights[f"block.{block}.attn.out.weight"].data.astype(np.float64)
    return of_row(trace, mix @ out[head * width : (head + 1) * width], position, token)


def of_row(trace, row, position, token):
    """What a row of the stream adds to a score."""
    weights = {name: weight.data.astype(np.float64) for name, weight in trace.weights.items()}
    stream = trace.tensor(trace["ln_f"].record.inputs[0])[position].astype(np.float64)
    spread = np.sqrt(stream.var() + trace["ln_f"].settings["epsilon"])
    return ((row - row.mean()) / spread * weights["ln_f.gain"]) @ weights["embed.token.weight"][token]


def test_a_row_of_the_stream_has_its_share_as_an_exact_fraction(story):
    trace = story
    stream = trace.tensor(trace["ln_f"].record.inputs[0])[5].astype(np.float64)
    spread = Fraction(float(np.sqrt(np.mean((stream - stream.mean()) ** 2) + trace["ln_f"].settings["epsilon"])))
    gain, column = trace.weights["ln_f.gain"].data, trace.weights["embed.token.weight"].data[323]
    weights = [Fraction(float(g)) * Fraction(float(c)) for g, c in zip(gain, column, strict=True)]
    entries = [e for e in ledger(trace, 5, 323).entries if e.title in {EMBEDDING, MLP} and e.of in trace]
    assert {e.title for e in entries} >= {MLP}
    for entry in entries:
        row = [Fraction(float(x)) for x in trace.tensor(entry.of)[5]]
        mean = sum(row) / len(row)
        assert entry.amount == sum((x - mean) * w for x, w in zip(row, weights, strict=True)) / spread


def test_heads_agree_with_a_direct_computation(story):
    for position, token in [(16, 288), (5, 17), (0, 0)]:
        heads = [entry for entry in ledger(story, position, token).entries if entry.title == HEAD]
        assert len(heads) == 12
        for entry in heads:
            assert float(entry.amount) == pytest.approx(
                by_float64(story, entry.block, entry.head, position, token), abs=1e-5
            )


@given(st.data())
def test_parts_are_what_they_are_called(data):
    trace = data.draw(st.sampled_from([model for model in MODELS if "embed.position.weight" in model.weights])).trace(
        "ABCAD"
    )
    position, token = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 4))
    entries = [entry for entry in ledger(trace, position, token).entries if entry.title in (EMBEDDING, POSITION, MLP)]
    assert len(entries) > 2
    for entry in entries:
        name = {EMBEDDING: "embed.token", POSITION: "embed.position", MLP: f"block.{entry.block}.mlp.down"}[entry.title]
        row = trace.tensor(name)[position].astype(np.float64)
        assert float(entry.amount) == pytest.approx(of_row(trace, row, position, token), abs=1e-5)


def parts(account, block, head):
    """What a head, or the MLP, of a block has in an account."""
    found = (
        e.amount for e in account.entries if (e.block, e.head) == (block, head) and (head is not None or "mlp" in e.of)
    )
    return sum(found, Fraction(0))


def test_sources_and_neurons_are_parts_of_heads_and_mlps(story):
    whole, split = ledger(story, 16, 288), ledger(story, 16, 288, neurons=True, sources=True)
    for block in range(3):
        for head in range(4):
            assert parts(whole, block, head) == parts(split, block, head)
        assert float(parts(whole, block, None)) == pytest.approx(float(parts(split, block, None)), abs=1e-4)


def test_why_her_and_not_his(story):
    her, him = (next(i for i in range(768) if story.token_text(i) == text) for text in (" her", " him"))
    found = ledger(story, 16, her).less(ledger(story, 16, him))
    assert found.balances
    assert found.total == ledger(story, 16, her).total - ledger(story, 16, him).total
    best = max((e for e in found.entries if e.title == HEAD), key=lambda e: e.amount)
    assert (best.block, best.head) == (2, 2)  # which looks at ' girl'
    source = ledger(story, 16, her, sources=True).less(ledger(story, 16, him, sources=True))
    most = max((e for e in source.entries if e.title == HEAD), key=lambda e: e.amount)
    assert story.tokens[most.source] == " girl"


def test_places_are_counted_from_the_end_too(story):
    assert ledger(story, -1, -1) == ledger(story, 16, story.shape("logits")[1] - 1)


def test_the_lens_ends_in_the_table_of_the_model(story):
    looks = lens(story, 16)
    assert [name for name, _ in looks] == ["embed", *(f"block.{n}.residual_out" for n in range(3))]
    assert looks[-1][1].tobytes() == story.tensor("probabilities")[16].tobytes()
    assert len(lens(story, 16, attention=True)) == 7


def test_a_batch_is_refused():
    with pytest.raises(EditError, match="an account needs the run of one text"):
        ledger(llmtrace.load().trace([[1, 2], [3, 4]]), 0, 0)
