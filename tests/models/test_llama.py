"""Llama against a plain float64 forward written from the paper; its cache, batches, gradients, and what is asked of traces."""

import numpy as np
import pytest
from helpers.small_llamas import small_llama, small_llama_config
from hypothesis import given
from hypothesis import strategies as st

import llmtrace
from llmtrace.errors import ModelError
from llmtrace.experiments.compare import compare
from llmtrace.experiments.what_if import what_if
from llmtrace.explain.verify import verify
from llmtrace.models import KVCache, Llama, Sampling
from llmtrace.ops import Weight
from llmtrace.testing import expect_same_bits
from llmtrace.trace import Backward, Run, Trace

IDS = [0, 3, 1, 4, 2, 2, 0, 1, 3]
KINDS = {
    "grouped": {},
    "interleaved": {"layout": "interleaved", "base": 10000.0},
    "one head of keys": {"kv_heads": 1, "head_size": 4},
    "a head of keys for each": {"kv_heads": 4, "qkv_bias": True},
    "biases": {"qkv_bias": True, "out_bias": True},
}


def norm(x, gain, epsilon):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * gain


def turned(x, config):
    """Complex numbers times e^(i·angle), as in the paper."""
    pairs = config.head_size // 2
    angles = np.arange(x.shape[1])[:, None] * config.base ** (-np.arange(pairs) / pairs)
    first, second = (
        (slice(0, None, 2), slice(1, None, 2)) if config.layout == "interleaved" else (slice(pairs), slice(pairs, None))
    )
    z = (x[..., first] + 1j * x[..., second]) * np.exp(1j * angles)
    out = np.empty_like(x)
    out[..., first], out[..., second] = z.real, z.imag
    return out


