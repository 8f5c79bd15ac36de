"""Verifying a trace: the one wrong number is named, in whichever step, and wherever else a file says something untrue."""

import numpy as np
import pytest
from helpers.forging import forged
from helpers.fresh import quick, some
from helpers.small_models import small_gpt

import llmtrace
from llmtrace.errors import LlmtraceError, ReplayError
from llmtrace.explain.verify import expect_like, verify, verify_sample
from llmtrace.models import KVCache

TRACE = small_gpt().trace([0, 2, 1, 2])


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    path = tmp_path_factory.mktemp("honest") / "a.trace"
    TRACE.save(path, with_weights=True)
    verify(llmtrace.open(path))
    return path


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """With a text that was made tokens."""
    path = tmp_path_factory.mktemp("story") / "a.trace"
    llmtrace.load().trace("The king had a child, a girl.").save(path, with_weights=True)
    return path


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """With one that was made words, and small."""
    path = tmp_path_factory.mktemp("words") / "a.trace"
    llmtrace.load("tiny").trace("the king has a girl and a boy and gives").save(path, with_weights=True)
    return path


def test_a_result_of_another_type_or_shape_is_another():
    step = TRACE["logits"]
    expect_like(step, step.output.shape, step.output.dtype)
    with pytest.raises(ReplayError, match=r"logits is recorded as float32 .* float64"):
        expect_like(step, step.output.shape, np.float64)
    with pytest.raises(ReplayError, match=r"logits is recorded as .*\(4, 3\).* \(3, 4\)"):
        expect_like(step, step.output.shape[::-1], step.output.dtype)


@pytest.mark.parametrize(("turn", "name"), list(enumerate(TRACE)))
def test_one_wrong_bit_in_any_step_is_named(honest, tmp_path, turn, name):
    """The first step, the last, and all between, in a quick run in its first or its last number by turns; the lowest bit, which
    no tolerance would see.
    """
    for place in ("first", "last")[turn % 2 :: 2] if quick() else ("first", "last"):
        expect_named(honest, tmp_path, name, place)


def expect_named(honest, tmp_path, name, place):
    """AssertionError unless one wrong bit in the first or last number of a step is found there."""

    def change(arrays, content):
        flat = arrays[name].reshape(-1)
        flat.view(f"u{flat.itemsize}")[0 if place == "first" else -1] ^= 1

    forged(honest, change, tmp_path / "b.trace")
    index = (0,) * TRACE[name].output.ndim if place == "first" else [n - 1 for n in TRACE[name].output.shape]
    said = ", ".join(f"{axis}={n}" for axis, n in zip(TRACE[name].axes, index, strict=True))
    with pytest.raises(LlmtraceError) as caught:
        verify(llmtrace.open(tmp_path / "b.trace"))
    assert str(caught.value).startswith(f"{name}[{said}] is recorded as"), caught.value


def zeros(arrays):
    """Places where a number is +0."""
    return [
        (name, tuple(place))
        for name, array in arrays.items()
        if array.dtype.kind == "f" and name in TRACE
        for place in np.argwhere((array == 0) & ~np.signbit(array))[:1]
    ]


def test_minus_zero_is_another_number(honest, tmp_path):
    found = zeros({name: TRACE.tensor(name) for name in TRACE})
    assert len(found) >= 2  # at least the masked places of the patterns
    for name, place in found:
        forged(
            honest,
            lambda arrays, content, name=name, place=place: arrays[name].__setitem__(place, -0.0),
            tmp_path / "b",
        )
        with pytest.raises(ReplayError, match=rf"{name}\[.*\] is recorded as -0.0, but its inputs give 0.0"):
            verify(llmtrace.open(tmp_path / "b"))


@pytest.mark.parametrize("count", [1, 10**9])
def test_the_text_is_what_the_tokens_were_made_of(story, tmp_path, count):
    def change(arrays, content):
        content["text"] = content["text"].replace("girl", "wolf")

    forged(story, change, tmp_path / "b.trace")
    with pytest.raises(ReplayError, match="not those that the prompt's text gives"):
        verify_sample(llmtrace.open(tmp_path / "b.trace"), count)


# ---- what stands beside the numbers ------------------------------------------------------------------------------------


