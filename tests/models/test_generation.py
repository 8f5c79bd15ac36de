"""Generation: what is chosen, that a cache changes no bit, where a text slides, what ends it, and its traces."""

import math
import sys

import numpy as np
import pytest
from helpers.small_models import small_gpt

import llmtrace
from llmtrace import rng
from llmtrace.errors import PromptError
from llmtrace.explain.verify import verify
from llmtrace.models import Choice, Sampling
from llmtrace.models import cache as cache_module
from llmtrace.models import generation as generation_module
from llmtrace.models import writing as writing_module
from llmtrace.models.writing import Writing
from llmtrace.ops import OPS

GREEDY = Sampling(temperature=0)
WARM = Sampling(temperature=0.7, top_k=5, top_p=0.9, seed=3)


@pytest.fixture(scope="module")
def gpt():
    return small_gpt("ABCDEFGH", context=32)


def text(generation):
    return "".join(choice.written for choice in generation)


def test_it_goes_on_after_an_interruption_anywhere(gpt):
    """At every third line that it comes to, in a text that slides, too."""

    def begun():
        return gpt.generate("ABCDEFGH" * 4, 3, WARM, stop="XX")

    whole = begun()
    expected = [choice.written for choice in whole]
    lines, files = 0, (generation_module.__file__, writing_module.__file__, cache_module.__file__)
    while True:
        generation, left, got = begun(), lines, {}

        def traced(frame, event, _argument):
            nonlocal left
            if frame.f_code.co_filename not in files:
                return None
            if event == "line":
                left -= 1
                if left == -1:
                    raise KeyboardInterrupt
            return traced

        before = sys.gettrace()
        sys.settrace(traced)
        try:
            for choice in generation:
                got[choice.number] = choice.written
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        for choice in generation:
            assert choice.number not in got
            got[choice.number] = choice.written
        assert generation.ids == whole.ids
        assert got.items() <= dict(enumerate(expected)).items()
        assert len(got) >= len(expected) - 1  # what was done, and not yet handed out
        if left >= 0:
            break
        lines += 3
    assert lines > 300
    assert digest(generation.trace()) == digest(whole.trace())


@pytest.mark.parametrize("kind", [KeyboardInterrupt, PromptError])
def test_a_choice_that_failed_can_be_made_again(gpt, monkeypatch, kind):
    """What it was read from is in the cache already."""
    whole, generation = gpt.generate("ABC", 3, WARM), gpt.generate("ABC", 3, WARM)
    for number in range(3):
        with monkeypatch.context() as context:
            context.setattr(Sampling, "choose", raising(kind))
            for _unused in range(2):
                with pytest.raises(kind, match="that one"):
                    next(generation)
        assert next(generation).id == next(whole).id
        assert len(generation) == number + 1
    assert digest(generation.trace()) == digest(whole.trace())


def digest(trace):
    return {name: array.tobytes() for name, array in trace.each()}


def raising(kind):
    def choose(*_arguments):
        raise kind("that one")

    return choose


def plainly_chosen(scores, sampling, number):
    """One choice by the plain definition, from the scores of the last token."""
    x = (scores / np.float32(sampling.temperature)).astype(np.float32)
    x = OPS["top_k"].meaning(x, k=sampling.top_k) if sampling.top_k else x
    x = OPS["top_p"].meaning(x, p=sampling.top_p) if sampling.top_p else x
    shares = OPS["softmax"].meaning(x)
    total = np.float32(0)
    for share in shares:
        total += share
    limit, total = np.float32(rng.uniform(sampling.seed, number)) * total, np.float32(0)
    for token, share in enumerate(shares):
        total += share
        if total > limit:
            return token
    return None


def test_greedy_is_the_argmax_of_full_runs(gpt):
    ids = [1, 0, 2]
    for choice in gpt.generate(ids, 12, GREEDY):
        assert choice.id == int(gpt.trace(ids).tensor("next_token")[-1])
        assert isinstance(choice, Choice)
        assert [step.name for step in choice.steps.steps] == [
            f"choice.{choice.number}.probabilities",
            f"choice.{choice.number}.token",
        ]
        ids.append(choice.id)
    assert len(ids) == 15


@pytest.mark.parametrize(
    "sampling",
    [WARM, Sampling(), Sampling(1.5, 3), Sampling(top_p=0.5, seed=8), Sampling(3.0, 40, 1.0, -1)],
    ids=repr,
)
def test_chance_follows_the_plain_definition(gpt, sampling):
    ids = [1, 0, 2]
    for number, choice in enumerate(gpt.generate(ids, 16, sampling)):
        assert choice.id == plainly_chosen(gpt.logits(ids)[-1], sampling, number)
        assert choice.steps.tensor(f"choice.{number}.number") == np.float32(rng.uniform(sampling.seed, number))
        ids.append(choice.id)