def plain_forward(model, ids):
    """The logits in float64, with no code of the package."""
    c, w = model.config, {name: weight.data.astype(np.float64) for name, weight in model.weights.items()}
    x = w["embed.token.weight"][ids]
    for n in range(c.blocks):
        b = f"block.{n}."
        y = norm(x, w[b + "ln_1.gain"], c.epsilon)
        q, k, v = (y @ w[f"{b}attn.{name}.weight"] + w.get(f"{b}attn.{name}.bias", 0) for name in "qkv")
        q, k, v = (a.reshape(len(ids), -1, c.head_size).swapaxes(0, 1) for a in (q, k, v))
        q, k = turned(q, c), turned(k, c)
        group = c.heads // c.kv_heads
        mixes = []
        for head in range(c.heads):
            scores = q[head] @ k[head // group].T / np.sqrt(c.head_size)
            scores[np.triu_indices(len(ids), 1)] = -np.inf
            e = np.exp(scores - scores.max(axis=-1, keepdims=True))
            mixes.append(e / e.sum(axis=-1, keepdims=True) @ v[head // group])
        x = x + np.concatenate(mixes, axis=-1) @ w[b + "attn.out.weight"] + w.get(b + "attn.out.bias", 0)
        y = norm(x, w[b + "ln_2.gain"], c.epsilon)
        gate = y @ w[b + "mlp.gate.weight"]
        x = x + (gate / (1 + np.exp(-gate)) * (y @ w[b + "mlp.up.weight"])) @ w[b + "mlp.down.weight"]
    return norm(x, w["ln_f.gain"], c.epsilon) @ w["logits.weight"].T


@pytest.mark.parametrize("changed", KINDS.values(), ids=KINDS)
def test_the_logits_are_those_of_the_paper(changed):
    model = small_llama(**changed)
    np.testing.assert_allclose(model.logits(IDS), plain_forward(model, IDS), rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("changed", KINDS.values(), ids=KINDS)
def test_token_by_token_and_in_batches_are_the_same_bits(changed):
    model = small_llama(**changed)
    whole, cache = model.logits(IDS), KVCache()
    parts = [model.logits(part, cache) for part in (IDS[:3], IDS[3:4], IDS[4:])]
    expect_same_bits(np.concatenate(parts), whole, "with a cache", "")
    trace, cache = model.trace(IDS), KVCache()
    model.logits(IDS[:5], cache)
    later = model.trace(IDS[5:], cache)
    for name in ("block.1.attn.k.rotated", "block.1.attn.scores", "logits"):
        ours, full = later.tensor(name), trace.tensor(name)
        expect_same_bits(np.array(ours), np.ascontiguousarray(full[..., 5:, :]), name, "")
    later.explain("block.1.attn.scores[head=3, query=2, key=1]", depth=3).replay()
    both = model.logits([IDS, IDS[::-1]])
    expect_same_bits(both[0], whole, "in a batch", "")
    expect_same_bits(both[1], model.logits(IDS[::-1]), "in a batch", "")


@pytest.mark.parametrize("changed", KINDS.values(), ids=KINDS)
def test_gradients_are_slopes(changed):
    model = small_llama(**changed)
    ids = np.array([IDS])

    def loss(weights):
        with Run(weights) as run:
            return float(model.loss(run, ids[:, :-1], ids[:, 1:], 8)[0].data)

    wide = {name: Weight(name, weight.data.astype(np.float64), weight.axes) for name, weight in model.weights.items()}
    wide["logits.weight"] = wide["embed.token.weight"]
    model = Llama(model.config, wide)
    trace = Trace(wide)
    with Run(wide, trace) as run:
        model.loss(run, ids[:, :-1], ids[:, 1:], 8)
        found = {name: gradient.data.copy() for name, gradient in Backward(run, trace).gradients().items()}
    assert set(found) == {weight.name for weight in wide.values()}
    rng = np.random.default_rng(0)
    for name, gradient in found.items():
        place = tuple(int(rng.integers(size)) for size in gradient.shape)
        sides = []
        for step in (1e-5, -1e-5):
            moved = wide[name].data.copy()
            moved[place] += step
            weights = {n: w.with_data(moved) if w.name == name else w for n, w in wide.items()}
            weights["logits.weight"] = weights["embed.token.weight"]
            sides.append(loss(weights))
        assert gradient[place] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-5, abs=1e-8), name


def test_a_trace_is_saved_verified_and_every_step_explained(tmp_path):
    model = small_llama(qkv_bias=True)
    trace = model.trace("ABCDECBA")
    trace.save(tmp_path / "llama.trace", with_weights=True)
    opened = llmtrace.open(tmp_path / "llama.trace")
    assert verify(opened) > 1000
    rng = np.random.default_rng(0)
    for name in opened:
        place = tuple(int(rng.integers(size)) for size in opened.shape(name))
        explanation = opened.explain(name, *place, depth=2)
        explanation.replay()
        assert opened.legend.of(name), name
    for name in opened.leaves:
        assert opened.legend.of(name), name
    rotated = opened.explain("block.0.attn.q.rotated[head=1, position=3, feature=4]")
    assert [line.operation for line in rotated.lines] == ["multiply", "multiply", "add"]
    shared = opened.explain("block.0.attn.v.shared[head=3, position=3, feature=4]")
    assert shared.lines[0].operands[0].tensor == "block.0.attn.v"


def test_the_estimate_is_what_a_trace_takes():
    for changed in KINDS.values():
        model = small_llama(**changed)
        for tokens in (1, 4):
            trace = model.trace([0] * tokens)
            names = [*trace, "rotary.cosine", "rotary.sine"]
            exact = sum(a.nbytes for a in map(trace.tensor, names) if a.dtype == np.float32)
            assert exact == 4 * model.trace_numbers(tokens)
        cache = KVCache()
        model.logits([0, 1, 2], cache)
        later = model.trace([1], cache)
        assert sum(a.nbytes for a in map(later.tensor, later) if a.dtype == np.float32) <= 4 * model.trace_numbers(1, 3)


def test_generation_what_if_and_comparison():
    model = small_llama()
    ids = [0, 1, 2]
    for choice in model.generate("ABC", 6, Sampling(seed=4)):
        expect_same_bits(np.array(choice.trace().tensor("logits")[-1]), model.logits(ids)[-1], "", "")
        ids.append(choice.id)
    trace = model.trace("ABCDE")
    changed = what_if(trace, {"block.0.attn.mix[head=1]": 0})
    assert not np.array_equal(changed.after.tensor("logits"), trace.tensor("logits"))
    assert not any(difference.differ for difference in compare(trace, model.trace("ABCDE")).steps)


def test_impossible_sizes_are_refused():
    for changed, message in (
        ({"kv_heads": 3}, "can't share"),
        ({"head_size": 5}, "in pairs"),
        ({"layout": "third"}, "there is no rotary layout"),
    ):
        with pytest.raises(ModelError, match=message):
            small_llama_config(**changed)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(1, 6), st.integers(0, 9))
def test_single_tokens_have_the_bits_of_the_whole_text_however_heads_are_shared(shared, copies, texts, length, seed):
    model = small_llama(seed=seed, heads=shared * copies, kv_heads=shared, head_size=2, width=6)
    ids = np.random.default_rng(seed).integers(0, 5, (texts, length))
    whole, cache = model.trace(ids), KVCache()
    found = np.concatenate([model.logits(ids[:, t : t + 1], cache) for t in range(length)], axis=-2)
    expect_same_bits(found, np.ascontiguousarray(whole.tensor("logits")), "token by token", "")
    cache = KVCache()
    later = [model.trace(ids[:, t : t + 1], cache).tensor("logits") for t in range(length)]
    expect_same_bits(np.concatenate(later, axis=-2), found, "recorded, token by token", "")