def refused(path):
    """What is said of a file that does not hang together: when it is opened, or when it is verified."""
    with pytest.raises(LlmtraceError) as caught:
        verify(llmtrace.open(path))
    with pytest.raises(LlmtraceError) as sampled:
        verify_sample(llmtrace.open(path), 1)
    assert str(sampled.value) == str(caught.value)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(("turn", "name"), list(enumerate(TRACE.weights)))
def test_an_embedded_weight_is_the_one_of_the_checksum(honest, tmp_path, turn, name):
    """Also where no token reads the number: unused rows of a table, places beyond the text; in a quick run by turns."""
    for place in (0, -1)[turn % 2 :: 2] if quick() else (0, -1):

        def change(arrays, content, place=place):
            arrays[f"weight:{name}"].reshape(-1).view("u4")[place] ^= 1

        forged(honest, change, tmp_path / "b.trace")
        assert "the weights are not those that made the trace" in refused(tmp_path / "b.trace")


def test_a_checksum_of_other_weights_is_seen(honest, tmp_path):
    forged(honest, lambda arrays, content: content["model"].update(weights_hash="0" * 64), tmp_path / "b.trace")
    assert "weights_hash" in refused(tmp_path / "b.trace")


def everywhere(content):
    """Every way to one text of one token: of those that were read, in the vocabulary, in the account of the tokenizer."""
    for place in range(len(content["tokens"])):
        yield lambda c, place=place: c["tokens"].__setitem__(place, " giant")
    used = {str(token[0]) for piece in content["tokenization"]["pieces"] for token in piece["tokens"]}
    for index in used:
        yield lambda c, index=index: c["vocabulary"].__setitem__(index, " Hers")
    for number, piece in enumerate(content["tokenization"]["pieces"]):
        for token in range(len(piece["tokens"])):
            for part, text in ((1, "Ġgiant"), (2, " giant")):
                yield lambda c, n=number, t=token, p=part, x=text: c["tokenization"]["pieces"][n]["tokens"][
                    t
                ].__setitem__(p, x)


def test_one_text_of_one_token_that_contradicts_the_others_is_seen(story, words, tmp_path):
    for path in (words, story):
        changes = list(everywhere(llmtrace.open(path)._file.content))
        assert len(changes) > 30
        for change in some(changes, 21 if path is words else 6):
            forged(path, lambda arrays, content, change=change: change(content), tmp_path / "b.trace")
            refused(tmp_path / "b.trace")


def test_all_texts_of_a_token_changed_alike_contradict_its_symbol(story, tmp_path):
    def change(arrays, content):
        index = content["tokenization"]["pieces"][-2]["tokens"][-1][0]
        old = content["vocabulary"][str(index)]
        content["vocabulary"][str(index)] = " wolf"
        content["tokens"] = [" wolf" if text == old else text for text in content["tokens"]]
        for piece in content["tokenization"]["pieces"]:
            for token in piece["tokens"]:
                token[2] = " wolf" if token[0] == index else token[2]

    forged(story, change, tmp_path / "b.trace")
    assert "' wolf' is not the text of the token" in refused(tmp_path / "b.trace")


@pytest.mark.parametrize("prompt", [["The cat", "The dog"], [5, 6, 7]], ids=["batch", "ids"])
def test_texts_without_a_tokenization_are_those_of_the_ids(tmp_path, prompt):
    llmtrace.load().trace(prompt).save(tmp_path / "a.trace", with_weights=True)
    assert verify(llmtrace.open(tmp_path / "a.trace"))

    def change(arrays, content):
        row = content["tokens"][1] if isinstance(prompt[0], str) else content["tokens"]
        row[-1] = " wolf"

    forged(tmp_path / "a.trace", change, tmp_path / "b.trace")
    assert "is ' wolf', but its id" in refused(tmp_path / "b.trace")


def test_after_a_cache_the_new_texts_are_looked_at(tmp_path):
    model, cache = llmtrace.load(), KVCache()
    model.trace("The king", cache)
    model.trace(" had a child", cache).save(tmp_path / "a.trace", with_weights=True)
    assert verify(llmtrace.open(tmp_path / "a.trace"))
    forged(
        tmp_path / "a.trace", lambda arrays, content: content["tokens"].__setitem__(-1, " wolf"), tmp_path / "b.trace"
    )
    assert "is ' wolf', but its id" in refused(tmp_path / "b.trace")