def test_each_number_is_as_frequent_as_its_probability(gpt):
    """Exactly: for evenly spread numbers, each token comes as often as its probability says, give or take one."""
    shares = OPS["softmax"].forward(gpt.logits([1, 0, 2])[-1])
    numbers = (np.arange(4096) / 4096).astype(np.float32)
    found = OPS["sample"].forward(np.broadcast_to(shares, (4096, 8)).copy(), numbers)
    assert np.abs(np.bincount(found, minlength=8) - shares * 4096).max() <= 1


def test_the_same_seed_gives_the_same_text(gpt):
    texts = [text(gpt.generate("CAB", 20, Sampling(seed=seed))) for seed in (0, 0, 1, 2)]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 3
    before = llmtrace.get_threads()
    try:
        for threads in (1, 2):
            llmtrace.set_threads(threads)
            assert text(gpt.generate("CAB", 20)) == texts[0]
    finally:
        llmtrace.set_threads(before)


# ---- traces -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampling", [WARM, GREEDY], ids=["warm", "greedy"])
def test_all_traces_have_the_same_bits(gpt, sampling, tmp_path):
    generation = gpt.generate("CAB", 9, sampling)
    choices = list(generation)
    whole = generation.trace()
    assert whole.tokens == list("CAB") + [choice.text for choice in choices]
    for choice in choices:
        alone = choice.trace()
        for step in choice.steps.steps:
            assert whole.tensor(step.name).tobytes() == step.output.tobytes()
            assert alone.tensor(step.name).tobytes() == step.output.tobytes()
        place = 2 + choice.number
        assert alone.tensor("logits")[-1].tobytes() == whole.tensor("logits")[place].tobytes()
        assert verify(alone)
    file = tmp_path / "a.trace"
    whole.save(file, with_weights=True)
    assert verify(llmtrace.open(file)) == verify(whole)


def test_the_cache_can_be_seen(gpt):
    generation = gpt.generate("CAB", 3)
    first, second, _third = generation
    assert "block.0.attn.keys" not in first.trace()
    seen = second.trace()
    assert seen["block.0.attn.keys"].op == "concatenate"
    assert seen.shape("block.0.attn.keys.past")[-2] == 3
    assert seen.shape("tokens") == (1,)
    assert generation.last_trace().past == 4
    assert seen.tokens[:4] == [*"CAB", first.text]


def test_steps_have_their_documented_names(gpt):
    generation = gpt.generate("CAB", 2, WARM)
    list(generation)
    trace = generation.trace()
    names = ["logits", "scaled", "top_k", "top_p", "probabilities", "token"]
    assert list(trace)[-6:] == [f"choice.1.{name}" for name in names]
    assert {"choice.1.position", "choice.1.number"} < set(trace.leaves)


def test_every_number_of_a_choice_is_explained(gpt):
    generation = gpt.generate("CAB", 2, WARM)
    token = list(generation)[1].id
    trace = generation.trace()
    for name in ("logits", "scaled", "top_k", "top_p", "probabilities"):
        for place in range(8):
            explanation = trace.explain(f"choice.1.{name}", place)
            assert "new token 1" in explanation.sentence
    why = trace.explain("choice.1.token", depth=9)
    assert why.sentence == f"new token 1: {'ABCDEFGH'[token]!r}"
    assert why.value == token
    assert why.address == "choice.1.token"
    whole = {line.name: line for line in why.lines}
    assert whole["limit"].values == whole["whole total"].values * trace.tensor("choice.1.number")
    leaves = {leaf.element.tensor for leaf in walk(why)}
    assert {"choice.1.probabilities", "choice.1.scaled", "logits", "ln_f"} <= leaves


def walk(explanation):
    yield explanation
    for child in explanation.children:
        yield from walk(child)


# ---- the window -------------------------------------------------------------------------------------------------------


def test_a_long_text_slides():
    model = small_gpt(context=6)
    ids, generation = [0, 1, 2, 0], model.generate([0, 1, 2, 0], 14, Sampling(seed=5))
    starts = []
    start = 0
    for choice in generation:
        if len(ids) - start > 6:
            start = len(ids) - 3  # the newer half is read once more
        starts.append(choice.window.start)
        assert choice.window.start == start
        assert choice.window.end == len(ids)
        assert (
            choice.steps.tensor(f"choice.{choice.number}.logits").tobytes() == model.logits(ids[start:])[-1].tobytes()
        )
        assert verify(choice.trace())
        ids.append(choice.id)
    assert generation.ids == ids
    assert generation.slid
    assert sorted(set(starts)) == [0, 4, 8, 12]
    trace = generation.trace()
    assert trace.tokens == ["ABC"[i] for i in ids[start:][:6]]
    assert [n for n in trace if n.startswith("choice") and n.endswith(".token")] == [
        f"choice.{n}.token" for n in (11, 12, 13)
    ]
    assert verify(trace)


