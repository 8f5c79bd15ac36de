"""The Transformer: what it computes, its cache, its files, its words."""

import math
from functools import partial

import numpy as np
import pytest
from helpers.small_models import small_transformer

import llmtrace
from llmtrace.errors import ModelError, PromptError
from llmtrace.explain.describe import sentence
from llmtrace.explain.verify import verify
from llmtrace.models import KVCache, Transformer, TransformerConfig
from llmtrace.models.sinusoids import sinusoids
from llmtrace.tokenizers import UnigramTokenizer
from llmtrace.training import Settings, Trainer
from llmtrace.weights import save_folder
from llmtrace.weights.transformer import TRANSFORMER

CONFIG = TransformerConfig(vocabulary=12, context=9, width=8, heads=2, blocks=2, hidden=16, start=1)
SOURCE, TARGET = [5, 9, 7, 5, 11], [1, 8, 4, 6]
WORDS = ["<unknown>", "<start>", "<end>", "?", "▁wo", "▁bist", "▁du", "▁ich", "▁where", "▁are", "▁you", "▁I"]


@pytest.fixture(scope="module")
def model():
    return small_transformer(CONFIG)


@pytest.fixture(scope="module")
def trace(model):
    return model.trace(SOURCE, target=TARGET)


def test_it_computes_what_the_paper_says(model, trace):
    def weight(name):
        return model.weights[name].data.astype(float)

    def linear(x, name):
        return x @ weight(f"{name}.weight") + weight(f"{name}.bias")

    def attention(x, memory, name, causal=False):
        parts = [linear(y, f"{name}.{part}") for part, y in zip("qkv", (x, memory, memory), strict=True)]
        q, k, v = (np.moveaxis(p.reshape(len(p), 2, 4), 1, 0) for p in parts)
        scores = q @ np.swapaxes(k, 1, 2) / 2
        scores = np.where(np.tri(*scores.shape[1:], dtype=bool) | (not causal), scores, -np.inf)
        shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        return linear(np.moveaxis(shares @ v, 0, 1).reshape(len(x), 8), f"{name}.out")

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return scaled * weight(f"{name}.gain") + weight(f"{name}.bias")

    def mlp(x, name):
        return linear(np.maximum(linear(x, f"{name}.up"), 0), f"{name}.down")

    def rows(ids):
        angles = np.arange(len(ids))[:, None] / 10000 ** (np.arange(8) // 2 * 2 / 8)
        codes = np.where(np.arange(8) % 2, np.cos(angles), np.sin(angles))
        return weight("embed.token.weight")[ids] * math.sqrt(8) + codes

    x = rows(SOURCE)
    for n in range(2):
        b = f"encoder.block.{n}"
        x = norm(x + attention(x, x, f"{b}.attn"), f"{b}.ln_1")
        x = norm(x + mlp(x, f"{b}.mlp"), f"{b}.ln_2")
    memory, x = x, rows(TARGET)
    for n in range(2):
        b = f"decoder.block.{n}"
        x = norm(x + attention(x, x, f"{b}.attn", causal=True), f"{b}.ln_1")
        x = norm(x + attention(x, memory, f"{b}.cross"), f"{b}.ln_2")
        x = norm(x + mlp(x, f"{b}.mlp"), f"{b}.ln_3")
    np.testing.assert_allclose(trace.tensor("encoder.block.1.ln_2"), memory, atol=1e-5)
    np.testing.assert_allclose(trace.tensor("logits"), x @ weight("embed.token.weight").T, atol=1e-5)


def test_the_codes_of_places_are_the_sines_and_cosines_of_the_paper():
    codes = sinusoids(9, 8)
    assert codes.dtype == np.float32
    assert codes[:, 0] == pytest.approx([math.sin(p) for p in range(9)], abs=1e-7)
    assert codes[:, 7] == pytest.approx([math.cos(p / 1000) for p in range(9)], abs=1e-7)


def test_the_cache_keeps_what_the_decoder_needs_of_the_source(model, trace):
    reading, cache = model.reading(np.array(SOURCE)), KVCache()
    rows = [reading.logits([token], cache) for token in TARGET[:-1]]
    last = reading.trace(TARGET[-1:], cache)
    assert np.concatenate([*rows, last.tensor("logits")]).tobytes() == trace.tensor("logits").tobytes()
    assert not any(name.startswith("encoder.") for name in last)
    assert last.tensor("decoder.block.0.cross.k").tobytes() == trace.tensor("decoder.block.0.cross.k").tobytes()
    verify(last)


def test_a_batch_has_the_bits_of_each_text_alone(model, trace):
    others = [SOURCE[::-1], SOURCE], [TARGET[::-1], TARGET]
    together = model.trace(others[0], target=others[1])
    for name in ("encoder.block.1.ln_2", "decoder.block.1.cross.pattern", "logits"):
        assert together.tensor(name)[1].tobytes() == trace.tensor(name).tobytes()
    assert together.label("source", 0, 1) == "5"
    assert together.label("source", 0) is None


def test_what_is_written_does_not_see_ahead_but_sees_all_of_the_source(model, trace):
    later = model.trace(SOURCE, target=[*TARGET[:-1], 11])
    assert later.tensor("logits")[:-1].tobytes() == trace.tensor("logits")[:-1].tobytes()
    other = model.trace([*SOURCE[:-1], 3], target=TARGET)
    assert (other.tensor("encoder.block.0.ln_1")[0] != trace.tensor("encoder.block.0.ln_1")[0]).any()
    assert (other.tensor("logits")[0] != trace.tensor("logits")[0]).any()


def test_every_step_has_words_and_every_sentence_can_be_filled(trace):
    for step in trace.steps:
        found = trace.legend.of(step.name)
        assert found is not None, step.name
        explained = trace.explain(step.name, *[0] * len(step.record.shape))
        said = sentence(trace, step.name, (0,) * len(step.record.shape))
        assert "{" not in said, step.name
        assert said != step.name
        assert explained.replay() is not None
    for name in ("source", "encoder.embed.position", "decoder.embed.position"):
        assert sentence(trace, name, (0,) * len(trace.shape(name))) != name


def test_a_trace_file_knows_the_source(tmp_path, model, trace):
    trace.save(tmp_path / "t", with_weights=True)
    read = llmtrace.open(tmp_path / "t")
    verify(read)
    assert [read.label("source_key", i) for i in range(5)] == [str(i) for i in SOURCE]
    assert read.legend.of("encoder.block.0.attn.q") == trace.legend.of("encoder.block.0.attn.q")


# ---- files ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def words():
    special = {"<start>": 1, "<end>": 2}
    return UnigramTokenizer([(word, -1.0) for word in WORDS], 0, adds_space=True, special=special)


def test_a_folder_gives_the_same_bits_again(tmp_path, words):
    model = small_transformer(CONFIG, words)
    model.ends = (2,)
    save_folder(model, tmp_path / "m")
    again = llmtrace.load(tmp_path / "m")
    assert (again.config, again.ends) == (CONFIG, (2,))
    text = "wo bist du?"
    assert again.trace(text).tensor("logits").tobytes() == model.trace(text).tensor("logits").tobytes()
    assert again.weights["logits.weight"] is again.weights["embed.token.weight"]
    verify(again.trace(text))
    with pytest.raises(PromptError, match=r"can't write 'Peter\?': it has no token for 'P'"):
        again.trace("wo bist Peter?")


def test_tensors_are_called_and_lie_as_in_torch():
    shapes = TRANSFORMER.shapes(CONFIG)
    assert shapes["encoder.layers.1.self_attn.in_proj_weight"] == (24, 8)
    assert shapes["decoder.layers.0.multihead_attn.out_proj.bias"] == (8,)
    assert shapes["decoder.layers.1.linear1.weight"] == (16, 8)
    assert len(shapes) == 1 + 2 * 12 + 2 * 18
    model = small_transformer(CONFIG)
    stored = TRANSFORMER.tensors(CONFIG, model.weights)["encoder.layers.0.self_attn.in_proj_weight"]
    parts = [model.weights[f"encoder.block.0.attn.{name}.weight"].data.T for name in "qkv"]
    assert (stored == np.concatenate(parts)).all()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"d_model": 7}, "can't be split into 2 heads"),
        ({"nhead": None}, "nhead is missing"),
        ({"num_layers": True}, "num_layers must be a whole number from 1 to 10,000, not true"),
        ({"decoder_start_token_id": 12}, "there is no token 12"),
        ({"layer_norm_eps": 0}, "layer_norm_eps must be a number above 0"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(changed, said):
    from llmtrace.weights.families import read_settings

    data = TRANSFORMER.write_config(CONFIG, True)
    assert read_settings(data, "c")[1] == CONFIG
    with pytest.raises(ModelError, match=said):
        read_settings({**data, **changed}, "c")


# ---- writing -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def learnt(words):
    """A model that has learnt two sentences by heart."""
    pairs = [("wo bist du?", "where are you?"), ("wo bist ich?", "where are I?")]
    source = np.array([words.encode(a) for a, _b in pairs])
    target = np.array([[1, *words.encode(b), 2] for _a, b in pairs])
    settings = Settings(steps=50, rate=3e-2, warmup=3, decay=0.0)
    trainer = Trainer(TRANSFORMER.initial(CONFIG, 0), settings)

    def part(run, start):
        reading = Transformer(CONFIG, trainer.state.weights).reading(source)
        return reading.loss(run, target[:, :-1].copy(), target[:, 1:].copy(), target[:, 1:].size, start)

    losses = [trainer.step([partial(part)]).loss for _ in range(settings.steps)]
    assert losses[-1] < 0.1 < 1 < losses[0]
    model = Transformer(CONFIG, trainer.state.weights, words, "learnt")
    model.ends = (2,)
    return model


def test_it_answers_and_stops_at_its_end_token(learnt):
    assert learnt.answer("wo bist du?") == "where are you?"
    assert learnt.answer("wo bist ich?") == "where are I?"
    generation = learnt.generate("wo bist du?", 9)
    assert [choice.text for choice in generation] == [" where", " are", " you", "?", "<end>"]
    whole = generation.trace()
    verify(whole)
    assert whole.origin.text == "wo bist du?"
    assert whole.tensor("source").tolist() == [4, 5, 6, 3]
    last = generation.last_trace()  # of the choice of the end token, which the whole text has read
    assert last.tensor("logits")[-1].tobytes() == whole.tensor("logits")[-2].tobytes()


def test_a_trace_of_a_text_is_that_of_its_answer(learnt):
    trace = learnt.trace("wo bist du?")
    assert trace.tokens == ["<start>", " where", " are", " you", "?"]
    assert trace.token_text(int(trace.tensor("next_token")[-1])) == "<end>"
    assert (learnt.logits("wo bist du?") == trace.tensor("logits")).all()


def test_what_can_not_be_read_is_refused(learnt):
    with pytest.raises(PromptError, match="has 10 tokens, but this model reads at most 9"):
        learnt.trace([4] * 10)
    with pytest.raises(PromptError, match="one text at a time"):
        learnt.generate(["wo bist du?", "wo bist du?"])
    with pytest.raises(PromptError, match="is empty"):
        learnt.trace("")