def test_a_prompt_longer_than_the_context_is_read_from_where_it_fits():
    model = small_gpt(context=6)
    generation = model.generate([0, 1, 2, 0, 1, 2, 0, 1], 2, GREEDY)
    assert generation.slid
    first, second = generation
    assert first.id == int(model.logits([2, 0, 1, 2, 0, 1])[-1].argmax())
    assert (first.window.start, second.window.start) == (2, 6)
    assert list(small_gpt(context=1).generate([0, 1], 3))[-1].window.start == 3


# ---- what ends it -----------------------------------------------------------------------------------------------------


def test_stops(gpt):
    free = text(gpt.generate("CAB", 30, Sampling(seed=4)))
    for stop in (free[3], free[2:5], free[6:9]):
        generation = gpt.generate("CAB", 30, Sampling(seed=4), stop=stop)
        found = text(generation)
        assert found == free[: free.index(stop) + len(stop)]
        assert generation.stopped == stop
    assert gpt.generate("CAB", 3, stop=["CAB"]).stopped is None  # it stands in the prompt
    several = gpt.generate("CAB", 30, Sampling(seed=4), stop=["zzz", free[5]])
    assert text(several).endswith(free[5])


class Bytes:
    """A tokenizer of single bytes, with one special token."""

    def __init__(self):
        self.special = {"<|endoftext|>": 256}

    def decode_bytes(self, ids):
        return bytes(ids)


def test_half_characters_wait_for_the_other_half():
    writing = Writing(Bytes(), ["é!"])
    data = "aé€".encode()
    assert [writing.add(byte, "?") for byte in data] == ["a", "", "é", "", "", "€"]
    assert [writing.add(byte, "?") for byte in "é!".encode()] == ["", "é", "!"]
    assert writing.stopped == "é!"
    broken = Writing(Bytes())
    assert [broken.add(0xE2, ""), broken.add(ord("b"), "")] == ["", "\N{REPLACEMENT CHARACTER}b"]
    assert broken.add(0xE2, "", last=True) == "\N{REPLACEMENT CHARACTER}"


def test_a_special_token_ends_the_text():
    writing = Writing(Bytes())
    writing.add(0xE2, "")
    assert writing.add(256, "<|endoftext|>") == "\N{REPLACEMENT CHARACTER}"
    assert (writing.ended, writing.stopped) == ("<|endoftext|>", None)


def test_a_model_without_a_tokenizer_writes_numbers(gpt):
    bare = type(gpt)(gpt.config, gpt.weights)
    choices = list(bare.generate([1, 0], 3, GREEDY))
    assert [choice.written for choice in choices] == [f" {choice.id}" for choice in choices]
    with pytest.raises(PromptError, match="no tokenizer"):
        bare.generate("AB")


# ---- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -1}, r"temperature must be 0 \(always the likeliest token\) or above, not -1"),
        ({"temperature": math.nan}, "temperature must be 0"),
        ({"temperature": math.inf}, "temperature must be 0"),
        ({"temperature": 1e-45}, "temperature 1e-45 is too small"),
        ({"top_k": 0}, "top-k must be a whole number from 1 on"),
        ({"top_k": 2.5}, "top-k must be"),
        ({"top_k": 1 << 31}, "top-k must be"),
        ({"top_p": 0}, "top-p must be above 0"),
        ({"top_p": 1.01}, "top-p must be above 0"),
        ({"top_p": math.nan}, "top-p must be above 0"),
        ({"top_p": 1e-45}, "top-p must be above 0"),
    ],
)
def test_settings_that_can_not_be(settings, message):
    with pytest.raises(PromptError, match=message):
        Sampling(**settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", 3), "the prompt is empty"),
        (([], 3), "the prompt is empty"),
        (([8], 3), "no token 8"),
        (([[0], [1]], 3), "one text at a time"),
        (("A", 0), "at least 1 token"),
        (("A", 3, None, ""), "stop at is empty"),
    ],
)
def test_what_can_not_be_generated(gpt, arguments, message):
    with pytest.raises(PromptError, match=message):
        gpt.generate(*arguments)


def test_scores_that_are_not_finite_are_refused(gpt):
    broken = dict(gpt.weights)
    weight = gpt.weights["ln_f.gain"]
    for gain, sampling, message in ((np.nan, None, "not all finite"), (1e9, Sampling(1e-36), "no longer finite")):
        broken["ln_f.gain"] = weight.with_data(np.full_like(weight.data, gain))
        with pytest.raises(PromptError, match=message):
            next(type(gpt)(gpt.config, broken, gpt.tokenizer).generate("A", 3, sampling))
